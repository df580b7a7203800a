/** `linnet lab`: build, prove and take down labs of network namespaces. See docs/lab.md. */
import { isatty } from 'node:tty'
import { Command, Option } from 'commander'
import type { TorKind } from '../lab/schema.ts'
import type { Sabotage } from '../lab/sabotage.ts'
import type { StartOrder } from '../lab/outside.ts'
import { wantsColour } from './shell.ts'

interface LabOptions {
  readonly tor?: TorKind
  readonly sabotage?: Sabotage
  readonly stay?: true
  readonly failover?: boolean
  readonly json?: true
  readonly pcap?: string
}

const FILE = ['<file>', 'lab file, such as config/lab/two-tor.yaml'] as const
const LAB = ['<lab>', 'name of a running lab, or its file'] as const

const torOption = (): Option =>
  new Option(
    '--tor <kind>',
    'what runs on the ToRs; default: what the file says, else linnet',
  ).choices(['linnet', 'frr', 'bird'])

export function labCommand(): Command {
  return new Command('lab')
    .description('Build, test and take down labs of network namespaces.')
    .enablePositionalOptions()
    .addCommand(upCommand())
    .addCommand(testCommand())
    .addCommand(downCommand())
    .addCommand(execCommand())
    .addCommand(listCommand())
    .addCommand(boxCommand(), { hidden: true })
    .addCommand(trafficCommand(), { hidden: true })
}

const upCommand = (): Command =>
  new Command('up')
    .description('Build a lab and leave it running; `down` ends it.')
    .argument(...FILE)
    .addOption(torOption())
    .action((file: string, options: LabOptions) => start('up', file, options))

const testCommand = (): Command =>
  new Command('test')
    .description('Build a lab, prove that containers reach each other untouched, take it down.')
    .argument(...FILE)
    .addOption(torOption())
    .addOption(
      new Option('--sabotage <deed>', 'break the lab on purpose: the proof must fail').choices([
        'nat',
        'encap',
        'blackhole',
        'ttl',
      ]),
    )
    .option('--stay', 'stay up afterwards with a live status, until Ctrl-C (on a terminal)')
    .option('--no-failover', 'prove the pairs only, without failures under load')
    .option('--pcap <file>', 'write what was captured, for tcpdump or Wireshark')
    .option('--json', 'the result as JSON')
    .action((file: string, options: LabOptions) => start('test', file, options))

const downCommand = (): Command =>
  new Command('down')
    .description('End a lab; nothing of it stays.')
    .argument(...LAB)
    .action((which: string) =>
      guarded(async () => {
        const { endLab } = await import('../lab/outside.ts')
        process.stdout.write(`lab ${await endLab(which)} is down\n`)
        return 0
      }),
    )

const execCommand = (): Command =>
  new Command('exec')
    .description('Run a command in a node (host1) or container (host1.c1) of a running lab.')
    .argument('<words...>', 'the lab unless only one runs, the node, and after -- the command')
    .usage('[lab] <node> -- [command...]')
    .passThroughOptions()
    .action((all: readonly string[]) =>
      guarded(async () => {
        const { execInLab, labNamed } = await import('../lab/outside.ts')
        const [first = '', ...rest] = all
        const lab = labNamed(first) === undefined ? undefined : first
        const [node, ...after] = lab === undefined ? [first, ...rest] : rest
        const words = after[0] === '--' ? after.slice(1) : after
        const shell = words.length === 0 ? [process.env['SHELL'] ?? '/bin/sh'] : words
        return execInLab(lab, node ?? '', shell)
      }),
    )

const listCommand = (): Command =>
  new Command('list')
    .description('Say which labs run.')
    .argument('[file]', 'only the lab of this file or name')
    .option('--json', 'as JSON')
    .action((which: string | undefined, options: { readonly json?: true }) =>
      guarded(async () => {
        const { labNamed, runningLabs } = await import('../lab/outside.ts')
        const named = which === undefined ? undefined : labNamed(which)
        const labs = which === undefined ? runningLabs() : named === undefined ? [] : [named]
        if (options.json) process.stdout.write(`${JSON.stringify(labs, null, 2)}\n`)
        else if (which !== undefined && labs.length === 0)
          process.stdout.write(`lab ${which} does not run\n`)
        else if (labs.length === 0) process.stdout.write('no lab runs\n')
        else {
          for (const { name, pid, since, file, namespaces } of labs) {
            process.stdout.write(`${name}  process ${pid}  since ${since}  ${file}\n`)
            process.stdout.write(`  ${namespaces.join(' ')}\n`)
          }
        }
        return which !== undefined && labs.length === 0 ? 1 : 0
      }),
    )

/** The first process of a box: started by `up` and `test`, never by hand. */
const boxCommand = (): Command =>
  new Command('box').argument('<order>').action(async (text: string) => {
    const { boxOrderSchema, runInside } = await import('../lab/inside.ts')
    process.exit(await runInside(boxOrderSchema.parse(JSON.parse(text))))
  })

/** The load of the proof, in a process of its own. */
const trafficCommand = (): Command =>
  new Command('traffic').argument('<order>').action(async (text: string) => {
    const { runTraffic, trafficOrderSchema } = await import('../lab/traffic.ts')
    let stopped = false
    process.once('SIGTERM', () => (stopped = true))
    const report = await runTraffic(
      trafficOrderSchema.parse(JSON.parse(text)),
      () => stopped,
      () => process.stdout.write('started\n'),
    )
    process.stdout.write(`${JSON.stringify(report)}\n`)
  })

const start = (mode: 'up' | 'test', file: string, options: LabOptions): Promise<void> =>
  guarded(async () => {
    const { startLab } = await import('../lab/outside.ts')
    const order: StartOrder = {
      mode,
      file,
      ...(options.tor === undefined ? {} : { tor: options.tor }),
      ...(options.sabotage === undefined ? {} : { sabotage: options.sabotage }),
      ...(options.pcap === undefined ? {} : { pcap: await absolute(options.pcap) }),
      failover: options.failover !== false,
      stay: options.stay === true,
      json: options.json === true,
      colour: wantsColour(isatty(1), process.env),
    }
    return startLab(order)
  })

async function absolute(path: string): Promise<string> {
  const { resolve } = await import('node:path')
  return resolve(path)
}

/** Sets the exit code; says what stops the command, with its remedy. */
async function guarded(work: () => Promise<number>): Promise<void> {
  try {
    const code = await work()
    if (code !== 0) process.exitCode = code
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'LabProblem') throw error
    const remedy = 'remedy' in error ? `; ${String(error.remedy)}` : ''
    process.stderr.write(`linnet: ${error.message}${remedy}\n`)
    process.exitCode = 'exitCode' in error ? Number(error.exitCode) : 1
  }
}
