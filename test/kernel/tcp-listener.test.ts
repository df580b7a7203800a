import koffi from 'koffi'
import { describe, expect, test } from 'vitest'
import { listen, ListenError } from '../../src/linux/tcp-listener.ts'
import type { Connection } from '../../src/session/transport.ts'
import {
  bytes,
  connect,
  connections,
  Ear,
  endpoint,
  far,
  listeners,
  open,
} from '../support/tcp-ends.ts'
import { until } from '../support/until.ts'

describe('a listener', () => {
  test('for IPv4 and one for IPv6 share a port', async () => {
    const four = open('0.0.0.0')
    const { port } = four.listener.local
    const accepted: Connection[] = []
    const onConnection = (it: Connection): void => void accepted.push(it)
    listeners.push(far.within(() => listen(endpoint('::', port), { onConnection })))
    const a = connect('10.0.0.2', port)
    const b = connect('2001:db8::2', port)
    await until('both up', () => a.ear.isOpen && b.ear.isOpen)
    await until('both accepted', () => four.accepted.length === 1 && accepted.length === 1)
    expect(four.accepted[0]?.remote.address.text).toBe('10.0.0.1')
    expect(accepted[0]?.remote.address.text).toBe('2001:db8::1')
    connections.push(...accepted)
  })

  test('that is closed refuses, while its connections live on', async () => {
    const door = open()
    const { port } = door.listener.local
    const first = connect('10.0.0.2', port)
    await until('up', () => first.ear.isOpen && door.accepted.length === 1)
    door.listener.close()
    const second = connect('10.0.0.2', port)
    await until('refused', () => second.ear.reasons.length === 1)
    expect(second.ear.reasons).toMatchObject([{ code: 'refused' }])
    door.accepted[0]?.listen(new Ear())
    door.accepted[0]?.write(bytes('still here'))
    await until('heard', () => first.ear.text === 'still here')
  })

  test('whose port is taken names the process', () => {
    const door = open('10.0.0.2')
    const { port } = door.listener.local
    const again = refusal(() => far.within(() => listen(endpoint('0.0.0.0', port), ignore)))
    expect(again.code).toBe('EADDRINUSE')
    expect(again.message).toContain(`can't listen on 0.0.0.0:${port}: port ${port} is held by `)
    expect(again.message).toContain(`(pid ${process.pid})`)
  })

  test('on an address of another host says so', () => {
    const error = refusal(() => far.within(() => listen(endpoint('192.0.2.1', 0), ignore)))
    expect(error.message).toBe(
      "can't listen on 192.0.2.1:0: 192.0.2.1 is not an address of this host",
    )
  })

  test('on port 179 without the capability says what is missing', () => {
    const error = refusal(() => withoutBindService(() => listen(endpoint('0.0.0.0', 179), ignore)))
    expect(error.code).toBe('EACCES')
    expect(error.message).toContain('needs root or CAP_NET_BIND_SERVICE')
  })
})

const ignore = { onConnection: (it: Connection): void => it.abort() }

function refusal(action: () => unknown): ListenError {
  try {
    action()
  } catch (error) {
    if (error instanceof ListenError) return error
    throw error
  }
  throw new Error('it was not refused')
}

/** Runs `action` on this thread without CAP_NET_BIND_SERVICE (capset(2)). */
function withoutBindService<T>(action: () => T): T {
  const libc = koffi.load(null)
  const capget = libc.func('int capget(void *, void *)')
  const capset = libc.func('int capset(void *, void *)')
  const header = Uint32Array.of(0x20080522, 0) // _LINUX_CAPABILITY_VERSION_3, this thread
  const before = new Uint32Array(6) // effective, permitted, inheritable; then their upper halves
  expect(capget(header, before)).toBe(0)
  const less = before.slice()
  less[0] = (before[0] ?? 0) & ~(1 << 10)
  expect(capset(header, less)).toBe(0)
  try {
    return action()
  } finally {
    capset(header, before)
  }
}
