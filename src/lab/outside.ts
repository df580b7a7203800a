/**
 * The commands as the user's shell sees them: start a box for a lab and wait for it, find a lab that
 * runs, enter it, end it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { resolve } from 'node:path'
import { formatComplaint, isError } from '../config/complaint.ts'
import { boxRefusal, enterCommand, startBox } from '../linux/box.ts'
import { ProcessError, runProcess, startProcess, exitCodeOf } from '../linux/process.ts'
import {
  dockerSocketOf,
  forgetDockerLab,
  hasDocker,
  isDockerHost,
  sweepDockerLabs,
} from './docker.ts'
import { LAB_DIRECTORY, boxMessageSchema, type BoxOrder } from './inside.ts'
import { loadLab } from './load.ts'
import { socketOf } from './plan.ts'
import { LabStates, isRunning, startTimeOf, stateDirectory, type LabState } from './state.ts'
import { containersIn, type Lab } from './topology.ts'

/** Something that stops a command before it does anything; `exitCode` as documented. */
export class LabProblem extends Error {
  readonly remedy: string
  readonly exitCode: number

  constructor(message: string, remedy: string, exitCode = 1) {
    super(message)
    this.name = 'LabProblem'
    this.remedy = remedy
    this.exitCode = exitCode
  }
}

export type StartOrder = Omit<BoxOrder, 'file' | 'program'> & { readonly file: string }

/** Runs a lab to its end (`test`), or until it is up (`up`); returns the exit code. */
export async function startLab(order: StartOrder): Promise<number> {
  const file = resolve(order.file)
  const { lab, complaints } = loadLab(order.file, { tor: order.tor })
  for (const it of complaints) process.stderr.write(`${formatComplaint(it)}\n`)
  if (lab === undefined || complaints.some(isError)) return 2
  const asRoot = isRoot()
  requireRootForDocker(lab, asRoot)
  await requireTools(lab, order)
  await requireBox(asRoot)
  const states = labStates()
  const state = claim(states, lab, file, asRoot)
  if (hasDocker(lab)) sweepDockerLabs()
  const detached = order.mode === 'up'
  let up: { readonly ok: boolean } | undefined
  let isUp: () => void = () => {}
  const raised = new Promise<void>((done) => (isUp = done))
  // The box lives in the foreground process group: Ctrl-C reaches it too, and we wait for its end.
  const ignore = (): void => {}
  process.on('SIGINT', ignore)
  let boxPid: number | undefined
  const endBox = (): void => {
    if (boxPid !== undefined) process.kill(boxPid, 'SIGKILL')
  }
  process.on('SIGTERM', endBox)
  try {
    const program = linnetProgram()
    const box = await startBox({
      command: [...program, 'lab', 'box', JSON.stringify({ ...order, file, program })],
      asRoot,
      detached,
      onMessage(text) {
        const message = boxMessageSchema.parse(JSON.parse(text))
        if (message.tell === 'pid') {
          boxPid = message.pid
          states.update({ ...state, pid: message.pid, startTime: startTimeOf(message.pid) ?? '' })
          return
        }
        up = message
        isUp()
      },
    })
    const exit = await Promise.race([box.exited, raised])
    if (exit !== undefined) {
      if (hasDocker(lab) && boxPid !== undefined) await forgetDockerLab(boxPid)
      states.release(lab.name)
      return exitCodeOf(exit)
    }
    box.release()
    const words = up?.ok === true ? 'is up' : 'is up, but not as expected'
    process.stdout.write(`lab ${lab.name} ${words}; end it with: linnet lab down ${lab.name}\n`)
    return up?.ok === true ? 0 : 1
  } catch (error) {
    states.release(lab.name)
    throw error
  } finally {
    process.off('SIGINT', ignore)
    process.off('SIGTERM', endBox)
  }
}

/** Ends a lab: kills its first process, and with it all the rest. */
export async function endLab(which: string): Promise<string> {
  const states = labStates()
  const state = labFor(states, which)
  process.kill(state.pid, 'SIGKILL')
  for (let waited = 0; isRunning(state) && waited < 5000; waited += 20) await sleep(20)
  await forgetDockerLab(state.pid)
  states.release(state.name)
  return state.name
}

export const runningLabs = (): readonly LabState[] => labStates().list()

/** Runs a command in a node or container of a lab; returns its exit code. */
export async function execInLab(
  which: string | undefined,
  namespace: string,
  command: readonly string[],
): Promise<number> {
  const states = labStates()
  const state = which === undefined ? onlyLab(states) : labFor(states, which)
  if (!state.namespaces.includes(namespace)) {
    const known = state.namespaces.join(', ')
    throw new LabProblem(`lab ${state.name} has no ${namespace}`, `name one of ${known}`, 2)
  }
  const wrapped = enterCommand(state.pid, state.asRoot, namespace, command)
  const [program = '', ...args] = wrapped
  const paths = [`${LAB_DIRECTORY}/bin`, process.env['PATH'] ?? '/usr/bin:/bin', '/usr/sbin:/sbin']
  const [node = ''] = namespace.split('.')
  const env = {
    PATH: paths.join(':'),
    LINNET_SOCKET: socketOf(LAB_DIRECTORY, namespace),
    DOCKER_HOST: `unix://${dockerSocketOf(LAB_DIRECTORY, node)}`,
  }
  const child = await startProcess(program, args, { interactive: true, env })
  return exitCodeOf(await child.exited)
}

