import { Command } from 'commander'
import type { Diagnosis, Finding, Reach } from '../daemon/docker-doctor.ts'
import type { Prefix } from '../net/prefix.ts'
import type { Shell } from './shell.ts'
import type { Style } from './style.ts'
import type { Column } from './table.ts'

interface DockerOptions {
  readonly config?: string
  readonly pool: readonly string[]
  readonly dockerSocket?: string
  readonly rules?: readonly string[]
  readonly networks?: string
  readonly link: string
  readonly json?: true
}

export const doctorCommand = (shell: Shell): Command =>
  new Command('doctor')
    .description('Find what is in the way of containers.')
    .addCommand(dockerCommand(shell))

const collect = (text: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  text,
]

const dockerCommand = (shell: Shell): Command =>
  new Command('docker')
    .description(
      "Say who reaches the containers of this host from where, what is in the way, and what to do about it: Docker's networks held against the rules of the packet filter. Exit code 1: something is in the way.",
    )
    .option('-c, --config <file>', 'configuration file, for its nat.pools')
    .option(
      '--pool <prefix>',
      'where the containers of all hosts are; may be given again',
      collect,
      [],
    )
    .option('--docker-socket <path>', "Docker's socket; default: the usual one")
    .option(
      '--rules <files...>',
      'of another host instead: what iptables-save, ip6tables-save and `nft -j list ruleset` print there',
    )
    .option('--networks <file>', 'with --rules: what `docker network inspect` prints there')
    .option('--link <name>', 'with --rules: the link towards other hosts', 'eth0')
    .option('--json', 'print JSON')
    .action((options: DockerOptions) => examine(shell, options))

async function examine(shell: Shell, options: DockerOptions): Promise<void> {
  const wrong = (text: string): void => {
    shell.terminal.complain(`${text}\n`)
    shell.exitCode = 2
  }
  const asked = await whatIsAsked(shell, options)
  if (typeof asked === 'string') return wrong(asked)
  const { pools, protocol } = asked
  const doctor = await import('../daemon/docker-doctor.ts')
  const { rules, networks, link, dockerSocket } = options
  let diagnosis: Diagnosis
  try {
    if (rules === undefined) {
      diagnosis = await doctor.examineHost({ pools, protocol, dockerSocket })
    } else {
      if (networks === undefined) {
        return wrong('--rules needs --networks: the output of docker network inspect')
      }
      diagnosis = doctor.examineFiles({ pools, rules, networks, link })
    }
  } catch (error) {
    if (error instanceof doctor.DoctorError) return wrong(error.message)
    throw error
  }
  if (!diagnosis.healthy) shell.exitCode = 1
  await shell.terminal.print(
    options.json === true ? `${JSON.stringify(diagnosis)}\n` : await textOf(diagnosis, shell),
  )
}

/** RTPROT_* of our routes, unless a configuration says otherwise. */
const OUR_PROTOCOL = 179

/** Or what is wrong with it. */
async function whatIsAsked(
  shell: Shell,
  { config: file, pool }: DockerOptions,
): Promise<{ readonly pools: readonly Prefix[]; readonly protocol: number } | string> {
  const { parsePrefix } = await import('../net/prefix.ts')
  const bad = pool.find((text) => parsePrefix(text) === undefined)
  if (bad !== undefined) {
    return `${bad} is no prefix without host bits; write one such as 10.76.0.0/14`
  }
  const named = pool.flatMap((text) => parsePrefix(text) ?? [])
  if (file === undefined) return { pools: named, protocol: OUR_PROTOCOL }
  const [{ loadConfig }, { formatComplaint }] = await Promise.all([
    import('../config/load.ts'),
    import('../config/complaint.ts'),
  ])
  const loaded = loadConfig(file, { variables: shell.env })
  if (!('config' in loaded)) return loaded.complaints.map(formatComplaint).join('\n')
  const { nat, kernel } = loaded.config
  return { pools: named.length > 0 ? named : (nat?.pools ?? []), protocol: kernel.protocol }
}

const answer = (key: Asked): Pick<Column<Reach>, 'of' | 'style'> => ({
  of: (row) => (row[key] === 'none' ? '' : row[key]),
  style: (row) => styleOf(row, key),
})

type Asked = 'fromOtherHosts' | 'toOtherHosts' | 'fromOutside' | 'toOutside'

/** Only what should be otherwise is coloured: that nobody comes in from outside is as it should be. */
function styleOf(row: Reach, key: Asked): Style {
  if (!key.endsWith('OtherHosts') || row.internal) return 'plain'
  return row[key] === 'yes' ? 'good' : row[key] === 'none' ? 'plain' : 'bad'
}

const COLUMNS: readonly Column<Reach>[] = [
  { title: 'NETWORK', of: (row) => row.network },
  { title: 'SUBNET', of: (row) => row.subnet },
  { title: 'DRIVER', of: (row) => row.driver },
  { title: 'BRIDGE', of: (row) => row.bridge ?? '' },
  { title: 'FROM OTHER HOSTS', ...answer('fromOtherHosts') },
  { title: 'TO OTHER HOSTS', ...answer('toOtherHosts') },
  { title: 'FROM OUTSIDE', ...answer('fromOutside') },
  { title: 'TO OUTSIDE', ...answer('toOutside') },
]

async function textOf({ rows, findings, healthy }: Diagnosis, shell: Shell): Promise<string> {
  const { formatTable } = await import('./table.ts')
  const { colour } = shell.terminal
  let text = ''
  for await (const piece of formatTable(rows, { columns: COLUMNS }, { colour, now: 0 }))
    text += piece
  for (const it of findings) text += `\n${findingText(it)}`
  const end =
    'containers of all hosts reach each other by their own addresses, as far as this host is concerned'
  return healthy && rows.some(({ pooled }) => pooled) ? `${text}\n${end}\n` : text
}

function findingText({ severity, networks, text, rules, ...remedy }: Finding): string {
  const who = networks.length === 0 ? '' : `${networks.join(', ')}: `
  const lines = [`${severity === 'note' ? 'note: ' : ''}${who}${text}`]
  for (const rule of rules) lines.push(`    by   ${rule}`)
  const { command, setting, instead } = remedy
  if (command !== undefined) lines.push(`    fix  ${command}`)
  if (setting !== undefined) {
    const joint = command === undefined ? 'fix' : instead === true ? 'or ' : 'and'
    lines.push(`    ${joint}  ${setting}`)
  }
  return `${lines.join('\n')}\n`
}
