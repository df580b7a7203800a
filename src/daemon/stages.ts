/** Who works in the slices of time that the scheduler gives, in this order: decide, announce, write. */
import type { Clock } from '../net/clock.ts'
import type { Rib } from '../rib/rib.ts'
import type { Rpki } from '../rpki/rpki.ts'
import type { Forwarding } from './forwarding.ts'
import type { Neighbors } from './neighbors.ts'
import type { Scheduler } from './scheduler.ts'
import type { TableNews } from './table-news.ts'

export interface Workers {
  readonly rib: Rib
  readonly rpki: Rpki
  readonly neighbors: Neighbors
  /** Undefined when routes are not to be installed. */
  readonly forwarding: Forwarding | undefined
  readonly news: TableNews
}

export function addStages(
  scheduler: Scheduler,
  clock: Clock,
  { rib, rpki, neighbors, forwarding, news }: Workers,
): void {
  scheduler.addStage({
    name: 'decide',
    // Ten peers that tell of the same prefixes at a time cost one decision each, instead of ten.
    patienceMs: 20,
    busy: () => rib.busy || rpki.busy,
    step: (deadline) => {
      // What decisions look at comes first, and leaves them half of the time.
      if (rpki.busy) rpki.step((clock.now() + deadline) / 2)
      rib.step(clock.now, deadline)
    },
  })
  scheduler.addStage({
    name: 'announce',
    busy: () => [...neighbors].some((neighbor) => neighbor.sendable),
    step: (deadline) => neighbors.announce(deadline),
  })
  if (forwarding === undefined) return
  scheduler.addStage({
    name: 'fib',
    busy: () => forwarding.busy,
    step: (deadline) => {
      forwarding.step(deadline)
      news.written()
    },
  })
}
