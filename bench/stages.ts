/**
 * What each stage costs a prefix, from the bytes of a socket to the bytes of the kernel and of the next peer:
 *
 *   npm run bench:stages -- [--prefixes 300000] [--rounds 7] [--update] [--check]
 *
 * Machines differ, so each stage is also told as a ratio to a fixed piece of work, a hash over the same bytes, done in
 * the same run. --check ends with 1 when a ratio is beyond what baseline.json has by more than its tolerance;
 * --update writes that file anew.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ROUTE_PUT } from '../src/fib/kernel.ts'
import { RouteEncoder } from '../src/linux/route-encoder.ts'
import { address } from '../src/net/address.ts'
import { FAMILIES } from '../src/net/family.ts'
import { accept } from '../src/policy/standard.ts'
import type { AdjRibIn } from '../src/rib/adj-rib-in.ts'
import { LENIENT } from '../src/rib/import-rules.ts'
import { Rib } from '../src/rib/rib.ts'
import { Framer } from '../src/wire/framer.ts'
import { NO_ADVERTISE, NO_EXPORT } from '../src/wire/scan.ts'
import { announcements, routesOf } from './load/routes.ts'

const { values } = parseArgs({
  options: {
    prefixes: { type: 'string', default: '300000' },
    rounds: { type: 'string', default: '7' },
    update: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
  },
})

const BASELINE = join(import.meta.dirname, '../../../bench/baseline.json')
const OWN_ASN = 65_000
const OWN_ADDRESS = address('10.99.0.1')
const SENDER = address('10.99.0.2')
const CHUNK = 65_536
const routes = routesOf({
  ...{ family: 'ipv4', profile: 'internet', seed: 7, count: Number(values.prefixes) },
})
const messages = announcements(routes, { asn: 65_001, nextHop: SENDER.bytes, seed: 8 })

/** Milliseconds of each stage, in one round. */
type Round = Record<string, number>

function time(round: Round, stage: string, work: () => void): void {
  const begin = performance.now()
  work()
  round[stage] = performance.now() - begin
}

/** Calls `each` with every message, as they come out of chunks of a socket. */
function frame(each: (bytes: Uint8Array, start: number, end: number) => void): void {
  const framer = new Framer()
  for (let at = 0; at < messages.length; at += CHUNK) {
    framer.push(messages.subarray(at, at + CHUNK))
    while (framer.next()) each(framer.buffer, framer.start, framer.end)
  }
}

function newRib(): Rib {
  const forever = { workArrived: () => undefined, decided: () => undefined }
  const local = {
    ...{ name: 'local', address: OWN_ADDRESS, routerId: 1, asn: OWN_ASN },
    ...{ external: false, routeReflectorClient: false },
  }
  const decision = {
    ...{ alwaysCompareMed: false, missingMedWorst: false, ignoreAsPathLength: false },
    ...{ ignoreRouterId: false, multipath: 16, multipathRelax: true },
  }
  const resolver = {
    resolve: (via: typeof SENDER) => ({
      ...{ gateways: [{ via, link: 1 }], onLink: true, own: false, metric: 0, resolvedBy: '' },
    }),
    forget: () => undefined,
    onChange: () => undefined,
  }
  return new Rib({ own: { asns: [OWN_ASN], clusterId: 1 }, decision, local }, resolver, forever)
}

function addPeer(rib: Rib, name: string, asn: number): AdjRibIn {
  const session = rib.addPeer(
    {
      ...{ name, routerId: asn, asn, external: true, routeReflectorClient: false },
      ...{ addPath: [], address: SENDER },
    },
    accept,
    {
      ...{ families: ['ipv4'], fourOctetAs: true, ipv6NextHops: false, link: 1 },
      ...{ confederation: false, routerId: 1 },
    },
    {
      malformedReceived: () => undefined,
      endOfRibReceived: () => undefined,
      pathsRefused: () => undefined,
      pathsBeyondLimit: () => undefined,
    },
  )
  session.peer.rules = LENIENT
  return session
}

