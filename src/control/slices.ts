/**
 * Writing a long answer without stalling the sessions: rows are turned into text for about 2 ms, handed
 * over as one chunk, and the event loop gets a full turn before the next. The reader's back-pressure
 * works by itself, because nobody pulls the generator while the socket is full.
 */
import { setImmediate as nextTurn } from 'node:timers/promises'

/** How a slice ends, for tests to own. */
export interface Pace {
  /** Milliseconds, monotonic. */
  now(): number
  /** Lets the event loop turn once. */
  pause(): Promise<unknown>
}

export const REAL_PACE: Pace = { now: () => performance.now(), pause: () => nextTurn() }

/** Milliseconds of work per turn (DESIGN: 2 ms for all stages together), and characters per chunk. */
const BUDGET_MS = 2
const CHUNK_CHARACTERS = 64 * 1024
/** Rows between two looks at the clock: a row takes some 2 us. */
const ROWS_PER_LOOK = 64

export type RowFormat = 'json' | 'ndjson'

/**
 * The text of `rows` in chunks: a JSON array with one row per line, or one row per line without the
 * array (NDJSON). A row that can't be made ends the text with the iterator's own error.
 */
export async function* sliced(
  rows: Iterable<unknown>,
  format: RowFormat,
  pace: Pace = REAL_PACE,
): AsyncGenerator<string> {
  const array = format === 'json'
  let chunk = array ? '[' : ''
  let count = 0
  let sliceEnds = pace.now() + BUDGET_MS
  for (const row of rows) {
    if (array) chunk += count === 0 ? '\n' : ',\n'
    chunk += JSON.stringify(row)
    if (!array) chunk += '\n'
    count++
    if (count % ROWS_PER_LOOK !== 0 && chunk.length < CHUNK_CHARACTERS) continue
    if (pace.now() >= sliceEnds) {
      await pace.pause()
      sliceEnds = pace.now() + BUDGET_MS
    }
    if (chunk.length < CHUNK_CHARACTERS) continue
    yield chunk
    chunk = ''
  }
  yield array ? (count === 0 ? '[]\n' : `${chunk}\n]\n`) : chunk
}

/** The first `limit` rows; ends the source early. */
export function* firstOf<Row>(rows: Iterable<Row>, limit: number): Generator<Row> {
  let left = limit
  if (left <= 0) return
  for (const row of rows) {
    yield row
    if (--left === 0) return
  }
}
