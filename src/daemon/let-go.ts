/**
 * Gives memory back after much of it was let go.
 *
 * V8 collects when something is allocated. When a peer with a large table goes, nothing is: what the table
 * was made of lies dead, and counts as resident, until the next burst; and what bursts leave behind adds up.
 * So memory is looked at now and then, and when the tables have shrunk by much, or much more is resident
 * than after the last time, and nobody is at work, V8 is asked to collect once. That stops the loop for
 * some 20 ms: our tables are typed arrays, which it does not walk.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Look } from './pulse.ts'

export interface LetGoOptions {
  /** Bytes of the tables now. */
  bytes(): number
  /** Bytes of the process in memory now. */
  resident(): number
  /** What is freed is to go back to the kernel. */
  trim(): void
  /** Work is waiting: not now. */
  busy(): boolean
}

const EVERY_MS = 2000
const MUCH_BYTES = 4 << 20
/** So many looks after the start, what is resident grows with code that runs for the first time; if no table does. */
const SETTLING = 4
/** What the first one frees may be all that held on to the rest. */
const ROUNDS = 2

export function letGo({ bytes, resident, trim, busy }: LetGoOptions): Look {
  let most = 0
  let before = 0
  /** After the last collection; what it frees goes a moment later. */
  let least = resident()
  let wanted = 0
  let looks = 0
  const look = (): void => {
    const now = bytes()
    const quiet = now === before && !busy()
    before = now
    most = Math.max(most, now)
    if (looks++ < SETTLING && most < MUCH_BYTES) least = resident()
    if (most - now >= MUCH_BYTES || (wanted === 0 && resident() - least >= 2 * MUCH_BYTES)) {
      most = now
      wanted = ROUNDS + 1
    }
    if (wanted === 0 || !quiet) return
    wanted--
    if (wanted > 0) return collect()
    trim()
    least = resident()
  }
  return { everyMs: EVERY_MS, look, busy: () => wanted > 0 }
}

/** What `node --expose-gc` makes global; the command line is not ours to write. */
function collect(): void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc === 'function') Reflect.apply(gc, undefined, [])
}
