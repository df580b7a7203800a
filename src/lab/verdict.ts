/**
 * The judgement on one pair of containers, from evidence that anybody could have gathered: captures,
 * answers and a route trace. Pure, so that each way of cheating is a row of a test.
 */
import type { Sighting } from './capture.ts'

/** Every probe starts with this TTL. */
export const FIRST_TTL = 64

export interface Hop {
  /** Undefined when nobody answered. */
  readonly address: string | undefined
  /** The node that owns the address; undefined for a stranger. */
  readonly node: string | undefined
}

export interface PairEvidence {
  readonly from: { readonly name: string; readonly address: string }
  readonly to: { readonly name: string; readonly address: string }
  /** Milliseconds; undefined when there was no answer. */
  readonly roundTripMs: number | undefined
  /** What a router said instead: `10.1.1.1: network unreachable`. */
  readonly refusal: string | undefined
  readonly atFar: readonly Sighting[]
  readonly atNear: readonly Sighting[]
  readonly onFabric: readonly Sighting[]
  /** Routers crossed, in order; the far container itself is not among them. */
  readonly path: readonly Hop[]
  /** The trace ended at the far container. */
  readonly traced: boolean
  /** Packets are to be wrapped between the two hosts; undefined: they are not. */
  readonly wrapped?: {
    /** `IP-in-IP`: begins the wrapping that is to be seen. */
    readonly by: string
    /** Names of the hosts, and all addresses of each. */
    readonly hosts: readonly [WrappingHost, WrappingHost]
  }
}

export interface WrappingHost {
  readonly name: string
  readonly addresses: readonly string[]
}

/** In the order in which they are told. */
export const FAULTS = ['nat', 'encapsulation', 'ttl', 'path', 'unseen', 'unanswered'] as const
export type Fault = (typeof FAULTS)[number]

/** The word that begins a line about it. */
export const FAULT_TITLES: Readonly<Record<Fault, string>> = {
  nat: 'NAT',
  encapsulation: 'encapsulation',
  ttl: 'TTL',
  path: 'path',
  unseen: 'not on the fabric',
  unanswered: 'no answer',
}

export interface PairVerdict {
  readonly evidence: PairEvidence
  readonly faults: readonly { readonly fault: Fault; readonly text: string }[]
  /** As the far container saw it; undefined when nothing arrived. */
  readonly sourceSeen: string | undefined
  /** The outermost header on the fabric: `172.18.1.2 > 172.18.2.2 proto 1 (ICMP)`. */
  readonly wire: string | undefined
  readonly ttlLost: number | undefined
}

export function judgePair(evidence: PairEvidence): PairVerdict {
  const faults: { fault: Fault; text: string }[] = []
  const blame = (fault: Fault, text: string): void => {
    if (!faults.some((it) => it.fault === fault)) faults.push({ fault, text })
  }
  const { from, to } = evidence
  const asked = evidence.atFar.find((it) => it.kind === 'request')
  for (const sighting of [...evidence.atFar, ...evidence.atNear, ...evidence.onFabric]) {
    judgeAddresses(sighting, evidence, blame)
  }
  for (const sighting of evidence.onFabric) judgeWrapping(sighting, evidence, blame)
  if (evidence.roundTripMs === undefined) blame('unanswered', unansweredText(evidence))
  const crossed = evidence.onFabric.some((it) => it.kind === 'request')
  if (evidence.roundTripMs !== undefined && !crossed) {
    blame('unseen', `${from.name} > ${to.name} was answered, but crossed no link of the lab`)
  }
  const ttlLost = asked?.outer === undefined ? undefined : FIRST_TTL - asked.outer.ttl
  if (ttlLost !== undefined && evidence.roundTripMs !== undefined)
    judgePath(evidence, ttlLost, blame)
  return {
    evidence,
    faults,
    sourceSeen: asked?.outer?.source,
    wire: wireOf(evidence),
    ttlLost,
  }
}

type Blame = (fault: Fault, text: string) => void

