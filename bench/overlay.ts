/**
 * What an overlay costs: goodput between two hosts, routes into the kernel, and how fast traffic goes another way when the
 * far end is lost.
 *
 *   npm run bench:overlay -- [--modes none,vxlan,vxlan-ethernet] [--prefixes 100000] [--seconds 3] [--runs 3]
 *   npm run bench:overlay -- --uml [...]       # the same inside user-mode Linux, which has ipip too
 *
 * Hosts are namespaces on one link. Goodput is iperf3's, one TCP connection between addresses inside the overlay. Routes
 * come from a peer whose next hop is the second host, until the kernel has all. Then the session of that peer ends, and
 * the clock runs until the last of 500 destinations is on its way to the third host, whose paths were the backup.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { address } from '../src/net/address.ts'
import { bootUml } from '../test/support/uml.ts'
import { cpuSeconds, freshDut, inBox, inDut, kernelRoutes, listening, sh, until } from './ground.ts'
import { announcements, random, routesOf } from './load/routes.ts'
import { BenchSpeaker } from './load/speaker.ts'
import { RouteLookup } from './route-lookup.ts'
import { spreadOf } from './series.ts'

const { values } = parseArgs({
  options: {
    modes: { type: 'string', default: '' },
    prefixes: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '3' },
    runs: { type: 'string', default: '3' },
    uml: { type: 'boolean', default: false },
    inside: { type: 'boolean', default: false },
  },
})
const PREFIXES = Number(values.prefixes)
const ROOT = join(import.meta.dirname, '../../..')
const ASN = 65_000
/** The host that is measured, and the two that its routes lead to; of these the first is lost. */
const [SUBJECT, FIRST, SECOND] = ['172.30.0.1', '172.30.0.2', '172.30.0.3']
/** Containers, of the subject and of the first; the routes of the bench are inside 10/8. */
const [OWN, THEIRS] = ['192.168.101.1', '192.168.102.1']
const INSIDE = '[10.0.0.0/8, 192.168.100.0/22]'
const DESTINATIONS = 500

const OVERLAYS: Readonly<Record<string, string>> = {
  none: '',
  ipip: `overlay: { mode: ipip, prefixes: ${INSIDE} }`,
  vxlan: `overlay: { mode: vxlan, prefixes: ${INSIDE} }`,
  'vxlan-ethernet': `overlay: { mode: vxlan, prefixes: ${INSIDE}, vxlan: { gpe: false } }`,
}
const USUAL_MODES = values.inside ? 'none,ipip,vxlan' : 'none,vxlan,vxlan-ethernet'

const linnetConfig = (
  self: string,
  peers: readonly string[],
  overlay: string,
  socket: string,
): string => `asn: ${ASN}
routerId: ${self}
listen: [{ address: ${self}, port: 179 }]
peers:
${peers.map((it) => `  - { address: ${it}, asn: ${ASN}, passive: ${self === SUBJECT}, import: accept, families: [ipv4] }`).join('\n')}
advertise: { interfaces: [docker0] }
${overlay}
kernel: { onStop: remove }
api: { socket: ${socket} }
log: { level: error, format: json }
`

/** A bridge with the address of a container network. */
const bridge = (inNamespace: string, inside: string): void =>
  sh(`${inNamespace} ip link add docker0 type bridge; ${inNamespace} ip addr add ${inside}/24 dev docker0
      ${inNamespace} ip link set docker0 up`)

interface Outcome {
  readonly gigabits: number
  readonly routesPerSecond: number
  readonly failoverMs: number
}

async function measure(mode: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  const here = [FIRST, SECOND].map((it) => `${it}/24`)
  freshDut([{ link: 'eth0', subject: `${SUBJECT}/24`, here }])
  sh('ip link del docker0 2>/dev/null || true')
  bridge('ip netns exec dut', OWN)
  bridge('', THEIRS)
  const start = (self: string, peers: readonly string[], run: typeof inDut): ChildProcess => {
    const path = join(folder, `${self}.yaml`)
    writeFileSync(path, linnetConfig(self, peers, OVERLAYS[mode] ?? '', join(folder, self)))
    return run(process.execPath, [join(ROOT, 'dist/main.js'), 'run', '-c', path])
  }
  const hereToo: typeof inDut = (command, args) => spawn(command, [...args], { stdio: 'inherit' })
  const subject = start(SUBJECT, [FIRST, SECOND, '172.30.0.4', '172.30.0.5'], inDut)
  const pid = subject.pid ?? 0
  const others: ChildProcess[] = []
  const speakers: BenchSpeaker[] = []
  try {
    await until(() => listening(pid), 60, 'listener')
    others.push(start(FIRST, [SUBJECT], hereToo))
    await until(() => reaches(), 60, 'way between containers', 200)
    const gigabits = goodput()
    await end(others.splice(0))
    const routes = routesOf({ family: 'ipv4', profile: 'datacenter', count: PREFIXES, seed: 7 })
    const messages = [FIRST, SECOND].map((nextHop, i) =>
      announcements(routes, {
        ...{ asn: 65_001, nextHop: address(nextHop).bytes, seed: 8, internal: true, longer: i },
      }),
    )
    for (const [i, local] of [FIRST, SECOND].entries()) {
      const speaker = new BenchSpeaker({ local, remote: SUBJECT, port: 179, asn: ASN })
      await speaker.established
      speakers[i] = speaker
    }
    const before = kernelRoutes(pid)
    const begin = performance.now()
    speakers[0]?.send(messages[0])
    // One of those before was that of the host that has gone.
    const all = before - 1 + PREFIXES
    await until(() => kernelRoutes(pid) >= all, 120, 'full kernel table', 20)
    const seconds = (performance.now() - begin) / 1000
    speakers[1]?.send(messages[1])
    await calm(pid)
    const failoverMs = await lose(speakers[0], routes.words)
    return { gigabits, routesPerSecond: PREFIXES / seconds, failoverMs }
  } finally {
    for (const it of speakers) it.close()
    await end([subject, ...others])
    rmSync(folder, { recursive: true })
  }
}

