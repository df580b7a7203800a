/**
 * What the first process of a box does: makes itself at home, raises the lab, waits until it is as
 * expected, proves it, and stays if it shall. When it ends, the kernel clears everything away.
 */
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { z } from 'zod'
import {
  furnishBox,
  mountCopy,
  mountEmpty,
  mountOver,
  openBoxChannel,
  type BoxChannel,
} from '../linux/box.ts'
import { ControlClient } from '../control/client.ts'
import { cgroupOf, endDockerLab, hasDocker } from './docker.ts'
import { gatherEvidence } from './evidence.ts'
import { labSources, waitUntilMet, type Sources } from './expect.ts'
import { measureFailover } from './failover.ts'
import { loadLab } from './load.ts'
import { encodePcap } from './pcap.ts'
import { planLab, socketOf } from './plan.ts'
import {
  failoverLines,
  pairTable,
  plain,
  proofLine,
  reasonsAgainst,
  spreadText,
  type Paint,
  type ProofResult,
} from './report.ts'
import { LabFailure, LabRunner } from './runner.ts'
import { SABOTAGES, planSabotage } from './sabotage.ts'
import { TOR_KINDS } from './schema.ts'
import { showStatus } from './screen.ts'
import { measureSpread } from './spread.ts'
import { containersIn, type Lab } from './topology.ts'
import { judgePair } from './verdict.ts'

/** Handed to the box on its command line. */
export const boxOrderSchema = z.object({
  mode: z.enum(['up', 'test']),
  /** Absolute. */
  file: z.string(),
  tor: z.enum(TOR_KINDS).optional(),
  sabotage: z.enum(SABOTAGES).optional(),
  failover: z.boolean(),
  stay: z.boolean(),
  json: z.boolean(),
  pcap: z.string().optional(),
  colour: z.boolean(),
  program: z.array(z.string()),
})
export type BoxOrder = z.output<typeof boxOrderSchema>

/** What the box tells its starter. */
export const boxMessageSchema = z.discriminatedUnion('tell', [
  z.object({ tell: z.literal('pid'), pid: z.int() }),
  z.object({ tell: z.literal('up'), ok: z.boolean() }),
])
export type BoxMessage = z.output<typeof boxMessageSchema>

/** Configurations, sockets and logs, in the box's own /run. */
export const LAB_DIRECTORY = '/run/lab'

export async function runInside(order: BoxOrder): Promise<number> {
  const { lab } = loadLab(order.file, { tor: order.tor })
  if (lab === undefined) return 2 // the starter has complained already
  const channel = openBoxChannel()
  const tell = (message: BoxMessage): void => channel.send(JSON.stringify(message))
  const pid = await furnishBox()
  tell({ tell: 'pid', pid })
  const end = hasDocker(lab) ? () => endDockerLab(pid) : () => {}
  process.once('exit', end)
  endWith(channel, order.mode)
  const show = new Display(order)
  try {
    await furnishForDaemons(lab, order.program)
    const { program } = order
    const options = { directory: LAB_DIRECTORY, program, cgroup: cgroupOf(pid) }
    const runner = new LabRunner(planLab(lab, options))
    const session: Session = { lab, order, runner, show, sources: labSources(LAB_DIRECTORY) }
    if (order.mode === 'test') return await test(session)
    const ok = await raise(session)
    tell({ tell: 'up', ok })
    await new Promise<never>(() => setInterval(() => {}, 1 << 30))
  } catch (error) {
    if (!(error instanceof Error)) throw error
    show.problem(error.message)
    if (error instanceof LabFailure) for (const it of error.details) show.problem(it)
    else if (process.env['LINNET_TRACE'] !== undefined) show.problem(error.stack ?? '')
    return 1
  }
  return 0
}

interface Session {
  readonly lab: Lab
  readonly order: BoxOrder
  readonly runner: LabRunner
  readonly sources: Sources
  readonly show: Display
}

