/**
 * How fast is linnet, beside the daemons that a user would take instead? Each scenario runs a whole daemon in network
 * namespaces of its own; runs are interleaved, so that what the machine does besides hits all alike.
 *
 *   npm run bench -- [--scenario S1,S3] [--against bird,frr,gobgp,openbgpd,fib] [--runs 3]
 *                    [--profile internet] [--seed 7] [--scale 1] [--report]
 *
 * For each figure the median is printed, with the least and the most; and the ratio of the first figure to that of each
 * peer. --scale makes tables smaller. Each run of a series has another seed, from one that is drawn or given, and all
 * daemons of a run have the same. `--scenario all` runs also those that take minutes. --report puts
 * the figures into docs/performance.md, scenario by scenario, and draws its plots anew; without a scenario
 * (`--scenario= --report`) it only does that. The load generator is one process,
 * this one: `--scenario limit` says what it can do at most. `fib` is no daemon but a C program that only writes to the
 * kernel; it takes part where the kernel is what is measured, and needs gcc.
 */
import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'
import { inBox } from './ground.ts'
import { PROFILES } from './load/routes.ts'
import { SCENARIOS } from './scenarios/index.ts'
import type { Conditions, Figures, Scenario, Yardstick } from './scenarios/scenario.ts'
import { SUBJECTS } from './subjects/index.ts'
import { report } from './report.ts'
import { medianOf, table, type Series } from './series.ts'

/** What only linnet does, and what takes minutes, is asked for by name. */
const USUAL = SCENARIOS.map(({ name }) => name).filter(
  (it) => /^(S\d|idle)/.test(it) && !/^S[89]/.test(it),
)

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: USUAL.join(',') },
    against: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    profile: { type: 'string', default: 'internet' },
    seed: { type: 'string', default: String(randomInt(1, 2 ** 30)) },
    scale: { type: 'string', default: '1' },
    report: { type: 'boolean', default: false },
  },
})

/** A scenario takes the seeds behind its own for peers, attributes and so on. */
const SEED_STEP = 10_007
const firstSeed = Number(values.seed)

const YARDSTICKS = SCENARIOS.flatMap(({ yardstick }) => yardstick?.name ?? [])

const listed = (names: string): string[] => names.split(',').filter(Boolean)

const named = <T extends { readonly name: string }>(
  all: readonly T[],
  names: readonly string[],
): T[] =>
  names.map((name) => {
    const found = all.find((it) => it.name === name)
    if (found !== undefined) return found
    throw new Error(`there is no ${name}; write some of ${all.map((it) => it.name).join(',')}`)
  })

async function runSeries(scenario: Scenario, runners: readonly Yardstick[]): Promise<Series> {
  const profile = PROFILES.find((it) => it === values.profile)
  if (profile === undefined) throw new Error(`there is no profile ${values.profile}`)
  const results: Record<string, Figures[]> = {}
  const failures: Record<string, string> = {}
  for (let run = 0; run < Number(values.runs); run++) {
    const conditions: Conditions = {
      ...{ seed: firstSeed + run * SEED_STEP, profile, scale: Number(values.scale) },
    }
    for (const { name, run } of runners) {
      if (failures[name] !== undefined) continue
      try {
        const figures = await run(conditions)
        results[name] = [...(results[name] ?? []), figures]
      } catch (error) {
        failures[name] = error instanceof Error ? error.message : String(error)
      }
    }
  }
  const { name, title, aims } = scenario
  return { name, title, ...(aims && { aims }), results, failures }
}

/** Who takes part in a scenario: the daemons, and its yardstick if that was asked for. */
function runnersOf(scenario: Scenario, against: readonly string[]): readonly Yardstick[] {
  const daemons = against.filter((it) => !YARDSTICKS.includes(it))
  const subjects = named(SUBJECTS, scenario.alone === true ? ['linnet'] : daemons)
  const runners = subjects.map((subject) => ({
    name: subject.name,
    run: (conditions: Conditions): Promise<Figures> => {
      const { noKernel } = subject
      if (scenario.kernel === true && noKernel !== undefined) throw new Error(noKernel)
      return scenario.run(subject, conditions)
    },
  }))
  const { yardstick } = scenario
  const asked = yardstick !== undefined && against.includes(yardstick.name)
  return asked ? [...runners, yardstick] : runners
}

/** What the page says of the runs. */
const conditionsText =
  `${values.runs} runs from seed ${firstSeed}` +
  (values.profile === 'internet' ? '' : `, profile ${values.profile}`) +
  (values.scale === '1' ? '' : `, tables of ${values.scale} times the size`)

await inBox(async () => {
  process.stdout.write(`--seed ${firstSeed} --profile ${values.profile}\n`)
  const against = ['linnet', ...listed(values.against)]
  const scenarios =
    values.scenario === 'all' ? SCENARIOS : named(SCENARIOS, listed(values.scenario))
  const all: Series[] = []
  for (const scenario of scenarios) {
    const series = await runSeries(scenario, runnersOf(scenario, against))
    all.push(series)
    process.stdout.write(`${table(series)}\n`)
    if (values.report) await report([series], conditionsText)
  }
  if (values.report && all.length === 0) await report([], '')
  const missed = all.filter(({ results }) => medianOf(results['linnet'] ?? []) === undefined)
  process.exitCode = missed.length > 0 ? 1 : 0
})
