import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { parseSocketAddress, socketAddress } from '../../../src/linux/socket-address.ts'
import { MAX_PASSWORD_BYTES, md5Signature } from '../../../src/linux/tcp-options.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('struct sockaddr', () => {
  test.each([
    { text: '10.0.1.1', port: 179, bytes: '020000b30a0001010000000000000000' },
    {
      text: '2001:db8::1',
      port: 179,
      bytes: '0a0000b30000000020010db800000000000000000000000100000000',
    },
    {
      text: 'fe80::1%1', // the loopback is interface 1 in each namespace
      port: 50_000,
      bytes: '0a00c35000000000fe80000000000000000000000000000101000000',
    },
  ])('$text port $port, there and back', ({ text, port, bytes }) => {
    const encoded = socketAddress(address(text), port)
    expect(hex(encoded)).toBe(bytes)
    const decoded = parseSocketAddress(encoded, address(text).zone)
    expect(decoded).toEqual({ address: address(text), port })
  })

  test('a zone that is no interface is an error that names it', () => {
    expect(() => socketAddress(address('fe80::1%nosuchdev0'), 179)).toThrow('interface nosuchdev0')
  })

  test.each([
    { title: 'nothing', bytes: new Uint8Array(0) },
    { title: 'a unix socket', bytes: Uint8Array.of(1, ...new Uint8Array(27)) },
    { title: 'a cut IPv6 address', bytes: Uint8Array.of(10, ...new Uint8Array(20)) },
  ])('$title is no endpoint', ({ bytes }) => {
    expect(parseSocketAddress(bytes)).toBeUndefined()
  })
})

describe('struct tcp_md5sig', () => {
  test('holds the peer, the length of the key, and the key', () => {
    const { option, bytes } = md5Signature(address('10.0.1.1'), 'secret')
    expect(option).toBe(14)
    expect(bytes.length).toBe(216)
    expect(hex(bytes.subarray(0, 8))).toBe('020000000a000101')
    expect(hex(bytes.subarray(128, 142))).toBe('0000060000000000736563726574')
  })

  test('of a prefix says so in its flags', () => {
    const { option, bytes } = md5Signature(address('10.0.0.0'), 'secret', 16)
    expect(option).toBe(32)
    expect(hex(bytes.subarray(128, 132))).toBe('01100600')
  })

  test('takes keys of up to 80 bytes of UTF-8', () => {
    expect(md5Signature(address('::1'), 'x'.repeat(MAX_PASSWORD_BYTES)).bytes[215]).toBe(120)
    expect(() => md5Signature(address('::1'), 'ü'.repeat(41))).toThrow('at most 80 bytes, not 82')
  })
})
