import { expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { closeReason, connectTimeout } from '../../../src/linux/tcp-reason.ts'

const remote = { address: address('10.0.1.1'), port: 179 }
const failed = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code })

test.each([
  { errno: 'ECONNREFUSED', code: 'refused', says: '10.0.1.1:179 refused the connection' },
  { errno: 'ECONNRESET', code: 'reset', says: 'reset the connection' },
  { errno: 'EPIPE', code: 'reset', says: 'reset the connection' },
  { errno: 'ETIMEDOUT', code: 'timeout', says: 'no answer from 10.0.1.1:179' },
  { errno: 'EHOSTUNREACH', code: 'unreachable', says: 'host 10.0.1.1 is unreachable' },
  { errno: 'ENETUNREACH', code: 'unreachable', says: 'no route to 10.0.1.1' },
  { errno: 'EADDRNOTAVAIL', code: 'error', says: 'from 192.0.2.9: not an address of this host' },
  { errno: 'ENODEV', code: 'error', says: 'no interface eth9' },
  { errno: 'EWHATEVER', code: 'error', says: 'connect EWHATEVER' },
])('$errno is "$code", in words', ({ errno, code, says }) => {
  const options = { localAddress: address('192.0.2.9'), bindDevice: 'eth9' }
  const reason = closeReason(failed(errno), remote, options)
  expect(reason.code).toBe(code)
  expect(reason.text).toContain(says)
})

test.each([
  { title: 'a plain session', options: {}, text: 'no answer from 10.0.1.1:179 within 10 s' },
  {
    title: 'one with a password',
    options: { password: 'x' },
    text: 'no answer from 10.0.1.1:179 within 10 s; a different TCP MD5 password looks the same',
  },
  {
    title: 'one with TCP-AO',
    options: { tcpAo: [{ sendId: 1, receiveId: 1, algorithm: 'hmac-sha1' as const, key: 'x' }] },
    text: 'no answer from 10.0.1.1:179 within 10 s; a different TCP-AO key looks the same',
  },
  {
    title: 'one with GTSM',
    options: { minimumTtl: 255 },
    text: "no answer from 10.0.1.1:179 within 10 s; a peer that doesn't send with TTL 255 (GTSM), or a closed port, looks the same",
  },
])('the timeout of $title names what else it may be', ({ options, text }) => {
  expect(connectTimeout(10_000, remote, options)).toEqual({ code: 'timeout', text })
})

test('the password is never in the words', () => {
  const words = connectTimeout(10_000, remote, { password: 'hunter2' }).text
  expect(words).not.toContain('hunter2')
})
