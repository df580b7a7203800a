import { expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { Suspicions } from '../../../src/daemon/suspicions.ts'
import { DROP_COUNTERS, type DropCounts } from '../../../src/linux/drop-counts.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const NOTHING = Object.fromEntries(DROP_COUNTERS.map((it) => [it, 0])) as DropCounts

test('while no peer is down, the counters of the kernel are left alone', () => {
  const clock = new FakeClock()
  let reads = 0
  const suspicions = new Suspicions({
    clock,
    events: new Events(clock),
    dropCounts: () => {
      reads++
      return NOTHING
    },
    neighbors: () => [],
    strangersSince: () => [],
  })
  suspicions.start()
  expect(reads).toBe(1)
  clock.advance(60_000)
  expect(reads).toBe(1)
  suspicions.stop()
})
