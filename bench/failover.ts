/**
 * Failover in all its ways: two ToRs announce the same prefixes of both families; then one is lost. How long until the kernel
 * forwards 1,000 random destinations by the other, and what is lost meanwhile? Scenario S6 of main.ts has the usual one,
 * a session that closes, beside other scenarios. Runs in network namespaces of its own:
 *
 *   npm run bench:failover -- [--prefixes 100000] [--by close,bfd,link,down] [--split] [--against bird,frr] [--runs 3]
 *
 * --by says how the ToR is lost: `close` ends its session's connection, `bfd` keeps its BFD packets back (50 ms x 3,
 * so 150 ms are the time to find out), `link` takes the carrier away from the
 * other side, `down` sets the host's own interface down. Of the prefixes all are preferred by the ToR that is
 * lost; with --split, half of them prefer the other. The clock runs until a destination was last seen on
 * its way to the lost ToR, or nowhere; one look at a destination takes some microseconds.
 * Beside it, how many of 4,000 packets a second to four destinations were lost, in whole; the rule that makes the lost ToR
 * drop them takes some milliseconds to be put (`close`, `bfd`).
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bfdThread, type BfdService } from '../src/daemon/bfd-thread.ts'
import { address, type Address } from '../src/net/address.ts'
import { untilCalm } from './calm.ts'
import { random } from './load/routes.ts'
import { cpuSeconds, freshDut, inBox, inDut, listening, sh, until } from './ground.ts'
import { BenchSpeaker } from './load/speaker.ts'
import { Sight, type GoesRight } from './sight.ts'

const { values } = parseArgs({
  options: {
    prefixes: { type: 'string', default: '100000' },
    by: { type: 'string', default: 'close,bfd,link,down' },
    split: { type: 'boolean', default: false },
    against: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
  },
})
const PREFIXES = Number(values.prefixes)
/** One in so many is of IPv6. */
const IPV6_SHARE = 5
const DESTINATIONS = 1000
const BFD_MS = 50
const ROOT = join(import.meta.dirname, '../../..')

interface Tor {
  readonly link: string
  readonly asn: number
  readonly subject: string
  readonly here: string
  readonly subject6: string
  readonly here6: string
}
const torOn = (link: string, number: number): Tor => ({
  link,
  asn: 65_000 + number,
  subject: `10.99.${number}.1`,
  here: `10.99.${number}.2`,
  subject6: `2001:db8:${number}::1`,
  here6: `2001:db8:${number}::2`,
})
const TOR_A = torOn('eth0', 1)
const TOR_B = torOn('eth1', 2)
const TORS = [TOR_A, TOR_B]

/** The IPv4 prefix 20.0.0.0/24 and those behind it; 2400:0:0::/48 and those behind it. */
const ipv4 = (i: number): number[] => [20 + (i >> 16), (i >> 8) & 255, i & 255]
const ipv6 = (i: number): number[] => [0x24, 0, i >> 24, (i >> 16) & 255, (i >> 8) & 255, i & 255]
const isIpv6 = (i: number): boolean => i % IPV6_SHARE === 0

function destination(i: number): Address {
  if (!isIpv6(i)) return address([...ipv4(i), 7].join('.'))
  const bytes = ipv6(i)
  const words = [0, 2, 4].map((at) => ((bytes[at] << 8) | bytes[at + 1]).toString(16))
  return address(`${words.join(':')}::7`)
}

/** UPDATE messages for all prefixes; what `tor` is not preferred for has the longer path. */
function updates(tor: Tor): Uint8Array {
  const parts: number[][] = []
  const other = tor === TOR_A ? 1 : 0
  for (const wanted6 of [false, true]) {
    for (const preferred of [false, true]) {
      const prefixes: number[] = []
      for (let i = 0; i < PREFIXES; i++) {
        const half = values.split ? (i >> 3) % 2 : 0
        if (isIpv6(i) !== wanted6 || (half === other) === preferred) continue
        prefixes.push(i)
      }
      const asns = preferred ? [tor.asn, 65_200] : [tor.asn, tor.asn, 65_200]
      for (let at = 0; at < prefixes.length; at += 400) {
        parts.push(update(tor, wanted6, asns, prefixes.slice(at, at + 400)))
      }
    }
  }
  return Uint8Array.from(parts.flat())
}

