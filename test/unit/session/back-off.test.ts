import { describe, expect, test } from 'vitest'
import { BackOff, jitteredMs } from '../../../src/session/back-off.ts'

const WITHOUT_JITTER = () => 1

test('jitter takes away up to a quarter', () => {
  expect([0, 0.5, 1].map((random) => jitteredMs(8, () => random))).toEqual([6000, 7000, 8000])
})

describe('the wait', () => {
  const CASES: readonly [title: string, firstSeconds: number, failures: number, seconds: number][] =
    [
      ['starts at the configured time', 5, 0, 5],
      ['is the same after the first failure', 5, 1, 5],
      ['doubles with the second', 5, 2, 10],
      ['and the third', 5, 3, 20],
      ['is capped at a minute', 5, 5, 60],
      ['and stays there', 5, 2000, 60],
      ['is never shorter than configured', 120, 4, 120],
    ]
  expect(CASES.length).toBeGreaterThan(0)
  test.each(CASES)('%s', (_title, firstSeconds, failures, seconds) => {
    const backOff = new BackOff({ firstSeconds, random: WITHOUT_JITTER })
    for (let i = 0; i < failures; i++) backOff.countFailure()
    expect(backOff.nextWaitMs()).toBe(seconds * 1000)
  })
})

test('a session that comes up ends the row of failures', () => {
  const backOff = new BackOff({ firstSeconds: 5, random: WITHOUT_JITTER })
  for (let i = 0; i < 9; i++) backOff.countFailure()
  backOff.sessionBegan()
  expect(backOff.nextWaitMs()).toBe(5000)
})

test('sessions that break by an error again and again are spaced out', () => {
  const backOff = new BackOff({ firstSeconds: 5, random: WITHOUT_JITTER })
  const waits = [1, 1, 1, 1, 1, 1].map((lasted) => {
    backOff.sessionBegan()
    backOff.sessionEnded(lasted, true)
    return backOff.nextWaitMs() / 1000
  })
  expect(waits).toEqual([5, 10, 20, 40, 60, 60])
})

test.each([
  ['one that lasted', 300, true],
  ['one that was closed in peace', 1, false],
])('%s starts the row anew', (_title, lasted, byError) => {
  const backOff = new BackOff({ firstSeconds: 5, random: WITHOUT_JITTER })
  for (let i = 0; i < 4; i++) backOff.sessionEnded(1, true)
  backOff.sessionEnded(lasted, byError)
  expect(backOff.nextWaitMs()).toBe(5000)
})
