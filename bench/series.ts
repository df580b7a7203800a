/** The runs of a scenario, and what they come to. */
import type { Figures, Scenario } from './scenarios/scenario.ts'

export interface Series extends Pick<Scenario, 'name' | 'title' | 'aims'> {
  /** Of each daemon, run by run. */
  readonly results: Readonly<Record<string, readonly Figures[]>>
  /** Of those that came to nothing. */
  readonly failures: Readonly<Record<string, string>>
}

export interface Spread {
  readonly median: number
  readonly least: number
  readonly most: number
}

export function spreadOf(numbers: readonly number[]): Spread {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const median =
    sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  return { median, least: sorted[0], most: sorted[sorted.length - 1] }
}

/** What `share` of the numbers do not exceed. */
export function quantile(numbers: readonly number[], share: number): number {
  const sorted = numbers.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/** Of the first figure; undefined without a run. */
export function medianOf(runs: readonly Figures[]): number | undefined {
  const numbers = runs.map((it) => Object.values(it)[0])
  return numbers.length === 0 ? undefined : spreadOf(numbers).median
}

/** For people. */
export function table({ name, title, aims, results, failures }: Series): string {
  const own = medianOf(results['linnet'] ?? [])
  const lines = Object.entries(results).map(([daemon, runs]) => {
    const figures = Object.keys(runs[0]).map((figure) => {
      const { median, least, most } = spreadOf(runs.map((it) => it[figure]))
      return `${short(median)} (${short(least)}-${short(most)}) ${figure}`
    })
    const median = medianOf(runs)
    const ratio =
      own === undefined || median === undefined
        ? ''
        : (own / median).toFixed(own < median / 10 ? 3 : 2)
    const against = daemon === 'linnet' ? '' : `  linnet is ${ratio} of it`
    const goal = aims?.[daemon] === undefined ? '' : `, wanted ${aims[daemon]}`
    return `  ${daemon.padEnd(9)} ${figures.join('  ')}${against}${goal}`
  })
  const broken = Object.entries(failures).map(([daemon, why]) => `  ${daemon.padEnd(9)} ${why}`)
  return [`${name} ${title}`, ...lines, ...broken].join('\n')
}

const short = (value: number): string => (value < 10 ? value.toFixed(3) : value.toFixed(0))
