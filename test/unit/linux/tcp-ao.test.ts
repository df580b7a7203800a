/** The structures of linux/tcp.h that carry keys of TCP-AO, byte by byte. */
import { describe, expect, test } from 'vitest'
import { addKey, askFor, deleteKey } from '../../../src/linux/tcp-ao.ts'
import { address } from '../../../src/net/address.ts'
import type { TcpAoKey } from '../../../src/session/transport.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const zeros = (count: number): string => '00'.repeat(count)
const text = (it: string): string => Buffer.from(it).toString('hex')

const KEY: TcpAoKey = { sendId: 100, receiveId: 200, algorithm: 'hmac-sha1', key: 'secret' }

const PEERS = [
  { peer: '10.0.1.1', sockaddr: `020000000a000101${zeros(120)}`, bits: '20' },
  {
    peer: '2001:db8::1',
    sockaddr: `0a0000000000000020010db8000000000000000000000001${zeros(104)}`,
    bits: '80',
  },
]

describe('struct tcp_ao_add', () => {
  test.each(PEERS)(
    'of $peer: address, algorithm, ids, lengths, key',
    ({ peer, sockaddr, bits }) => {
      expect(hex(addKey(address(peer), KEY))).toBe(
        [
          sockaddr,
          `${text('hmac(sha1)')}${zeros(54)}`,
          `${zeros(4)}${zeros(4)}${zeros(2)}`, // ifindex, flags, padding
          `${bits}64c80c0006`, // prefix length, ids, 12 bytes of MAC, key flags, length of the key
          `${text('secret')}${zeros(74)}`,
        ].join(''),
      )
    },
  )

  test.each([
    ['hmac-sha1', 'hmac(sha1)'],
    ['cmac-aes128', 'cmac(aes128)'],
    ['hmac-sha256', 'hmac(sha256)'],
  ] as const)('%s is called %s in the kernel', (algorithm, name) => {
    const bytes = addKey(address('10.0.1.1'), { ...KEY, algorithm })
    expect(hex(bytes.subarray(128, 192))).toBe(text(name).padEnd(128, '0'))
  })

  test('says in its flags that the key counts at once, for both directions', () => {
    const bytes = addKey(address('10.0.1.1'), KEY, { flags: 3 })
    expect(hex(bytes.subarray(192, 202))).toBe(`${zeros(4)}03000000${zeros(2)}`)
  })

  test('of a prefix tells its length', () => {
    expect(addKey(address('10.0.0.0'), KEY, { length: 16 })[202]).toBe(16)
  })

  test('takes keys of up to 80 bytes of UTF-8', () => {
    const bytes = addKey(address('::1'), { ...KEY, key: 'x'.repeat(80) })
    expect([bytes.length, bytes[207], bytes[287]]).toEqual([288, 80, 120])
    expect(() => addKey(address('::1'), { ...KEY, key: 'ü'.repeat(41) })).toThrow(
      'at most 80 bytes, not 82',
    )
  })
})

describe('struct tcp_ao_del', () => {
  test.each(PEERS)('of $peer: address and ids', ({ peer, sockaddr, bits }) => {
    expect(hex(deleteKey(address(peer), KEY))).toBe(
      `${sockaddr}${zeros(4)}${zeros(4)}${zeros(2)}${bits}64c8${zeros(3)}`,
    )
  })

  test('names the ids of the successor, for both directions', () => {
    const successor = { ...KEY, sendId: 1, receiveId: 2 }
    const bytes = deleteKey(address('10.0.0.0'), KEY, { length: 16, successor })
    expect(hex(bytes.subarray(128))).toBe(`${zeros(4)}03000000${zeros(2)}1064c8010200`)
  })
})

test('struct tcp_ao_info_opt asks for the id of the far side', () => {
  expect(hex(askFor(KEY))).toBe(`02000000${zeros(2)}00c8${zeros(40)}`)
})
