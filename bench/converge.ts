/**
 * Convergence of a whole daemon: one eBGP peer sends, another receives; how long until the last prefix is
 * there, and how much memory did it take? Runs in a network namespace of its own:
 *
 *   npm run bench -- [--prefixes 1000000] [--against bird] [--kernel] [--terms 20] [--clients 50] [--change]
 *
 * With --kernel the clock stops when the kernel has all prefixes, and nobody receives them. --terms gives the
 * sender an import policy of so many rules that look at the prefix, of which none fits. --clients makes it a route
 * reflector: a client sends, and so many others receive; the clock stops when the last has all. --change changes the
 * import policy of the sender afterwards, so that each kept route gets another community: the time from the reload
 * until all were sent again, and the longest that the control API took to answer meanwhile (asked every 10 ms).
 */
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { feed } from './feed.ts'
import {
  cpuSeconds,
  freshDut,
  inBox,
  inDut,
  kernelRoutes,
  listening,
  peakMb,
  until,
} from './ground.ts'
import { BenchSpeaker } from './speaker.ts'

const { values } = parseArgs({
  options: {
    prefixes: { type: 'string', default: '1000000' },
    against: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
    profile: { type: 'boolean', default: false },
    kernel: { type: 'boolean', default: false },
    terms: { type: 'string', default: '0' },
    clients: { type: 'string', default: '0' },
    change: { type: 'boolean', default: false },
  },
})
const PREFIXES = Number(values.prefixes)
const SUBJECT = '10.99.0.1'
const SENDER = '10.99.0.2'
const CLIENTS = Number(values.clients)
const RECEIVERS = Array.from({ length: Math.max(1, CLIENTS) }, (_, i) => `10.99.0.${3 + i}`)
const SUBJECT_ASN = 65_000
/** Of a route reflector all are internal. */
const asnOf = (address: string): number =>
  CLIENTS > 0 ? SUBJECT_ASN : address === SENDER ? 65_001 : 65_002
/** Prefixes that nobody announces: 10/8 is not in the feed. */
const TERMS = Array.from({ length: Number(values.terms) }, (_, i) => `10.${i}.0.0/16`)
const ROOT = join(import.meta.dirname, '../../..')

interface Result {
  readonly seconds: number
  readonly peakMb: number
  readonly cpuSeconds: number
  /** What a policy change cost afterwards. */
  readonly change?: { readonly seconds: number; readonly longestAnswerMs: number } | undefined
}

function startSubject(kind: string, folder: string): ChildProcess {
  const peers = [SENDER, ...RECEIVERS]
  if (kind === 'bird') {
    writeFileSync(join(folder, 'bird.conf'), birdConfig(peers))
    return inDut('bird', ['-f', '-c', join(folder, 'bird.conf'), '-s', join(folder, 'bird.ctl')])
  }
  writeFileSync(join(folder, 'linnet.yaml'), linnetConfig(peers, folder))
  const flags = values.profile
    ? ['--cpu-prof', `--cpu-prof-dir=${join(tmpdir(), 'linnet-prof')}`]
    : []
  return inDut(process.execPath, [
    ...flags,
    join(ROOT, 'dist/main.js'),
    'run',
    '-c',
    join(folder, 'linnet.yaml'),
  ])
}

function birdConfig(peers: readonly string[]): string {
  const terms = TERMS.map((it) => `if net ~ [ ${it}+ ] then reject;`).join(' ')
  const client = CLIENTS > 0 ? 'rr client;' : ''
  const peer = (address: string, i: number): string =>
    `protocol bgp p${i} { local ${SUBJECT} as ${SUBJECT_ASN}; neighbor ${address} as ${asnOf(address)}; passive on; ${client} ipv4 { import ${address === SENDER && terms !== '' ? 'filter terms' : 'all'}; export all; }; }`
  const kernel = 'protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }'
  return `router id ${SUBJECT};
filter terms { ${terms} accept; }
protocol device {}
protocol direct { ipv4; interface "eth0"; }
${values.kernel ? kernel : ''}
${peers.map(peer).join('\n')}
`
}

function linnetConfig(peers: readonly string[], folder: string, community?: string): string {
  const client = CLIENTS > 0 ? ', routeReflectorClient: true' : ', multihop: 4'
  const peer = (address: string): string => {
    const policy = address === SENDER && (TERMS.length > 0 || values.change) ? 'terms' : 'accept'
    return `  - { address: ${address}, asn: ${asnOf(address)}, passive: true, localAddress: ${SUBJECT}, import: ${policy}, export: accept, families: [ipv4]${client} }`
  }
  const terms = TERMS.map((it) => `    - { match: { prefix: ["${it} le 32"] }, then: reject }\n`)
  const mark = community === undefined ? '' : `set: { community: { add: ["${community}"] } }, `
  return `asn: ${SUBJECT_ASN}
routerId: ${SUBJECT}
listen: [{ address: 0.0.0.0, port: 179 }]
peers:
${peers.map(peer).join('\n')}
policies:
  terms:
${terms.join('')}    - { ${mark}then: accept }
kernel: { install: ${values.kernel} }
api: { socket: ${join(folder, 'sock')} }
log: { level: warn, format: json }
`
}

