/**
 * What a cache answers to one query, and how it becomes what is known: all at once when everything was told
 * anew, change by change otherwise.
 */
import { DUPLICATE_ANNOUNCEMENT, RtrError, WITHDRAWAL_OF_UNKNOWN } from './pdu.ts'
import type { Vrp } from './vrp.ts'
import { VrpTable } from './vrp-table.ts'

/** What came or went: so many that nobody should list them, or each of them. */
export type Changed = readonly Vrp[] | 'many'

/** VRPs that are listed, or held against each other to see which have changed: some 20 ms of work. */
export const MOST_COMPARED = 2000

export interface Outcome {
  readonly table: VrpTable
  readonly changed: Changed
}

interface Change {
  readonly announced: boolean
  readonly vrp: Vrp
}

export class Answer {
  readonly #known: VrpTable
  /** Everything is told anew, not what has changed. */
  readonly #whole: boolean
  readonly #table = new VrpTable()
  /** In the order in which they came. */
  readonly #changes: Change[] = []

  constructor(known: VrpTable, whole: boolean) {
    this.#known = known
    this.#whole = whole
  }

  /** Throws an RtrError for what makes no sense; `bytes` is the PDU. */
  note(announced: boolean, vrp: Vrp, bytes: Uint8Array): void {
    if (!this.#whole) this.#changes.push({ announced, vrp })
    else if (!announced) throw new RtrError(WITHDRAWAL_OF_UNKNOWN, 'withdrawal of nothing', bytes)
    else if (!this.#table.add(vrp)) throw new RtrError(DUPLICATE_ANNOUNCEMENT, 'told twice', bytes)
  }

  /**
   * Makes it what is known, a step with each `next`. All of the changes count or, when one is wrong (an
   * RtrError), none; who asks in between may hear of a part of them.
   */
  *carryOut(bytes: Uint8Array): Generator<void, Outcome, void> {
    if (this.#whole) return { table: this.#table, changed: this.#comparison() }
    const table = this.#known
    const changes = this.#changes
    const carry = ({ announced, vrp }: Change, back = false): boolean =>
      announced === back ? table.remove(vrp) : table.add(vrp)
    for (const [i, change] of changes.entries()) {
      if (!carry(change)) {
        for (let done = i - 1; done >= 0; done--) {
          carry(changes[done], true)
          yield
        }
        throw change.announced
          ? new RtrError(DUPLICATE_ANNOUNCEMENT, 'told twice', bytes)
          : new RtrError(WITHDRAWAL_OF_UNKNOWN, 'withdrawal of what is not there', bytes)
      }
      yield
    }
    const many = changes.length > MOST_COMPARED
    return { table, changed: many ? 'many' : changes.map(({ vrp }) => vrp) }
  }

  #comparison(): Changed {
    const [before, after] = [this.#known, this.#table]
    if (before.size + after.size > MOST_COMPARED) return 'many'
    return [
      ...[...before].filter((vrp) => !after.has(vrp)),
      ...[...after].filter((vrp) => !before.has(vrp)),
    ]
  }
}