function reaches(): boolean {
  try {
    sh(`ip netns exec dut busybox ping -c 1 -W 1 -I ${OWN} ${THEIRS} >/dev/null 2>&1`)
    return true
  } catch {
    return false
  }
}

/** Of one TCP connection, from the subject's container network to the other's. */
function goodput(): number {
  sh(`iperf3 --server --daemon --one-off --bind ${THEIRS}; sleep 0.5`)
  const words = ['netns', 'exec', 'dut', 'iperf3', '--json', '--client', THEIRS, '--bind', OWN]
  const text = execFileSync('ip', [...words, '--time', values.seconds], { encoding: 'utf8' })
  const report = JSON.parse(text) as { end: { sum_received: { bits_per_second: number } } }
  return report.end.sum_received.bits_per_second / 1e9
}

/** Resolves when it uses next to no CPU. */
async function calm(pid: number): Promise<void> {
  let before = -1
  const isCalm = (): boolean => {
    const now = cpuSeconds(pid)
    const still = before >= 0 && now - before < 0.03
    before = now
    return still
  }
  await until(isCalm, 120, 'calm', 1000)
}

/** Milliseconds until the last look that found a destination not yet on its way to the second host. */
async function lose(session: BenchSpeaker | undefined, words: Int32Array): Promise<number> {
  const lookup = new RouteLookup('dut')
  const next = random(11)
  const destinations = Array.from({ length: DESTINATIONS }, () => {
    const word = words[Math.floor(next() * words.length)]
    return address([24, 16, 8, 0].map((by) => (word >>> by) & 255).join('.'))
  })
  const begin = performance.now()
  session?.close()
  await new Promise((resolve) => setImmediate(resolve))
  let last = begin
  for (let missing = DESTINATIONS; missing > 0;) {
    missing = 0
    for (const it of destinations) if (lookup.gateway(it) !== SECOND) missing++
    if (missing > 0) last = performance.now()
    if (last > begin + 60_000) throw new Error('not moved within a minute')
  }
  lookup.close()
  return last - begin
}

async function end(processes: readonly ChildProcess[]): Promise<void> {
  for (const it of processes) {
    if (it.exitCode !== null) continue
    const ended = new Promise((resolve) => it.once('exit', resolve))
    it.kill('SIGKILL')
    await ended
  }
}

async function measureAll(): Promise<void> {
  const modes = (values.modes === '' ? USUAL_MODES : values.modes).split(',')
  const outcomes = new Map<string, Outcome[]>(modes.map((mode) => [mode, []]))
  for (let run = 0; run < Number(values.runs); run++) {
    for (const mode of modes) outcomes.get(mode)?.push(await measure(mode))
  }
  const spread = (numbers: readonly number[], digits: number): string => {
    const { median, least, most } = spreadOf(numbers)
    return `${median.toFixed(digits)} (${least.toFixed(digits)}-${most.toFixed(digits)})`
  }
  for (const [mode, runs] of outcomes) {
    const figures = [
      `${spread(
        runs.map((it) => it.gigabits),
        2,
      )} Gbit/s`,
      `${spread(
        runs.map((it) => it.routesPerSecond / 1000),
        0,
      )} thousand routes/s`,
      `failover ${spread(
        runs.map((it) => it.failoverMs),
        1,
      )} ms`,
    ]
    process.stdout.write(`${mode.padEnd(15)} ${figures.join('  ')}\n`)
  }
}

async function insideUml(): Promise<void> {
  const uml = await bootUml()
  try {
    const words = process.argv.slice(2).filter((it) => it !== '--uml')
    const command = `modprobe -d /run/modules ipip; cd /mnt/linnet && LINNET_BENCH_BOX=1 node dist/bench-build/bench/overlay.js --inside ${words.join(' ')}`
    process.stdout.write(await uml.run(command, 900_000))
  } finally {
    await uml.close()
  }
}

if (values.uml) await insideUml()
else if (values.inside) await measureAll()
else await inBox(measureAll)
