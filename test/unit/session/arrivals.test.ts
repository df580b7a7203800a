import { describe, expect, test } from 'vitest'
import { Arrivals } from '../../../src/session/arrivals.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import type { CloseReason } from '../../../src/session/transport.ts'
import { ADDRESS_A, ADDRESS_B, establish } from './pair.ts'

describe('connections of one peer', () => {
  /** How many of `count` connections, `everyMs` apart, are taken. */
  const cases: readonly [count: number, everyMs: number, taken: number][] = [
    [30, 0, 30],
    [300, 0, 30],
    [300, 10, 44],
    [300, 200, 300],
    [300, 100, 180],
  ]
  test.each(cases)('%i of them, %i ms apart: %i are answered', (count, everyMs, taken) => {
    const clock = new FakeClock()
    const arrivals = new Arrivals(clock.now)
    let admitted = 0
    for (let i = 0; i < count; i++) {
      if (arrivals.admit()) admitted++
      clock.advance(everyMs)
    }
    expect(Math.abs(admitted - taken)).toBeLessThanOrEqual(1)
    expect(arrivals.refused).toBe(count - admitted)
  })

  test('that are too many are reset and counted, and the session is not touched', () => {
    const { clock, network, a, b } = establish()
    const ends: string[] = []
    const events = {
      opened: () => {},
      received: () => {},
      drained: () => {},
      closed: ({ code }: CloseReason) => void ends.push(code),
    }
    const remote = { address: ADDRESS_B, port: 179 }
    for (let i = 0; i < 300; i++) network.transportOf(ADDRESS_A).connect({ remote }, events)
    clock.advance(5000)
    expect(ends).toHaveLength(300)
    expect(b.peer.snapshot().refused).toBeGreaterThanOrEqual(270)
    expect(ends.filter((code) => code === 'reset')).toHaveLength(b.peer.snapshot().refused)
    expect([a.peer.state, b.peer.state]).toEqual(['Established', 'Established'])
  })
})
