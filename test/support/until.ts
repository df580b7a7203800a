/**
 * Waiting for others, never blindly: a question is asked again and again, but no more than half of the time, for whoever
 * is waited for needs the processor as well.
 */
import { setTimeout as pause } from 'node:timers/promises'

export interface Asking<T> {
  readonly satisfied: (answer: T) => boolean
  /** What is thrown when the last answer, after the deadline, is not right either. */
  readonly complaint: (answer: T) => string
  readonly deadlineMs: number
  /** Between two questions, or as long as the last one took. */
  readonly pauseMs: number
}

/** The first answer that satisfies. */
export async function askUntil<T>(
  ask: () => T | Promise<T>,
  { satisfied, complaint, deadlineMs, pauseMs }: Asking<T>,
): Promise<T> {
  const end = performance.now() + deadlineMs
  for (;;) {
    const askedAt = performance.now()
    const answer = await ask()
    if (satisfied(answer)) return answer
    const now = performance.now()
    if (now > end) throw new Error(complaint(answer))
    await pause(Math.max(pauseMs, now - askedAt))
  }
}

/** Fulfilled once `condition` holds; fails with `what` after the deadline. */
export async function until(
  what: string,
  condition: () => boolean | Promise<boolean>,
  deadlineMs = 20_000,
): Promise<void> {
  const complaint = (): string => `not within ${deadlineMs} ms: ${what}`
  await askUntil(condition, { satisfied: Boolean, complaint, deadlineMs, pauseMs: 5 })
}
