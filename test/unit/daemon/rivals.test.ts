import { expect, test, vi } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { watchForRivals } from '../../../src/daemon/rivals.ts'
import { FakeClock } from '../../support/fake-clock.ts'

test('each is told of once, when we start or when it appears', () => {
  vi.useFakeTimers()
  const told: string[] = []
  const events = new Events(new FakeClock())
  events.subscribe(({ text }) => told.push(text.split(' may ')[0]))
  const processes = [
    { name: 'bird', pid: 12 },
    { name: 'systemd-network', pid: 13 },
  ]
  const stop = watchForRivals({ events, processes: () => processes })
  expect(told).toEqual(['bird (pid 12)'])
  processes.push({ name: 'zebra', pid: 14 })
  vi.advanceTimersByTime(180_000)
  expect(told).toEqual(['bird (pid 12)', 'zebra (pid 14)'])
  stop()
  vi.useRealTimers()
})