/** Ctrl-C breaks a proof off; afterwards it only ends the status. */
let codeOnInterrupt = 130

/** An init ignores signals that it has no handler for; and a test lab ends with who asked for it. */
function endWith(channel: BoxChannel, mode: BoxOrder['mode']): void {
  process.on('SIGTERM', () => process.exit(143))
  process.on('SIGINT', () => process.exit(codeOnInterrupt))
  if (mode === 'test') channel.onGone(() => process.exit(1))
}

/** FRR's own directories go first: OpenBGPD has a `bgpd` too. */
const FRR_PATHS = ['/usr/lib/frr', '/usr/libexec/frr']
/** Where daemons are installed that an ordinary user's PATH leaves out. */
const SYSTEM_PATHS = ['/usr/sbin', '/sbin']

async function furnishForDaemons(lab: Lab, program: readonly string[]): Promise<void> {
  const bin = `${LAB_DIRECTORY}/bin`
  mkdirSync(bin, { recursive: true })
  // For `lab exec NODE -- linnet show peers`.
  const words = program.map((it) => `'${it.replaceAll("'", "'\\''")}'`).join(' ')
  writeFileSync(`${bin}/linnet`, `#!/bin/sh\nexec ${words} "$@"\n`, { mode: 0o755 })
  const known = (process.env['PATH'] ?? '/usr/bin:/bin').split(':')
  process.env['PATH'] = [bin, ...FRR_PATHS, ...known, ...SYSTEM_PATHS].join(':')
  if (hasDocker(lab)) {
    // Docker keeps a key in /etc/docker, and would read the settings of the machine's own.
    await mountCopy('/etc')
    mkdirSync('/etc/docker', { recursive: true })
    await mountEmpty('/etc/docker')
  }
  if (!lab.nodes.some((node) => node.kind === 'frr')) return
  // FRR looks for a group that, in a user namespace, only root can be in; and it writes to /var/tmp.
  const group = `${LAB_DIRECTORY}/group`
  copyFileSync('/etc/group', group)
  const others = readFileSync(group, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('frrvty:'))
  writeFileSync(group, [...others, 'frrvty:x:0:root', ''].join('\n'))
  await mountOver(group, '/etc/group')
  await mountEmpty('/var/tmp')
}

/** Builds the lab and waits for its expectations; tells how that went. */
async function raise({ lab, runner, sources, show }: Session): Promise<boolean> {
  const start = performance.now()
  show.progress('building namespaces, links and daemons')
  await runner.raise()
  show.line(`built in ${seconds(performance.now() - start)}`)
  show.progress('waiting until the routes are there')
  const dead = (): boolean => runner.deaths().length > 0
  const waited = await waitUntilMet(lab.expect, lab.within, sources, dead)
  if (waited.met) {
    show.line(`all as expected ${seconds(waited.milliseconds)} later`)
    return true
  }
  for (const it of runner.deaths()) show.problem(it)
  for (const it of runner.lastWords()) show.problem(it)
  show.problem(`not as expected after ${seconds(waited.milliseconds)}:`)
  for (const it of waited.words) show.problem(`  ${it}`)
  return false
}