/** The lab that `word` names, by its name or by its file, when one of them runs. */
export function labNamed(word: string): LabState | undefined {
  const file = resolve(word)
  return labStates()
    .list()
    .find((it) => it.name === word || it.file === file)
}

function labFor(states: LabStates, which: string): LabState {
  const found = labNamed(which)
  if (found !== undefined) return found
  const names = states.list().map((it) => it.name)
  const remedy = names.length === 0 ? 'none runs' : `running: ${names.join(', ')}`
  throw new LabProblem(`lab ${which} does not run`, remedy)
}

function onlyLab(states: LabStates): LabState {
  const [only, ...others] = states.list()
  if (only === undefined) throw new LabProblem('no lab runs', 'start one: linnet lab up FILE')
  if (others.length === 0) return only
  const names = [only, ...others].map((it) => it.name).join(', ')
  throw new LabProblem('several labs run', `name one: ${names}`, 2)
}

function claim(states: LabStates, lab: Lab, file: string, asRoot: boolean): LabState {
  const state: LabState = {
    name: lab.name,
    file,
    pid: process.pid,
    startTime: startTimeOf(process.pid) ?? '',
    asRoot,
    since: new Date().toISOString(),
    namespaces: [...lab.nodes.map((it) => it.name), ...containersIn(lab).map((it) => it.name)],
  }
  const other = states.claim(state)
  if (other === undefined) return state
  const remedy = `end it: linnet lab down ${lab.name}`
  throw new LabProblem(`lab ${lab.name} runs already (process ${other.pid})`, remedy)
}

/** Programs that a lab needs, and the Debian packages that have them. */
const PACKAGES: Readonly<Record<string, string>> = {
  unshare: 'util-linux',
  nsenter: 'util-linux',
  mount: 'mount',
  ip: 'iproute2',
  nft: 'nftables',
  bird: 'bird2',
  zebra: 'frr',
  dockerd: 'docker.io',
  docker: 'docker.io',
  busybox: 'busybox-static',
}

/** dockerd asks for more than a user namespace gives. */
function requireRootForDocker(lab: Lab, asRoot: boolean): void {
  const host = lab.nodes.find(isDockerHost)
  if (host === undefined || asRoot) return
  throw new LabProblem(
    `${host.name} has a Docker engine (runtime: docker), which needs root`,
    `run it as root: ${asRootCommand()}`,
  )
}

async function requireTools(lab: Lab, order: StartOrder): Promise<void> {
  const kinds = new Set(lab.nodes.map((it) => it.kind))
  const tools = ['unshare', 'nsenter', 'mount', 'ip']
  if (order.sabotage === 'nat' || order.sabotage === 'ttl') tools.push('nft')
  if (kinds.has('bird')) tools.push('bird')
  if (kinds.has('frr')) tools.push('zebra')
  if (hasDocker(lab)) tools.push('dockerd', 'docker', 'busybox')
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:/usr/lib/frr:/usr/libexec/frr`
  const missing: string[] = []
  for (const tool of tools) {
    const found = await runProcess('sh', ['-c', `command -v ${tool}`], { env: { PATH: path } })
    if (found.code !== 0) missing.push(tool)
  }
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((it) => PACKAGES[it] ?? it))].join(' ')
  throw new LabProblem(
    `this lab needs ${missing.join(', ')}, which is not installed`,
    `install it: apt install ${packages}`,
  )
}

async function requireBox(asRoot: boolean): Promise<void> {
  let refusal
  try {
    refusal = await boxRefusal(asRoot)
  } catch (error) {
    if (!(error instanceof ProcessError)) throw error
    throw new LabProblem(error.message, 'install it: apt install util-linux')
  }
  if (refusal === undefined) return
  const { reason, setting } = refusal
  if (asRoot) throw new LabProblem(reason, 'run it outside of this container')
  const allow = setting === undefined ? '' : `, or allow it once as root: ${setting}`
  throw new LabProblem(reason, `run it as root: ${asRootCommand()}${allow}`)
}

const asRootCommand = (): string => `sudo ${[process.execPath, ...process.argv.slice(1)].join(' ')}`

const isRoot = (): boolean => process.getuid?.() === 0

const labStates = (): LabStates =>
  new LabStates(stateDirectory(process.getuid?.() ?? 0, process.env))

/** Node and the program that we are. */
function linnetProgram(): string[] {
  const script = process.argv[1]
  if (script === undefined) throw new Error('linnet does not know its own file')
  return [process.execPath, resolve(script)]
}