function update(tor: Tor, of6: boolean, asns: readonly number[], prefixes: number[]): number[] {
  const nlri = prefixes.flatMap((i) => (of6 ? [48, ...ipv6(i)] : [24, ...ipv4(i)]))
  const path = asns.flatMap((asn) => [0, 0, asn >> 8, asn & 255])
  const common = [0x40, 1, 1, 0, 0x40, 2, path.length + 2, 2, asns.length, ...path]
  const value = [0, 2, 1, 16, ...address(tor.here6).bytes, 0, ...nlri]
  const attributes = of6
    ? [...common, 0x90, 14, value.length >> 8, value.length & 255, ...value]
    : [...common, 0x40, 3, 4, ...address(tor.here).bytes]
  const body = [0, 0, attributes.length >> 8, attributes.length & 255, ...attributes]
  if (!of6) body.push(...nlri)
  const length = 19 + body.length
  return [...Array.from({ length: 16 }, () => 255), length >> 8, length & 255, 2, ...body]
}

function startSubject(kind: string, folder: string, bfd: boolean): ChildProcess[] {
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  if (kind === 'bird') {
    const conf = file('bird.conf', birdConfig(bfd))
    return [inDut('bird', ['-f', '-c', conf, '-s', join(folder, 'bird.ctl')])]
  }
  if (kind === 'frr') {
    // It runs as the user frr, who must be able to read what is in the folder.
    sh(`install -d -o frr -g frr /run/frr; chmod 755 ${folder}`)
    const start = (name: string, text: string): ChildProcess =>
      inDut(`/usr/lib/frr/${name}`, [
        ...['--vty_socket', '/run/frr', '-z', '/run/frr/zserv.api', '-A', '127.0.0.1'],
        ...['--log', 'stdout', '--log-level', 'critical'],
        ...['-f', file(`${name}.conf`, text), '-i', `/run/frr/${name}.pid`],
      ])
    const zebra = start('zebra', '')
    sh('sleep 1')
    const bfdd = bfd ? [start('bfdd', '')] : []
    return [zebra, ...bfdd, start('bgpd', frrConfig(bfd))]
  }
  const conf = file('linnet.yaml', linnetConfig(folder, bfd))
  return [inDut(process.execPath, [join(ROOT, 'dist/main.js'), 'run', '-c', conf])]
}

const birdConfig = (bfd: boolean): string => `router id 10.99.1.1;
${bfd ? `protocol bfd { interface "eth*" { interval ${BFD_MS} ms; multiplier 3; }; }` : ''}
protocol device {}
protocol direct { ipv4; ipv6; interface "eth*"; }
protocol kernel k4 { ipv4 { import none; export where source = RTS_BGP; }; }
protocol kernel k6 { ipv6 { import none; export where source = RTS_BGP; }; }
${TORS.map(
  ({ link, asn, subject, here }) =>
    `protocol bgp ${link} { local ${subject} as 65000; neighbor ${here} as ${asn}; passive on; ${bfd ? 'bfd on;' : ''} ipv4 { import all; export none; }; ipv6 { import all; export none; }; }`,
).join('\n')}
`

const frrConfig = (bfd: boolean): string => `router bgp 65000
 bgp router-id 10.99.1.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
${TORS.map(({ asn, here }) => ` neighbor ${here} remote-as ${asn}\n neighbor ${here} passive\n${bfd ? ` neighbor ${here} bfd 3 ${BFD_MS} ${BFD_MS}\n` : ''}`).join('')}
${['ipv4', 'ipv6']
  .map(
    (it) =>
      ` address-family ${it} unicast\n${TORS.map(({ here }) => `  neighbor ${here} activate\n`).join('')} exit-address-family\n`,
  )
  .join('')}
`