function measure(): Round {
  const round: Round = {}
  let hash = 0
  time(round, 'yardstick', () => {
    for (const byte of messages) hash = Math.imul(hash ^ byte, 0x01000193)
  })
  if (hash === 0) throw new Error('nothing was hashed')
  time(round, 'frame', () => frame(() => undefined))
  const rib = newRib()
  const first = addPeer(rib, 'a', 65_001)
  const receiver = addPeer(rib, 'b', 65_002)
  time(round, 'receive', () => frame((bytes, start, end) => first.receive(bytes, start, end, 1)))
  const now = (): number => 0
  time(round, 'decide', () => {
    while (rib.busy) rib.step(now, 1)
  })
  time(round, 'receive again', () =>
    frame((bytes, start, end) => first.receive(bytes, start, end, 1)),
  )
  while (rib.busy) rib.step(now, 1)
  const { attributes } = rib
  const [ipv4] = FAMILIES
  const group = rib.createGroup(ipv4, {
    ...{ external: true, confederation: false, routeReflectorClient: false },
    ...{ withheld: NO_ADVERTISE | NO_EXPORT, maxMessageLength: 4096 },
    exported: (_prefix, set) => set,
    formOf: (set) => ({
      set: attributes.view(set),
      nextHop: OWN_ADDRESS.bytes,
      form: {
        ...{ external: true, localAsn: OWN_ASN, fourOctetAs: true, keepMed: false },
        ...{ nextHop: OWN_ADDRESS.bytes, reflection: undefined },
      },
    }),
    tooLong: () => undefined,
  })
  const member = group.join(receiver.peer)
  let sent = 0
  time(round, 'advertise', () => {
    while (rib.busy || group.hasWork(member)) {
      if (rib.busy) rib.step(now, 1)
      const out: Uint8Array[] = []
      group.pull(member, CHUNK, out)
      for (const it of out) sent += it.length
    }
  })
  if (sent < routes.count * 4) throw new Error(`only ${sent} bytes were advertised`)
  const encoder = new RouteEncoder({
    ...{ table: 254, metric: 20, protocol: 179 },
    preferredSource: {},
  })
  time(round, 'encode for the kernel', () => {
    for (let i = 0; i < routes.count; i++) {
      while (!encoder.encode(ROUTE_PUT, 0, routes.words, i, routes.lengths[i], 0x4c000001, i)) {
        encoder.reset()
      }
    }
  })
  return round
}

interface Baseline {
  readonly tolerance: number
  readonly ratios: Readonly<Record<string, number>>
}

const rounds = Array.from({ length: Number(values.rounds) }, measure)
const least = (stage: string): number => Math.min(...rounds.map((it) => it[stage]))
const yardstick = least('yardstick')
const stages = Object.keys(rounds[0]).filter((it) => it !== 'yardstick')
const baseline = JSON.parse(readFileSync(BASELINE, 'utf8')) as Baseline
const ratios = Object.fromEntries(stages.map((it) => [it, least(it) / yardstick]))
for (const stage of stages) {
  const ratio = ratios[stage]
  const usual = baseline.ratios[stage]
  const slow = usual !== undefined && ratio > usual * (1 + baseline.tolerance)
  if (slow && values.check) process.exitCode = 1
  const nanoseconds = ((least(stage) * 1e6) / routes.count).toFixed(0).padStart(5)
  const line = `${stage.padEnd(22)} ${nanoseconds} ns a prefix  ${ratio.toFixed(2)} (${usual?.toFixed(2) ?? 'new'})`
  process.stdout.write(`${line}${slow ? '  SLOWER' : ''}\n`)
}
if (values.update) {
  const rounded = Object.entries(ratios).map(([stage, ratio]) => [stage, Number(ratio.toFixed(2))])
  const text = { tolerance: baseline.tolerance, ratios: Object.fromEntries(rounded) as unknown }
  writeFileSync(BASELINE, `${JSON.stringify(text, undefined, 2)}\n`)
}
