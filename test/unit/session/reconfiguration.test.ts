/** Other settings for a peer while it runs, with and without a session. */
import { describe, expect, test } from 'vitest'
import { MemoryConnection } from '../../support/memory-transport.ts'
import { ADDRESS_B, establish, pair, update, type Pair } from './pair.ts'

describe('other settings while it runs', () => {
  const sockets = ({ accepted }: Pair): MemoryConnection[] =>
    accepted.filter((it) => it instanceof MemoryConnection)

  test('a key counts for the connection that is up, and for those to come', () => {
    const made = establish({ a: { passive: true } })
    const { a, clock } = made
    a.peer.reconfigure({ ...a.peer.options, socket: { password: 'new' } })
    clock.advance(60_000)
    expect(sockets(made).map(({ options }) => options)).toEqual([{ password: 'new' }])
    expect(a.peer.snapshot()).toMatchObject({ state: 'Established', flaps: 0 })
    expect(a.peer.options.socket).toEqual({ password: 'new' })
  })

  test('who is passive from now on calls no more; who is not, calls', () => {
    const { a, b, clock, network } = pair({ b: { passive: true } })
    network.blackhole(ADDRESS_B)
    a.peer.start()
    b.peer.start()
    clock.advance(1000)
    expect(a.peer.state).toBe('Connect')
    a.peer.reconfigure({ ...a.peer.options, passive: true })
    expect(a.peer.state).toBe('Active')
    network.heal(ADDRESS_B)
    clock.advance(600_000)
    expect(a.peer.state).toBe('Active')
    b.peer.reconfigure({ ...b.peer.options, passive: false })
    clock.advance(10_000)
    expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established'])
  })

  test('the kernel gives a silent peer up with the hold time, one that reads slowly later', () => {
    const made = establish({ a: { passive: true, holdTimeSeconds: 30 }, queueBytes: 100 })
    const { a, b, clock } = made
    const [socket] = sockets(made)
    expect(socket.userTimeoutMs).toBe(30_000)
    b.peer.pauseReading()
    expect(a.peer.send([update('x'.repeat(200))])).toBe(false)
    expect(socket.userTimeoutMs).toBe(490_000) // later than our own timer, which says why
    b.peer.resumeReading()
    clock.advance(1000)
    expect(socket.userTimeoutMs).toBe(30_000)
  })
})