const linnetConfig = (folder: string, bfd: boolean): string => `asn: 65000
routerId: 10.99.1.1
peers:
${TORS.map(
  ({ link, asn, here }) =>
    `  - { name: ${link}, address: ${here}, asn: ${asn}, passive: true, import: accept${bfd ? `, bfd: { interval: ${BFD_MS}ms, multiplier: 3 }` : ''} }\n`,
).join('')}
kernel: { multipathRelax: false }
api: { socket: ${join(folder, 'sock')} }
log: { level: error, format: json }
`

/** Some of the prefixes' addresses, whatever is measured the same ones. */
function destinations(): Address[] {
  const next = random(11)
  return Array.from({ length: DESTINATIONS }, () => destination(Math.floor(next() * PREFIXES)))
}

/** Packets leave by the link with this index. */
const by =
  (link: number): GoesRight =>
  (lookup, to) =>
    lookup.link(to) === link

/** The ToRs' ends of BFD. */
function farEnds(): BfdService {
  const service = bfdThread()
  for (const { link, subject, here } of TORS) {
    service.set(link, {
      path: { hops: 'single', remote: address(subject), local: address(here) },
      timers: {
        desiredMinTxMicroseconds: BFD_MS * 1000,
        requiredMinRxMicroseconds: BFD_MS * 1000,
        detectMultiplier: 3,
      },
    })
  }
  return service
}

/** Index of a link of the subject. */
function indexOf(link: string): number {
  const order = ['-n', 'dut', '-j', 'link', 'show', 'dev', link]
  return Number(/"ifindex":(\d+)/.exec(execFileSync('ip', order, { encoding: 'utf8' }))?.[1])
}

interface Outcome {
  readonly milliseconds: number
  /** Packets to four destinations, 1,000 a second to each. */
  readonly lost: number
}

/** Rules of our side: what the ToR that is lost gets no more, and says no more. */
const FAR_TABLE =
  'table inet far { chain in { type filter hook prerouting priority -300; }; chain out { type filter hook output priority 0; }; }'
const NO_PACKETS = `add rule inet far in iifname ${TOR_A.link} udp dport 40000-40999 drop;`
const NO_BFD = `add rule inet far out ip saddr ${TOR_A.here} udp dport 3784 drop;`

/** Packets from the subject to destinations of ours, as a lab sends them. */
class Packets {
  readonly #sender: ChildProcess
  #text = ''

  private constructor(sender: ChildProcess) {
    this.#sender = sender
    sender.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.#text += chunk))
  }

