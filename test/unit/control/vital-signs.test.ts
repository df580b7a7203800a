import { expect, onTestFinished, test, vi } from 'vitest'
import { startVitalSigns } from '../../../src/control/vital-signs.ts'

test('the longest delay of a timer shows once', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  let lateness = 0
  const signs = startVitalSigns(() => Date.now() + lateness)
  onTestFinished(() => signs.stop())
  vi.advanceTimersByTime(2_000)
  expect(signs.eventLoopLagMs()).toBe(0)
  lateness = 35
  vi.advanceTimersByTime(500)
  vi.advanceTimersByTime(2_000)
  expect(signs.eventLoopLagMs()).toBe(35)
  expect(signs.eventLoopLagMs()).toBe(0)
})

test('a stall that is not over shows too', () => {
  let now = 0
  const signs = startVitalSigns(() => now)
  onTestFinished(() => signs.stop())
  now = 1_000
  expect(signs.eventLoopLagMs()).toBe(500)
})

test('memory is told in bytes', () => {
  const signs = startVitalSigns()
  onTestFinished(() => signs.stop())
  expect(signs.rssBytes()).toBeGreaterThan(1_000_000)
})