/** Addresses must be the containers' own at every place, unless they are a tunnel's. */
function judgeAddresses(sighting: Sighting, evidence: PairEvidence, blame: Blame): void {
  const { outer, wrapping, kind, at } = sighting
  if (outer === undefined || wrapping !== undefined) return
  const [source, destination] =
    kind === 'request' ? [evidence.from, evidence.to] : [evidence.to, evidence.from]
  if (outer.source !== source.address) {
    const text = `${source.name} is ${outer.source} instead of ${source.address} at ${at}`
    blame('nat', text)
  } else if (outer.destination !== destination.address) {
    const text = `what ${source.name} sent to ${destination.address} goes to ${outer.destination} at ${at}`
    blame('nat', text)
  }
}

/** On the fabric a probe is wrapped from host to host as it shall be, or not at all. */
function judgeWrapping(sighting: Sighting, evidence: PairEvidence, blame: Blame): void {
  const { from, to, wrapped } = evidence
  const { wrapping, outer, inner, at, kind } = sighting
  const way = `${from.name} > ${to.name}`
  const ends = outer === undefined ? '' : ` ${outer.source} > ${outer.destination}`
  if (wrapped === undefined) {
    if (wrapping !== undefined)
      blame('encapsulation', `${way} is wrapped in ${wrapping}${ends} on ${at}`)
    return
  }
  if (wrapping?.startsWith(`${wrapped.by} (`) !== true) {
    const found = wrapping === undefined ? 'not wrapped' : `wrapped in ${wrapping}`
    return blame('encapsulation', `${way} is ${found} on ${at}, instead of in ${wrapped.by}`)
  }
  const [sender, receiver] = kind === 'request' ? wrapped.hosts : wrapped.hosts.toReversed()
  const isBetween =
    sender.addresses.includes(outer?.source ?? '') &&
    receiver.addresses.includes(outer?.destination ?? '')
  if (!isBetween) blame('encapsulation', `${way} is wrapped${ends} on ${at}, not from host to host`)
  const [source, destination] = kind === 'request' ? [from, to] : [to, from]
  if (inner?.source !== source.address || inner.destination !== destination.address) {
    const is = inner === undefined ? 'nothing to be read' : `${inner.source} > ${inner.destination}`
    blame('nat', `${way} is ${is} inside on ${at}`)
  }
}

function judgePath({ from, to, path, traced }: PairEvidence, lost: number, blame: Blame): void {
  const way = `${from.name} > ${to.name}`
  const silent = path.findIndex((hop) => hop.address === undefined)
  if (!traced) return blame('path', `${way}: the trace did not arrive`)
  if (lost !== path.length) {
    return blame('ttl', `${way} lost ${lost} of its TTL, but crossed ${routers(path.length)}`)
  }
  if (silent >= 0) return blame('path', `${way}: router ${silent + 1} did not answer the trace`)
  const stranger = path.find((hop) => hop.node === undefined)
  if (stranger !== undefined) blame('path', `${way}: ${stranger.address} is no router of the lab`)
}

const routers = (count: number): string => (count === 1 ? '1 router' : `${count} routers`)

function unansweredText({ from, to, refusal, onFabric, atFar }: PairEvidence): string {
  const way = `${from.name} > ${to.name}`
  if (refusal !== undefined) return `${way}: ${refusal}`
  if (atFar.some((it) => it.kind === 'request')) return `${way} arrived, but no answer came back`
  const last = onFabric.findLast((it) => it.kind === 'request')
  if (last === undefined) return `${way} left no trace on any link`
  return `${way} was last seen on ${last.at}`
}

function wireOf({ onFabric }: PairEvidence): string | undefined {
  const sighting = onFabric.find((it) => it.wrapping !== undefined) ?? onFabric[0]
  if (sighting === undefined) return undefined
  if (sighting.outer === undefined) return sighting.wrapping
  const { source, destination, protocol } = sighting.outer
  const what = sighting.wrapping ?? 'ICMP'
  return `${source} > ${destination} proto ${protocol}, ${what.replace(/ \(.*/, '')}`
}

/** `NAT: host1.c1 is 10.1.1.2 instead of 172.18.1.2 at host2.c1:eth0 (8 of 12 pairs)`, a line a fault. */
export function faultLines(verdicts: readonly PairVerdict[]): string[] {
  return FAULTS.flatMap((fault) => {
    const texts = verdicts.flatMap((it) => it.faults.find((found) => found.fault === fault) ?? [])
    const [first] = texts
    if (first === undefined) return []
    return [`${FAULT_TITLES[fault]}: ${first.text} (${texts.length} of ${verdicts.length} pairs)`]
  })
}