  static async start(): Promise<Packets> {
    const to = [9, 17, 26, 34].map((i) => `${ipv4(i).join('.')}.7`)
    for (const it of to) sh(`ip addr replace ${it}/32 dev lo`)
    const order = {
      packetsPerSecond: 1000,
      streams: to.map((it) => ({
        from: { namespace: 'dut', address: TOR_B.subject },
        to: { namespace: '', address: it },
      })),
    }
    const words = [join(ROOT, 'dist/main.js'), 'lab', 'traffic', JSON.stringify(order)]
    const packets = new Packets(
      spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    await until(() => packets.#text.includes('started'), 10, 'packets')
    await new Promise((resolve) => setTimeout(resolve, 500))
    return packets
  }

  async lost(): Promise<number> {
    const ended = new Promise((resolve) => this.#sender.once('close', resolve))
    this.#sender.kill('SIGTERM')
    await ended
    const counts = [...this.#text.matchAll(/"sent":(\d+),"received":(\d+)/g)]
    if (counts.length === 0) throw new Error(`no report of packets: ${this.#text}`)
    return counts.reduce((sum, [, sent, received]) => sum + Number(sent) - Number(received), 0)
  }
}

/** Milliseconds until the last look that found a destination not yet behind the other ToR. */
async function lose(how: string, sight: Sight, session: BenchSpeaker): Promise<number> {
  const right = by(indexOf(TOR_B.link))
  // What the lost ToR would still get is lost too.
  if (how === 'close' || how === 'bfd') sh(`nft '${how === 'bfd' ? NO_BFD : ''}${NO_PACKETS}'`)
  const begin = performance.now()
  if (how === 'close') session.close()
  else if (how === 'link') sh(`ip link set ${TOR_A.link} down`)
  else if (how === 'down') sh(`ip -n dut link set ${TOR_A.link} down`)
  // The socket is closed once the event loop has turned.
  await new Promise((resolve) => setImmediate(resolve))
  return sight.millisecondsUntilAll(right, begin)
}

async function measure(
  kind: string,
  how: string,
  messages: readonly Uint8Array[],
): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  freshDut(
    TORS.map(({ link, subject, here }) => ({
      ...{ link, subject: `${subject}/24`, here: [`${here}/24`] },
    })),
  )
  for (const { link, subject6, here6 } of TORS) {
    sh(`ip -n dut addr add ${subject6}/64 dev ${link} nodad`)
    sh(`ip addr add ${here6}/64 dev ${link} nodad`)
  }
  sh('ip netns exec dut sysctl -qw net.ipv6.route.max_size=2147483647')
  sh(`nft '${FAR_TABLE}'; sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0`)
  const daemons = startSubject(kind, folder, how === 'bfd')
  const bfd = how === 'bfd' ? farEnds() : undefined
  const sight = new Sight('dut', destinations())
  const speakers: BenchSpeaker[] = []
  try {
    await until(() => daemons.some(({ pid }) => listening(pid ?? 0)), 10, 'listener')
    await new Promise((resolve) => setTimeout(resolve, 300))
    for (const { here, subject, asn } of TORS) {
      const ends = { local: here, remote: subject, port: 179 }
      speakers.push(new BenchSpeaker({ ...ends, asn, families: 'both' }))
    }
    await Promise.all(speakers.map(({ established }) => established))
    for (const [i, it] of speakers.entries()) it.send(messages[i])
    const [lost, other] = TORS.map(({ link }) => by(indexOf(link)))
    const wanted = values.split ? DESTINATIONS * 0.4 : DESTINATIONS
    const ready = (): boolean =>
      sight.count(lost) >= wanted && sight.count(lost) + sight.count(other) === DESTINATIONS
    await until(ready, 120, 'routes by both', 100)
    await untilCalm(() => daemons.reduce((sum, { pid }) => sum + cpuSeconds(pid ?? 0), 0), 120)
    const packets = await Packets.start()
    const milliseconds = await lose(how, sight, speakers[0])
    return { milliseconds, lost: await packets.lost() }
  } finally {
    sight.close()
    for (const it of speakers) it.close()
    await bfd?.close()
    sh('nft delete table inet far')
    for (const daemon of daemons) {
      const ended = new Promise((resolve) => daemon.once('exit', resolve))
      daemon.kill('SIGKILL')
      await ended
    }
    rmSync(folder, { recursive: true })
  }
}

await inBox(async () => {
  const messages = TORS.map(updates)
  for (const how of values.by.split(',')) {
    for (const kind of ['linnet', ...values.against.split(',').filter(Boolean)]) {
      const times: string[] = []
      for (let run = 0; run < Number(values.runs); run++) {
        const { milliseconds, lost } = await measure(kind, how, messages)
        times.push(`${milliseconds.toFixed(1)} ms (${lost} lost)`)
      }
      const line = `${PREFIXES} by ${how.padEnd(6)} ${kind.padEnd(7)} ${times.join(', ')}`
      process.stdout.write(`${line}\n`)
    }
  }
})
