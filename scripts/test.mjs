/**
 * `npm test`: every tier that this machine can run, and a loud word about the rest. One runs after the other,
 * except where `tiers.mjs` says that some go side by side: then what the others say comes when they have ended.
 *
 *   npm test                         all of them
 *   npm test -- --tier kernel        one; may be given several times
 *   npm test -- --tier unit address  what else is given goes to vitest, here to filter by file name
 *   npm test -- --update-counts      writes how many tests ran to test/counts.json
 *
 * A test that silently stops being run is worse than one that fails, so the number of tests per tier is
 * checked in and fewer is a failure. With CI=true, so is a tier that can't run. The last line is always
 * `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { boxed, obstacle, testFiles, TIERS } from './tiers.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const countsFile = join(root, 'test', 'counts.json')
const isCi = process.env.CI === 'true' || process.env.CI === '1'

const { values: options, positionals: vitestArguments } = parseArgs({
  allowPositionals: true,
  options: {
    tier: { type: 'string', multiple: true, default: [] },
    'update-counts': { type: 'boolean', default: false },
  },
})
process.exit(await main())

async function main() {
  const unknown = options.tier.filter((name) => !TIERS.some((tier) => tier.name === name))
  if (unknown.length > 0) {
    say(`No tier ${unknown.join(', ')}; there are ${TIERS.map((tier) => tier.name).join(', ')}.`)
    return 2
  }
  const chosen = TIERS.filter(
    (tier) => options.tier.length === 0 || options.tier.includes(tier.name),
  )
  const counts = JSON.parse(readFileSync(countsFile, 'utf8'))
  const outcomes = []
  const isBeside = (tier, other) => tier.beside === other.name
  for (const tier of chosen.filter((it) => !chosen.some((other) => isBeside(it, other)))) {
    const together = [tier, ...chosen.filter((it) => isBeside(it, tier))]
    const runs = together.map((it, i) => runTier(it, counts[it.name] ?? 0, i > 0))
    outcomes.push(...(await Promise.all(runs)))
  }
  if (options['update-counts']) updateCounts(counts, outcomes)
  return report(outcomes)
}

/** Runs one tier: what came of it, and what is wrong with it besides failed tests. `later`: says all at its end. */
async function runTier(tier, expected, later) {
  const outcome = { tier: tier.name, passed: 0, failed: 0, skipped: 0, ran: false, notes: [] }
  const reason = obstacle(tier)
  if (reason !== '') {
    outcome.skipped = expected
    outcome.notes.push(`SKIPPED: ${reason}`)
    return isCi ? complain(outcome, 'a tier may not be skipped with CI=true') : outcome
  }
  if (testFiles(join(root, 'test', tier.name)).length === 0) {
    outcome.notes.push('no tests yet')
    return expected === 0 ? outcome : complain(outcome, `${expected} tests are gone`)
  }
  say(`\n===== ${tier.name}${later ? `, beside ${tier.beside}: its results come later` : ''} =====`)
  Object.assign(outcome, await runVitest(tier, later), { ran: true })
  const filtered = vitestArguments.length > 0
  return filtered || options['update-counts'] ? outcome : compare(outcome, expected)
}

async function runVitest(tier, later) {
  const folder = mkdtempSync(join(tmpdir(), 'linnet-test-'))
  const results = join(folder, 'results.json')
  try {
    const vitest = [process.execPath, join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run']
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${results}`]
    // A filter may leave nothing of a tier; without one, an empty tier is a failure.
    const filter = vitestArguments.length > 0 ? ['--passWithNoTests', ...vitestArguments] : []
    const command = [...vitest, '--project', tier.name, ...reporters, ...filter]
    const [program, ...args] = tier.boxed === true ? boxed(command) : command
    const child = spawn(program, args, { cwd: root, stdio: later ? 'pipe' : 'inherit' })
    const heard = []
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', (it) => heard.push(it))
    const status = await new Promise((resolve, reject) => {
      child.once('error', reject).once('close', resolve)
    })
    if (later) process.stdout.write(`\n===== ${tier.name} =====\n${Buffer.concat(heard)}`)
    return countsOf(results, status)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Vitest's own count, and one failure for each thing that failed without being a test. */
function countsOf(results, status) {
  let json
  try {
    json = JSON.parse(readFileSync(results, 'utf8'))
  } catch {
    return {
      passed: 0,
      failed: 1,
      skipped: 0,
      notes: [`vitest ended with ${status} and no results`],
    }
  }
  const broken = json.testResults.filter(
    (file) =>
      file.status === 'failed' && !file.assertionResults.some((it) => it.status === 'failed'),
  )
  const notes = broken.map((file) => `${file.name.slice(root.length)}: the file itself failed`)
  const failed = json.numFailedTests + broken.length
  if (status !== 0 && failed === 0)
    notes.push(`vitest ended with ${status}: an error outside of the tests`)
  return {
    passed: json.numPassedTests,
    failed: status !== 0 && failed === 0 ? 1 : failed,
    skipped: json.numPendingTests + json.numTodoTests,
    notes,
  }
}

/** Holds the tests that ran against the number that is checked in; skipped ones did not run. */
function compare(outcome, expected) {
  const ran = outcome.passed + outcome.failed
  if (ran < expected)
    return complain(outcome, `${ran} tests ran, ${expected} are expected (test/counts.json)`)
  if (ran > expected)
    outcome.notes.push(
      `${ran - expected} more tests than test/counts.json says: npm test -- --update-counts`,
    )
  return outcome
}

function complain(outcome, note) {
  outcome.notes.push(note)
  outcome.failed += 1
  return outcome
}

function updateCounts(counts, outcomes) {
  for (const { tier, ran, passed, failed } of outcomes) if (ran) counts[tier] = passed + failed
  const rows = TIERS.map(({ name }) => [name, counts[name] ?? 0])
  writeFileSync(countsFile, `${JSON.stringify(Object.fromEntries(rows), null, 2)}\n`)
}

function report(outcomes) {
  const sum = (key) => outcomes.reduce((total, outcome) => total + outcome[key], 0)
  say('')
  for (const { tier, passed, failed, skipped, notes } of outcomes) {
    say(`${tier.padEnd(8)} ${passed} passed, ${failed} failed, ${skipped} skipped`)
    for (const note of notes) say(`         ${note}`)
  }
  const nothingMatched =
    vitestArguments.length > 0 && sum('passed') + sum('failed') + sum('skipped') === 0
  if (nothingMatched) say(`No test matches ${vitestArguments.join(' ')}.`)
  say(`\n${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
  return sum('failed') > 0 || nothingMatched ? 1 : 0
}

function say(line) {
  process.stdout.write(`${line}\n`)
}
