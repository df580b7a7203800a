import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Pulse } from '../../../src/daemon/pulse.ts'

let pulse: Pulse
/** How much later than its timers the clock is. */
let lateness: number

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
  lateness = 0
  pulse = new Pulse(() => Date.now() + lateness)
})
afterEach(() => {
  pulse.stop()
  vi.useRealTimers()
})

/** Counts the looks that are taken. */
function looking(everyMs: number): () => number {
  let looks = 0
  pulse.add({ everyMs, look: () => void looks++ })
  return () => looks
}

test('while somebody works, looks are as frequent as they ask for', () => {
  const often = looking(500)
  const seldom = looking(2_000)
  for (let i = 0; i < 8; i++) {
    pulse.quicken()
    vi.advanceTimersByTime(500)
  }
  expect([often(), seldom()]).toEqual([8, 2])
})

test('when nothing happens any more it wakes seldom, for all of them together', () => {
  const often = looking(500)
  const seldom = looking(2_000)
  vi.advanceTimersByTime(8_000)
  const before = [often(), seldom()]
  vi.advanceTimersByTime(40_000)
  expect([often() - before[0], seldom() - before[1]]).toEqual([4, 4])
  expect(vi.getTimerCount()).toBe(1)
})

test('work makes it quick at once', () => {
  const looks = looking(500)
  vi.advanceTimersByTime(12_000)
  const before = looks()
  pulse.quicken()
  vi.advanceTimersByTime(499)
  expect(looks()).toBe(before)
  vi.advanceTimersByTime(1)
  expect(looks()).toBe(before + 1)
})

test('the longest delay shows once', () => {
  vi.advanceTimersByTime(2_000)
  expect(pulse.takeLatenessMs()).toBe(0)
  lateness = 35
  vi.advanceTimersByTime(40_000)
  expect(pulse.takeLatenessMs()).toBe(35)
  expect(pulse.takeLatenessMs()).toBe(0)
})

test('a stall that is not over shows too', () => {
  vi.setSystemTime(Date.now() + 1_000)
  expect(pulse.takeLatenessMs()).toBe(500)
})

test('a look that has more to do is taken again as soon as it may', () => {
  let looks = 0
  pulse.add({ everyMs: 2_000, look: () => looks++, busy: () => looks > 0 && looks < 4 })
  vi.advanceTimersByTime(3_000)
  expect(looks).toBe(1)
  vi.advanceTimersByTime(6_000)
  expect(looks).toBe(4)
})
