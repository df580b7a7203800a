/** How far the fuzzers go, and from where. */

/** All properties of the two files that play to a speaker together. `npm run soak`: 100,000. */
export const CASES = Number(process.env['FUZZ_CASES'] ?? 5000)

/** Always the same for `npm test`; another one each time for more, and always printed. */
export const SEED = Number(
  process.env['FUZZ_SEED'] ?? (process.env['FUZZ_CASES'] === undefined ? 7606 : Date.now() >>> 0),
)

/** Some 10 ms a case, on a machine that has other things to do. */
export const TIMEOUT_MS = 60_000 + CASES * 10

/** A line of the report. */
export function note(what: string, how: string | number): void {
  process.stdout.write(`fuzz (seed ${SEED}): ${what}: ${how}\n`)
}
