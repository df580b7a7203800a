/**
 * How fast is linnet, beside the daemons that a user would take instead? Each scenario runs a whole daemon in network
 * namespaces of its own; runs are interleaved, so that what the machine does besides hits all alike.
 *
 *   npm run bench -- [--scenario S1,S3] [--against bird,frr,gobgp,openbgpd] [--runs 3] [--profile internet]
 *                    [--seed 7] [--scale 1] [--report]
 *
 * For each figure the median is printed, with the least and the most; and the ratio of the first figure to that of each
 * peer. --scale makes tables smaller. --report puts the figures into docs/performance.md. The load generator is one process,
 * this one: `--scenario limit` says what it can do at most.
 */
import { parseArgs } from 'node:util'
import { inBox } from './ground.ts'
import { PROFILES } from './load/routes.ts'
import { SCENARIOS } from './scenarios/index.ts'
import type { Conditions, Figures, Scenario } from './scenarios/scenario.ts'
import { SUBJECTS } from './subjects/index.ts'
import { report } from './report.ts'
import type { Subject } from './subjects/subject.ts'
import { medianOf, table, type Series } from './series.ts'

/** What only linnet does, and what takes minutes, is asked for by name. */
const USUAL = SCENARIOS.map(({ name }) => name).filter(
  (it) => /^(S\d|idle)/.test(it) && it !== 'S8',
)

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: USUAL.join(',') },
    against: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    profile: { type: 'string', default: 'internet' },
    seed: { type: 'string', default: '7' },
    scale: { type: 'string', default: '1' },
    report: { type: 'boolean', default: false },
  },
})

const named = <T extends { readonly name: string }>(all: readonly T[], names: string): T[] =>
  names
    .split(',')
    .filter(Boolean)
    .map((name) => {
      const found = all.find((it) => it.name === name)
      if (found !== undefined) return found
      throw new Error(`there is no ${name}; write some of ${all.map((it) => it.name).join(',')}`)
    })

async function runSeries(scenario: Scenario, subjects: readonly Subject[]): Promise<Series> {
  const profile = PROFILES.find((it) => it === values.profile)
  if (profile === undefined) throw new Error(`there is no profile ${values.profile}`)
  const results: Record<string, Figures[]> = {}
  const failures: Record<string, string> = {}
  for (let run = 0; run < Number(values.runs); run++) {
    const conditions: Conditions = {
      ...{ seed: Number(values.seed) + run, profile, scale: Number(values.scale) },
    }
    for (const subject of subjects) {
      const cannot = subject.cannot?.[scenario.name.replace(/k$/, '')]
      if (cannot !== undefined || failures[subject.name] !== undefined) continue
      try {
        const figures = await scenario.run(subject, conditions)
        results[subject.name] = [...(results[subject.name] ?? []), figures]
      } catch (error) {
        failures[subject.name] = error instanceof Error ? error.message : String(error)
      }
    }
  }
  return { ...scenario, results, failures }
}

await inBox(async () => {
  const subjects = named(SUBJECTS, `linnet,${values.against}`)
  const all: Series[] = []
  for (const scenario of named(SCENARIOS, values.scenario)) {
    const series = await runSeries(scenario, subjects)
    all.push(series)
    process.stdout.write(`${table(series)}\n`)
  }
  if (values.report) report(all, Number(values.runs))
  const missed = all.filter(({ results }) => medianOf(results['linnet'] ?? []) === undefined)
  process.exitCode = missed.length > 0 ? 1 : 0
})