function buildDut(): void {
  freshDut([
    {
      link: 'eth0',
      subject: `${SUBJECT}/24`,
      here: [SENDER, ...RECEIVERS].map((it) => `${it}/24`),
    },
  ])
}

/** Resolves when it has received so many announcements. */
async function allAt(receiver: BenchSpeaker, wanted: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`only ${receiver.announced} arrived`)), 60_000)
    receiver.onCount = () => {
      if (receiver.announced < wanted) return
      clearTimeout(timer)
      resolve()
    }
  })
}

/** Asks the control API, and waits for the whole answer. */
const ask = (folder: string, method: string, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const asking = request({ socketPath: join(folder, 'sock'), method, path }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${path}: ${answer.statusCode}`))
      answer.resume().once('end', resolve)
    })
    asking.once('error', reject).end()
  })

/** Every kept route gets another community by import: until all receivers have heard of all. */
async function changePolicy(
  folder: string,
  receivers: readonly BenchSpeaker[],
): Promise<{ seconds: number; longestAnswerMs: number }> {
  const again = Promise.all(receivers.map((it) => allAt(it, it.announced + PREFIXES)))
  const config = linnetConfig([SENDER, ...RECEIVERS], folder, `${SUBJECT_ASN}:1`)
  writeFileSync(join(folder, 'linnet.yaml'), config)
  let done = false
  const begin = performance.now()
  const reloaded = ask(folder, 'POST', '/v1/reload')
  const finished = Promise.all([again, reloaded]).then(() => (done = true))
  let longestAnswerMs = 0
  while (!done) {
    const asked = performance.now()
    await ask(folder, 'GET', '/v1/status')
    longestAnswerMs = Math.max(longestAnswerMs, performance.now() - asked)
    await Promise.race([finished, new Promise((resolve) => setTimeout(resolve, 10))])
  }
  return { seconds: (performance.now() - begin) / 1000, longestAnswerMs }
}

async function measure(kind: string, messages: Uint8Array): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  buildDut()
  const subject = startSubject(kind, folder)
  try {
    await until(() => listening(subject.pid ?? 0), 10, 'listener')
    await new Promise((resolve) => setTimeout(resolve, 300))
    const common = { remote: SUBJECT, port: 179 }
    const [sender, ...receivers] = [SENDER, ...RECEIVERS].map(
      (local) => new BenchSpeaker({ ...common, local, asn: asnOf(local) }),
    )
    await Promise.all([sender, ...receivers].map(({ established }) => established))
    await new Promise((resolve) => setTimeout(resolve, 500))
    const before = cpuSeconds(subject.pid ?? 0)
    const begin = performance.now()
    sender.send(messages)
    if (values.kernel) {
      await until(() => kernelRoutes(subject.pid ?? 0) >= PREFIXES, 60, 'full kernel table', 100)
    } else await Promise.all(receivers.map((it) => allAt(it, PREFIXES)))
    const seconds = (performance.now() - begin) / 1000
    const pid = subject.pid ?? 0
    const cpu = cpuSeconds(pid) - before
    const change = values.change ? await changePolicy(folder, receivers) : undefined
    const result = { seconds, peakMb: peakMb(pid), cpuSeconds: cpu, change }
    for (const it of [sender, ...receivers]) it.close()
    return result
  } finally {
    // BIRD would take its routes out of the kernel one by one; the namespace goes anyway.
    subject.kill('SIGKILL')
    await new Promise((resolve) => subject.once('exit', resolve))
    rmSync(folder, { recursive: true })
  }
}

await inBox(async () => {
  const messages = feed({
    ...{ prefixes: PREFIXES, asn: 65001, nextHop: SENDER, seed: 7, perSet: 6 },
    internal: CLIENTS > 0,
  })
  process.stdout.write(`${PREFIXES} prefixes, ${(messages.length / 1e6).toFixed(1)} MB\n`)
  for (let run = 0; run < Number(values.runs); run++) {
    for (const kind of ['linnet', ...values.against.split(',').filter(Boolean)]) {
      const { seconds, peakMb: mb, cpuSeconds: cpu, change } = await measure(kind, messages)
      process.stdout.write(
        `${kind.padEnd(8)} ${seconds.toFixed(2)} s  ${mb.toFixed(0)} MB  cpu ${cpu.toFixed(2)} s\n`,
      )
      if (change === undefined) continue
      const { seconds: again, longestAnswerMs } = change
      process.stdout.write(
        `  policy changed: all sent again after ${again.toFixed(2)} s, longest answer ${longestAnswerMs.toFixed(0)} ms\n`,
      )
    }
  }
})
