/** Waits for other programs: asks until the answer is right, and shows the last answer when it never was. */
import { isDeepStrictEqual } from 'node:util'
import { askUntil } from './until.ts'

export interface Patience {
  readonly deadlineMs?: number
  /** Between two questions, or as long as the last one took; other people's command lines are not free. */
  readonly pauseMs?: number
}

/** The first answer that satisfies; after the deadline an error with the last one. */
export async function eventually<T>(
  what: string,
  ask: () => T | Promise<T>,
  satisfied: (answer: T) => boolean,
  patience: Patience = {},
): Promise<T> {
  return await wait(what, ask, satisfied, (answer) => JSON.stringify(answer), patience)
}

/** Fulfilled once the rows are as expected; after the deadline an error with those that differ. */
export async function eventuallyEqual<T>(
  what: string,
  ask: () => Promise<readonly T[]>,
  expected: readonly T[],
  patience: Patience = {},
): Promise<void> {
  const lines = (sign: string, rows: readonly T[], others: readonly T[]): string[] =>
    rows
      .filter((row) => !others.some((other) => isDeepStrictEqual(row, other)))
      .map((row) => `${sign} ${JSON.stringify(row)}`)
  await wait(
    what,
    ask,
    (rows) => isDeepStrictEqual(rows, expected),
    (rows) =>
      ['', ...lines('- expected', expected, rows), ...lines('+ seen', rows, expected)].join('\n'),
    patience,
  )
}

function wait<T>(
  what: string,
  ask: () => T | Promise<T>,
  satisfied: (answer: T) => boolean,
  report: (answer: T) => string,
  { deadlineMs = 20_000, pauseMs = 50 }: Patience,
): Promise<T> {
  const complaint = (answer: T): string =>
    `not within ${deadlineMs / 1000} s: ${what}; last seen: ${report(answer)}`
  return askUntil(ask, { satisfied, complaint, deadlineMs, pauseMs })
}
