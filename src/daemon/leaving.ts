/**
 * Leaving without a loss, step by step (RFC 8326 section 4): first everything is announced as the last choice, so
 * that traffic goes other ways while this one still works; then it is withdrawn, which moves nothing any more;
 * then sessions may end. Between the steps the peers get the time to hear and to act.
 */
import type { Speaker } from './speaker.ts'

const TELLING_MS = 20_000
/** For peers, and theirs, to forward other ways. */
const MOVING_MS = 5_000
/** A peer that reads slowly does not hold up the end for long. */
const WITHDRAWING_MS = 5_000
/** What has been withdrawn last is on its way. */
const LAST_WORDS_MS = 500
const LOOK_MS = 20

/** All routes are the last choice, or no longer. Names of the peers that have not heard of it in the end. */
export async function drain(speaker: Speaker, on: boolean): Promise<string[]> {
  speaker.drain(on ? 'lastChoice' : 'no')
  return await untoldAfter(speaker, TELLING_MS)
}

/** Nothing is announced any more; resolves when the peers have heard it, or should have. */
export async function withdraw(speaker: Speaker): Promise<void> {
  speaker.drain('withdrawn')
  await untoldAfter(speaker, WITHDRAWING_MS)
  await pause(speaker, LAST_WORDS_MS)
}

/** After `drain`: waits until traffic goes other ways, then withdraws. */
export async function leave(speaker: Speaker): Promise<void> {
  await pause(speaker, MOVING_MS)
  await withdraw(speaker)
}

async function untoldAfter(speaker: Speaker, atMostMs: number): Promise<string[]> {
  const end = speaker.clock.now() + atMostMs
  while (speaker.untold.length > 0 && speaker.clock.now() < end) await pause(speaker, LOOK_MS)
  return speaker.untold.map(({ config }) => config.name)
}

const pause = ({ clock }: Speaker, milliseconds: number): Promise<void> =>
  new Promise((resolve) => void clock.after(milliseconds, resolve))