async function test(session: Session): Promise<number> {
  const { lab, order, runner, sources, show } = session
  show.line(show.paint(`lab ${lab.name}: ${describeLab(lab)}`, 'bold'))
  if (!(await raise(session))) {
    show.problem('PROOF FAILED: the lab is not as expected')
    return 1
  }
  if (order.sabotage !== undefined) {
    const { deed, steps } = planSabotage(lab, order.sabotage)
    await runner.perform(steps)
    show.line(`sabotage: ${deed}`)
  }
  show.progress('asking each pair of containers')
  const { pairs: evidence, frames } = await gatherEvidence(lab)
  const pairs = evidence.map(judgePair)
  show.line('')
  for (const line of pairTable(pairs, show.paint)) show.line(line)
  show.line('')
  if (order.pcap !== undefined) {
    writeFileSync(order.pcap, encodePcap(frames))
    show.line(`${frames.length} frames captured: ${order.pcap}`)
  }
  const spreads = await measureSpread(lab)
  for (const it of spreads) show.line(`spread: ${spreadText(it)}`)
  let result: ProofResult = {
    pairs,
    spreads,
    failover: undefined,
    maxLossMs: lab.proof.maxLossMs,
    mishaps: [],
  }
  const sound = reasonsAgainst(result).length === 0
  const { fail, remove, restart, drain } = lab.proof
  const wanted = [fail, remove, restart, drain].some((it) => it !== undefined)
  if (sound && wanted && order.failover) {
    const { program } = order
    const progress = (text: string): void => show.progress(text)
    const stopGently = (node: string): Promise<unknown> =>
      new ControlClient(socketOf(LAB_DIRECTORY, node)).post('/v1/drain', { stop: 'true' })
    const world = { lab, runner, sources, program, progress, drain: stopGently }
    const failover = await measureFailover(world)
    for (const line of failoverLines(failover)) show.line(line)
    show.line('')
    result = { ...result, failover }
  }
  result = { ...result, mishaps: runner.deaths() }
  if (order.json) show.json({ lab: lab.name, ok: reasonsAgainst(result).length === 0, ...result })
  else show.result(proofLine(result, show.paint))
  const failed = reasonsAgainst(result).length > 0
  if (failed && result.mishaps.length > 0) for (const it of runner.lastWords()) show.problem(it)
  codeOnInterrupt = failed ? 1 : 0
  if (order.stay && process.stdout.isTTY) await stay(session, proofLine(result, show.paint))
  return failed ? 1 : 0
}

async function stay({ lab, runner, sources, order, show }: Session, proof: string): Promise<void> {
  if (lab.proof.remove !== undefined && !order.json && order.failover) {
    show.progress(`bringing ${lab.proof.remove} back`)
    await runner.rebuild(lab.proof.remove).catch(() => {}) // it was never removed: the proof failed before
    await waitUntilMet(lab.expect, 10, sources)
  }
  await showStatus(lab, LAB_DIRECTORY, sources, proof, show.paint)
}

function describeLab(lab: Lab): string {
  const tors = lab.nodes.filter((it) => it.isTor)
  const hosts = lab.nodes.filter((it) => it.containers.length > 0)
  const kind = tors[0]?.kind ?? ''
  return [
    ...(tors.length === 0 ? [] : [`${tors.length} ToR${tors.length === 1 ? '' : 's'} (${kind})`]),
    `${hosts.length} hosts`,
    `${containersIn(lab).length} containers`,
  ].join(', ')
}

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`

const LOOKS = { good: '32', bad: '31', dim: '2', bold: '1' } as const

/** Lines for people; with --json they go to standard error, and only the result to standard output. */
class Display {
  readonly paint: Paint
  readonly #json: boolean
  readonly #live: boolean

  constructor({ colour, json }: BoxOrder) {
    this.#json = json
    this.#live = colour && !json && process.stdout.isTTY
    this.paint = colour
      ? (text, look) => (text === '' ? '' : `\u001b[${LOOKS[look]}m${text}\u001b[0m`)
      : plain
  }

  /** What is going on; on a terminal the next line takes its place. */
  progress(text: string): void {
    if (this.#live) process.stdout.write(`\r\u001b[K${this.paint(`${text} ...`, 'dim')}`)
  }

  line(text: string): void {
    if (this.#json) process.stderr.write(`${text}\n`)
    else process.stdout.write(`${this.#live ? '\r\u001b[K' : ''}${text}\n`)
  }

  result(text: string): void {
    process.stdout.write(`${this.#live ? '\r\u001b[K' : ''}${text}\n`)
  }

  json(value: unknown): void {
    process.stdout.write(`${JSON.stringify(value, null, 2)}\n`)
  }

  problem(text: string): void {
    process.stderr.write(`${this.#live ? '\r\u001b[K' : ''}${text}\n`)
  }
}
