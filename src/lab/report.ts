/**
 * A proof in words: the table of pairs, the failures under load, the one line that it ends in.
 */
import type { FailoverReport } from './failover.ts'
import type { SpreadReport } from './spread.ts'
import { faultLines, type PairVerdict } from './verdict.ts'

export interface ProofResult {
  readonly pairs: readonly PairVerdict[]
  readonly spreads: readonly SpreadReport[]
  /** Undefined when the lab asks for none, or when the pairs failed already. */
  readonly failover: FailoverReport | undefined
  readonly maxLossMs: number
  /** Whatever else went wrong: a daemon that died by itself. */
  readonly mishaps: readonly string[]
}

/** How a text shall look on a terminal; elsewhere it stays as it is. */
export type Paint = (text: string, look: 'good' | 'bad' | 'dim' | 'bold') => string
export const plain: Paint = (text) => text

/** All that speaks against the lab, the gravest first; empty when it is proven. */
export function reasonsAgainst(result: ProofResult): string[] {
  const { pairs, spreads, failover, maxLossMs, mishaps } = result
  const reasons = faultLines(pairs)
  if (pairs.length === 0) reasons.push('there is no pair of containers on different hosts')
  reasons.push(...spreads.filter(isUneven).map((it) => `spread: ${spreadText(it)}`))
  for (const { title, outageMs, lost, allowedMs = maxLossMs } of failover?.events ?? []) {
    if (outageMs <= allowedMs) continue
    const packets = lost === 1 ? '1 packet' : `${lost} packets`
    reasons.push(`failover: ${title}: ${outageMs} ms, ${packets} lost, allowed are ${allowedMs} ms`)
  }
  return [...reasons, ...(failover?.doubts ?? []).map((it) => `failover: ${it}`), ...mishaps]
}

/** The last line: `PROOF: 12 pairs, no NAT, no encapsulation, failover 3 ms`. */
export function proofLine(result: ProofResult, paint: Paint = plain): string {
  const reasons = reasonsAgainst(result)
  if (reasons.length > 0) return paint(`PROOF FAILED: ${reasons.join('; ')}`, 'bad')
  const { pairs, spreads, failover } = result
  const count = pairs.length === 1 ? '1 pair' : `${pairs.length} pairs`
  const even = spreads.map(({ to, shares }) => ` ${to} spread over ${shares.length},`).join('')
  const last = failover === undefined ? 'failover not tested' : `failover ${failover.worstMs} ms`
  return paint(`PROOF: ${count}, no NAT, ${wrappingText(pairs)},${even} ${last}`, 'good')
}

/** `encapsulated in protocol 4 between host1 and host2; inner addresses unchanged` */
function wrappingText(verdicts: readonly PairVerdict[]): string {
  const wrapped = verdicts.flatMap(({ evidence }) => evidence.wrapped ?? [])
  const [first] = wrapped
  if (first === undefined) return 'no encapsulation'
  const ways = new Set(wrapped.map(({ hosts: [a, b] }) => `${a.name} and ${b.name}`))
  const how = first.by === 'IP-in-IP' ? 'protocol 4' : first.by
  const some = wrapped.length === verdicts.length ? '' : `${wrapped.length} of them `
  return `${some}encapsulated in ${how} between ${[...ways].join(', ')}; inner addresses unchanged`
}

/** Some flows are lost, or a container gets less than half of an equal share. */
const isUneven = ({ flows, lost, shares }: SpreadReport): boolean =>
  lost > 0 || shares.some((it) => it.flows < flows / shares.length / 2)

/** `host4.c1 > 203.0.113.53: host1.c1 90, host2.c1 81, host3.c1 85 of 256 flows` */
export function spreadText({ from, to, flows, lost, shares }: SpreadReport): string {
  const counts = shares.map((it) => `${it.container} ${it.flows}`).join(', ')
  return `${from} > ${to}: ${counts} of ${flows} flows${lost > 0 ? `, ${lost} lost` : ''}`
}

export function pairTable(verdicts: readonly PairVerdict[], paint: Paint = plain): string[] {
  const head = ['containers', 'answer', 'source seen', 'on the wire', 'TTL lost', 'routers crossed']
  const rows = verdicts.map(({ evidence, sourceSeen, wire, ttlLost }) => [
    `${evidence.from.name} > ${evidence.to.name}`,
    evidence.roundTripMs === undefined ? 'none' : `${evidence.roundTripMs.toFixed(2)} ms`,
    sourceSeen ?? '-',
    wire ?? '-',
    ttlLost === undefined ? '-' : String(ttlLost),
    evidence.path.map((hop) => hop.node ?? hop.address ?? '?').join(' ') || '-',
  ])
  const widths = head.map((title, i) =>
    rows.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), title.length),
  )
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  return [
    paint(line(head), 'bold'),
    ...rows.map((row, i) => {
      const faults = verdicts[i]?.faults ?? []
      return faults.length === 0 ? line(row) : paint(line(row), 'bad')
    }),
  ]
}

export function failoverLines(report: FailoverReport): string[] {
  const rate = report.packetsPerSecond.toLocaleString('en-US')
  const width = report.events.reduce((longest, it) => Math.max(longest, it.title.length), 0)
  return [
    `under load (${report.streams} streams of ${rate} packets/s, both ways):`,
    ...report.events.map(({ title, sent, lost, outageMs, note }) => {
      const packets = `${lost} of ${sent.toLocaleString('en-US')} packets lost`
      return `  ${title.padEnd(width)}  ${packets}, longest outage ${outageMs} ms  (${note})`
    }),
  ]
}
