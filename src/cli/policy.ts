import { Command, Option } from 'commander'
import type { Direction } from '../policy/rule.ts'
import type { Trial, TrialRoute } from '../policy/trial.ts'
import type { RpkiState } from '../policy/match/match.ts'
import type { Shell } from './shell.ts'

interface TestOptions {
  readonly policy: readonly string[]
  readonly prefix: string
  readonly asPath: string
  readonly community: readonly string[]
  readonly largeCommunity: readonly string[]
  readonly extendedCommunity: readonly string[]
  readonly nextHop?: string
  readonly origin: 'igp' | 'egp' | 'incomplete'
  readonly med?: string
  readonly localPref?: string
  readonly peer: string
  readonly group?: string
  readonly source: string
  readonly interface?: string
  readonly rpki: RpkiState
  readonly export?: true
  readonly json?: true
}

export const policyCommand = (shell: Shell): Command =>
  new Command('policy').description('Try policies.').addCommand(testCommand(shell))

const collect = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

const testCommand = (shell: Shell): Command =>
  new Command('test')
    .description('Run a route through policies of a configuration file, and print each step.')
    .argument('<file>', 'configuration file')
    .addOption(
      new Option('--policy <name>', 'policy to ask; several are asked in order')
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .requiredOption('--prefix <prefix>', 'destination of the route')
    .option('--as-path <path>', 'AS_PATH, such as "65001 65002"', '')
    .option('--community <community>', 'may be given again', collect, [])
    .option('--large-community <community>', 'may be given again', collect, [])
    .option('--extended-community <community>', 'may be given again', collect, [])
    .option('--next-hop <address>', 'next hop')
    .addOption(
      new Option('--origin <origin>', 'ORIGIN').choices(Object.keys(ORIGINS)).default('igp'),
    )
    .option('--med <number>', 'MULTI_EXIT_DISC')
    .option('--local-pref <number>', 'LOCAL_PREF')
    .option('--peer <name>', 'who sent it', 'peer')
    .option('--group <name>', "the peer's group")
    .option('--source <source>', 'peer, or one of our own prefix sources', 'peer')
    .option('--interface <name>', 'link of the session, or of our own prefix')
    .addOption(
      new Option('--rpki <state>', 'state of origin validation')
        .choices(['valid', 'invalid', 'notFound'])
        .default('notFound'),
    )
    .option('--export', 'as for export; default: for import')
    .option('--json', 'print JSON')
    .action((file: string, options: TestOptions) => runTest(shell, file, options))

const ORIGINS = { igp: 'IGP', egp: 'EGP', incomplete: 'incomplete' } as const

async function runTest(shell: Shell, file: string, options: TestOptions): Promise<void> {
  const { terminal } = shell
  const [{ loadConfig }, { formatComplaint }, { tryPolicies }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/complaint.ts'),
    import('../policy/trial.ts'),
  ])
  const wrong = (text: string): void => {
    terminal.complain(`${text}\n`)
    shell.exitCode = 2
  }
  const loaded = loadConfig(file, { variables: shell.env })
  if (!('config' in loaded)) return wrong(loaded.complaints.map(formatComplaint).join('\n'))
  const known = loaded.config.policies
  const standard = ['accept', 'reject', 'local']
  const policies = options.policy.map((name) =>
    standard.includes(name) ? { name, rules: [] } : known.find((it) => it.name === name),
  )
  const found = policies.filter((it) => it !== undefined)
  if (found.length < policies.length || found.length === 0) {
    const names = [...known.map(({ name }) => name), ...standard].join(', ')
    return wrong(`${file} has no such policy; write --policy with one of ${names}`)
  }
  const route = await routeOf(options)
  if (route === undefined) {
    return wrong(`${options.prefix} is no prefix; write one such as 10.0.0.0/8`)
  }
  const direction: Direction = options.export === true ? 'export' : 'import'
  try {
    const trial = tryPolicies(found, direction, route)
    if (!trial.verdict.accept) shell.exitCode = 1
    await terminal.print(options.json === true ? `${JSON.stringify(trial)}\n` : textOf(trial))
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    wrong(error.message)
  }
}

async function routeOf(options: TestOptions): Promise<TrialRoute | undefined> {
  const { parsePrefix } = await import('../net/prefix.ts')
  const prefix = parsePrefix(options.prefix)
  if (prefix === undefined) return undefined
  const { peer, group, source, interface: link, rpki, nextHop, med, localPref } = options
  const local = source !== 'peer'
  return {
    prefix,
    from: { local, name: local ? 'local' : peer, group, source, link },
    rpki,
    attributes: {
      origin: ORIGINS[options.origin],
      asPath: options.asPath,
      communities: options.community,
      largeCommunities: options.largeCommunity,
      extendedCommunities: options.extendedCommunity,
      ...(nextHop === undefined ? {} : { nextHop }),
      ...(med === undefined ? {} : { med: Number(med) }),
      ...(localPref === undefined ? {} : { localPref: Number(localPref) }),
    },
  }
}

function textOf({ steps, verdict, attributes, nextHopSelf }: Trial): string {
  const lines = steps.map(({ policy, rule, failed, sets, end }) => {
    const head = `policy ${policy} rule ${rule}: `
    if (failed !== undefined) return `${head}does not apply (${failed})`
    const changes = sets.length === 0 ? '' : `sets ${sets.join(', ')}; `
    return `${head}applies: ${changes}${end}`
  })
  lines.push(`${verdict.accept ? 'accepted' : 'rejected'}: ${verdict.reason}`)
  if (!verdict.accept) return `${lines.join('\n')}\n`
  const shown = { ...attributes, ...(nextHopSelf ? { nextHop: 'self' } : {}) }
  for (const [name, value] of Object.entries(shown)) {
    if (typeof value === 'string' || typeof value === 'number') lines.push(`  ${name}: ${value}`)
    else if (Array.isArray(value) && value.length > 0) lines.push(`  ${name}: ${value.join(' ')}`)
  }
  return `${lines.join('\n')}\n`
}
