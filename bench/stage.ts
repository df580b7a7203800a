/**
 * A daemon on the ground of benches, with its peers connected: what every scenario begins with.
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { addAddresses } from './bfd-neighbors.ts'
import { freshDut, listening, peakMb, residentMb, cpuSeconds, sh, until } from './ground.ts'
import { BenchSpeaker, type SpeakerOptions } from './load/speaker.ts'
import { freshTally, hear, type Tally } from './load/tally.ts'
import type { Plan, Subject } from './subjects/subject.ts'

export const SUBJECT_ASN = 65_000
export const SUBJECT = '10.99.0.1'
const SUBJECT_6 = '2a0f:99::1'

/** Address of a peer: from 0. */
export const peerAddress = (i: number): string => `10.99.${(i + 2) >> 8}.${(i + 2) & 255}`
/** Its next hop, in bytes. */
export const peerNextHop = (i: number, family: 'ipv4' | 'ipv6'): Uint8Array =>
  family === 'ipv4'
    ? Uint8Array.from(peerAddress(i).split('.').map(Number))
    : Uint8Array.of(0x2a, 0x0f, 0, 0x99, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (i + 2) >> 8, (i + 2) & 255)

export interface Stage {
  readonly subject: Subject
  readonly folder: string
  readonly peers: readonly BenchSpeaker[]
  /** All its processes, those that it has forked too. */
  pids(): number[]
  /** That they have used up to now. */
  cpuSeconds(): number
  peakMb(): number
  /** Its memory as it is now. */
  residentMb(): number
  /** From its start until its sessions were up. */
  readonly startSeconds: number
  /** Ends it with SIGKILL, and starts it again. */
  restart(): Promise<void>
  /** The sessions are connected anew. */
  connect(): Promise<void>
}

/** How many sessions are opened at once: a daemon that is dialled by hundreds drops some. */
const DIALLED_AT_ONCE = 16
const START_SECONDS = 20
const MOST_ATTEMPTS = 200

export async function onStage<T>(
  subject: Subject,
  plan: Omit<Plan, 'asn' | 'address' | 'address6'>,
  work: (stage: Stage) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const whole = { ...plan, asn: SUBJECT_ASN, address: SUBJECT, address6: SUBJECT_6 }
  buildGround(plan)
  if (plan.bfd !== undefined) addAddresses(plan.bfd.count)
  let processes = subject.start(whole, folder)
  let peers: BenchSpeaker[] = []
  const pids = (): number[] => processes.flatMap(({ pid = 0 }) => [pid, ...descendants(pid)])
  const connect = async (): Promise<void> => {
    for (const it of peers) it.close()
    peers = []
    await until(() => pids().some(listening), START_SECONDS, 'listener')
    peers = await paced(plan.peers, ({ address, asn }) =>
      dial({ local: address, remote: SUBJECT, port: 179, families: plan.family, asn }),
    )
  }
  try {
    const begin = performance.now()
    await connect()
    const startSeconds = (performance.now() - begin) / 1000
    await seconds(0.5 + (subject.settleSeconds?.(peers.length) ?? 0))
    return await work({
      subject,
      folder,
      get peers() {
        return peers
      },
      pids,
      cpuSeconds: () => pids().reduce((sum, pid) => sum + cpuSeconds(pid), 0),
      peakMb: () => pids().reduce((sum, pid) => sum + peakMb(pid), 0),
      residentMb: () => pids().reduce((sum, pid) => sum + residentMb(pid), 0),
      startSeconds,
      restart: async () => {
        await kill(processes, pids())
        processes = subject.start(whole, folder)
      },
      connect,
    })
  } finally {
    for (const it of peers) it.close()
    // BIRD would take its routes out of the kernel one by one; the namespace goes anyway.
    await kill(processes, pids())
    rmSync(folder, { recursive: true })
  }
}

/** A session that is up. A daemon that has just begun to listen may not know its peers yet: then once more. */
async function dial(options: SpeakerOptions): Promise<BenchSpeaker> {
  for (let attempt = 1; ; attempt++) {
    const speaker = new BenchSpeaker(options)
    try {
      await speaker.established
      return speaker
    } catch (error) {
      speaker.close()
      if (attempt === MOST_ATTEMPTS) throw error
      await seconds(0.02)
    }
  }
}

/** Does `work` for each of `items`, some at once; the answers are in their order. */
async function paced<A, B>(items: readonly A[], work: (item: A) => Promise<B>): Promise<B[]> {
  const answers: B[] = []
  let next = 0
  const workers = Array.from({ length: DIALLED_AT_ONCE }, async () => {
    while (next < items.length) {
      const i = next++
      answers[i] = await work(items[i])
    }
  })
  await Promise.all(workers)
  return answers
}

/** The namespace, its link, and the addresses of its peers on our side. */
export function buildGround(plan: {
  readonly peers: readonly { readonly address: string }[]
  readonly family: Plan['family']
}): void {
  const here = plan.peers.map(({ address }) => `${address}/16`)
  freshDut([{ link: 'eth0', subject: `${SUBJECT}/16`, here }])
  sh('ip netns exec dut sysctl -qw net.ipv6.route.max_size=2147483647')
  if (plan.family === 'ipv4') return
  sh(`ip -n dut addr add ${SUBJECT_6}/64 dev eth0 nodad; ip addr add 2a0f:99::2/64 dev eth0 nodad`)
}

/** A profile is written by a process that ends in order. */
const SIGNAL = process.env['LINNET_NODE_FLAGS'] === undefined ? 'SIGKILL' : 'SIGTERM'

async function kill(processes: readonly ChildProcess[], pids: readonly number[]): Promise<void> {
  const ended = processes.map(
    (it) =>
      new Promise<void>((resolve) => {
        if (it.exitCode !== null || it.signalCode !== null) resolve()
        else it.once('exit', () => resolve())
      }),
  )
  for (const pid of pids) {
    try {
      process.kill(pid, SIGNAL)
    } catch {
      // It has ended with the one that had started it.
    }
  }
  await Promise.all(ended)
}

function descendants(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text
      .split(' ')
      .filter(Boolean)
      .flatMap((child) => [Number(child), ...descendants(Number(child))])
  } catch {
    return []
  }
}

export const seconds = (count: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, count * 1000))

/** Nothing may come for so long before what came is counted: counting would hold up what comes. */
const QUIET_MS = 150

/**
 * Waits until each of `speakers` has heard of `count` prefixes, and nothing else; returns what each has heard. The time
 * of the last is that of its arrival, not of its counting.
 */
export async function allHeard(
  speakers: readonly BenchSpeaker[],
  count: number,
  deadlineSeconds: number,
  tallies: readonly Tally[] = speakers.map(freshTally),
): Promise<readonly Tally[]> {
  const begin = performance.now()
  for (;;) {
    await seconds(0.02)
    const now = performance.now()
    const latest = Math.max(...speakers.map(({ lastHeard }) => lastHeard))
    if (now - latest < QUIET_MS && now - begin < deadlineSeconds * 1000) continue
    for (const [i, it] of speakers.entries()) {
      it.take((update, at) => hear(tallies[i], update, at))
    }
    if (tallies.every((it) => it.count >= count)) return tallies
    if (now - begin > deadlineSeconds * 1000) {
      const least = Math.min(...tallies.map((it) => it.count))
      throw new Error(`only ${least} of ${count} within ${deadlineSeconds} s`)
    }
  }
}
