/**
 * Scenarios: what a speaker is asked to do while it is timed. One file each, one row in index.ts. Each checks what came
 * out: a run that loses a prefix has no time.
 */
import type { Profile } from '../load/routes.ts'
import type { Subject } from '../subjects/subject.ts'

/** What all runs of a series have in common. */
export interface Conditions {
  readonly seed: number
  readonly profile: Profile
  /** Of the number of prefixes that the scenario has: 1 is all. */
  readonly scale: number
}

/** What came of one run. The first figure is what is compared. */
export interface Figures {
  /** By name; the unit stands at the end of the name: `seconds`, `p50 us`, `MB`. */
  readonly [figure: string]: number
}

export interface Scenario {
  readonly name: string
  readonly title: string
  /** The bounds that are aimed at: our first figure over that of a peer, at most. */
  readonly aims?: Readonly<Record<string, number>>
  /** Routes in the kernel are what is measured: not every daemon writes them. */
  readonly kernel?: true
  /** It is about linnet, or the bench itself: nobody else takes part. */
  readonly alone?: true
  readonly run: (subject: Subject, conditions: Conditions) => Promise<Figures>
  /** What is no daemon but does the same work at the least cost; runs when it is named in `--against`. */
  readonly yardstick?: Yardstick
}

export interface Yardstick {
  readonly name: string
  readonly run: (conditions: Conditions) => Promise<Figures>
}
