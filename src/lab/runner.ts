/**
 * Does what the plan says, inside the box: runs `ip`, writes settings and files, starts daemons and
 * keeps hold of them. Also undoes and redoes single routers, for the proof.
 *
 * Steps of `ip` that follow each other in one namespace go to one process (`ip -batch -`).
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inNamespace } from '../linux/netns.ts'
import {
  describeExit,
  outputOf,
  runProcess,
  startProcess,
  type Child,
  type RunResult,
} from '../linux/process.ts'
import { writeSysctl } from '../linux/sysctl.ts'
import { stepsOf, type IpStep, type RunStep, type StartStep, type Step } from './plan.ts'

/** A step of the plan failed; the message says which and why. */
export class LabFailure extends Error {
  /** The last lines of logs that may tell more, each under its title. */
  readonly details: readonly string[]

  constructor(message: string, details: readonly string[] = []) {
    super(message)
    this.name = 'LabFailure'
    this.details = details
  }
}

interface Running {
  readonly step: StartStep
  readonly child: Child
}

export class LabRunner {
  readonly #plan: readonly Step[]
  readonly #running = new Map<string, Running>()

  constructor(plan: readonly Step[]) {
    this.#plan = plan
  }

  /** Builds the whole lab. */
  async raise(): Promise<void> {
    await this.#perform(this.#plan)
  }

  /** Ends the daemon of a router that speaks BGP, by default without warning. Returns its title. */
  async killSpeaker(node: string, signal: NodeJS.Signals = 'SIGKILL'): Promise<string> {
    this.#speakerOf(node).child.kill(signal)
    return await this.ended(node)
  }

  /** Waits until the daemon of a router that speaks BGP has ended by itself, as it was told to. Returns its title. */
  async ended(node: string): Promise<string> {
    const it = this.#speakerOf(node)
    await it.child.exited
    this.#running.delete(it.step.title)
    return it.step.title
  }

  /** Starts again what was killed on a node. */
  async restart(node: string): Promise<void> {
    const steps = stepsOf(this.#plan, node)
    await this.#perform(
      steps.filter((step) => step.do === 'start' && !this.#running.has(step.title)),
    )
  }

  /** Removes a router with its daemons, its links and its whole namespace. */
  async remove(node: string): Promise<void> {
    const ours = [...this.#running.values()].filter(({ step }) => step.within === node)
    for (const { step, child } of ours) {
      child.kill('SIGKILL')
      this.#running.delete(step.title)
    }
    await Promise.all(ours.map(({ child }) => child.exited))
    await outputOf('ip', ['netns', 'del', node])
  }

  /** Brings a removed router back. */
  async rebuild(node: string): Promise<void> {
    await this.#perform(stepsOf(this.#plan, node))
  }

  /** Does steps that are not in the plan: sabotage. */
  async perform(steps: readonly Step[]): Promise<void> {
    await this.#perform(steps)
  }

  /** Daemons that ended by themselves, in words; a lab in order has none. */
  deaths(): string[] {
    return [...this.#running.values()].flatMap(({ step, child }) =>
      child.exit === undefined ? [] : [`${step.title} ${describeExit(child.exit)}`],
    )
  }

  /** The end of each daemon's log; of those that died alone, if any did. */
  lastWords(lines = 12): string[] {
    const all = [...this.#running.values()]
    const dead = all.filter(({ child }) => child.exit !== undefined)
    return (dead.length > 0 ? dead : all).map(({ step }) => {
      const tail = tailOf(step.log, lines)
      return `--- ${step.title} (${step.log})\n${tail === '' ? '(nothing)' : tail}`
    })
  }

  #speakerOf(node: string): Running {
    const it = [...this.#running.values()].find(({ step }) => step.within === node && step.speaker)
    if (it === undefined) throw new LabFailure(`no daemon runs on ${node}`)
    return it
  }

  async #perform(steps: readonly Step[]): Promise<void> {
    for (let at = 0; at < steps.length;) {
      const step = steps[at]
      if (step.do === 'ip') {
        const batch = batchAt(steps, at)
        await this.#ip(batch)
        at += batch.length
        continue
      }
      await this.#one(step)
      at++
    }
  }

  async #ip(batch: readonly IpStep[]): Promise<void> {
    const [first] = batch
    if (first === undefined) return
    const input = batch.map((step) => `${step.args}\n`).join('')
    const run = (): Promise<RunResult> => runProcess('ip', ['-batch', '-'], { input })
    const result = await inNamespace(first.within, run)
    if (result.code === 0) return
    const line = Number(/Command failed -:(\d+)/.exec(result.stderr)?.[1] ?? 1)
    const where = first.within === '' ? '' : ` in ${first.within}`
    const words = result.stderr.replace(/\n?Command failed .*\n?/, '').trim()
    throw new LabFailure(`ip ${batch[line - 1]?.args ?? ''}${where}: ${words}`)
  }

  async #one(step: Exclude<Step, IpStep>): Promise<void> {
    if (step.do === 'sysctl') return inNamespace(step.within, () => setSysctl(step.key, step.value))
    if (step.do === 'write') {
      mkdirSync(dirname(step.path), { recursive: true })
      return writeFileSync(step.path, step.text)
    }
    if (step.do === 'await') return awaitPath(step.path)
    if (step.do === 'run') return runToEnd(step)
    if (step.do === 'nft') {
      const { rules } = step
      await inNamespace(step.within, () => outputOf('nft', ['-f', '-'], { input: rules }))
      return
    }
    const [program = '', ...args] = step.command
    mkdirSync(dirname(step.log), { recursive: true })
    const start = (): Promise<Child> => startProcess(program, args, { log: step.log })
    this.#running.set(step.title, { step, child: await inNamespace(step.within, start) })
  }
}

/** Docker on a busy machine takes its time. */
const RUN_MS = 60_000

async function runToEnd({ within, command }: RunStep): Promise<void> {
  const [program = '', ...args] = command
  const run = (): Promise<string> => outputOf(program, args, { deadlineMs: RUN_MS })
  try {
    await inNamespace(within, run)
  } catch (error) {
    throw new LabFailure(error instanceof Error ? error.message : String(error))
  }
}

function setSysctl(key: string, value: string): void {
  try {
    writeSysctl(key, value)
  } catch (error) {
    // A kernel without IPv6 has nothing to set.
    if (!key.startsWith('net.ipv6.')) throw error
  }
}

const AWAIT_MS = 5000

/** Whatever makes the file may have died: then the daemon that needs it will say so. */
async function awaitPath(path: string): Promise<void> {
  for (let waited = 0; !existsSync(path) && waited < AWAIT_MS; waited += 10) await sleep(10)
}

/** The steps of `ip` from `at` on that share a namespace. */
function batchAt(steps: readonly Step[], at: number): IpStep[] {
  const batch: IpStep[] = []
  for (const step of steps.slice(at)) {
    if (step.do !== 'ip' || step.within !== (batch[0] ?? step).within) break
    batch.push(step)
  }
  return batch
}

function tailOf(file: string, lines: number): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
  } catch {
    return '' // it never wrote anything
  }
}
