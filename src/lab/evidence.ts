/**
 * Gathers the evidence that verdict.ts judges: one echo per pair of containers, watched at both ends
 * and on every link of the fabric, and a route trace. All by sockets of our own, opened in the
 * namespaces of the lab; nothing is asked of ping, traceroute or tcpdump.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { address } from '../net/address.ts'
import { openIcmp, type IcmpAnswer, type IcmpSocket } from '../linux/icmp.ts'
import { inNamespace } from '../linux/netns.ts'
import { openCapture, type Capture, type CapturedFrame } from '../linux/packet.ts'
import { describeErrno } from '../linux/sys.ts'
import { markOf, sightingIn, type Sighting } from './capture.ts'
import { containerNamed, nodeNamed, ownerOf, type Lab, type LabContainer } from './topology.ts'
import { FIRST_TTL, type Hop, type PairEvidence, type WrappingHost } from './verdict.ts'

/** An echo is sent so often at most: the first may meet an unresolved neighbour. */
const TRIES = 3
const PATIENCE_MS = 400
const STAMPS_BEGIN_MS = 50
const LONGEST_PATH = 12
/** Sequence numbers from here on belong to the trace. */
const TRACE = 0x1000

export interface Gathered {
  readonly pairs: readonly PairEvidence[]
  /** All that was captured, for a .pcap. */
  readonly frames: readonly CapturedFrame[]
}

export async function gatherEvidence(lab: Lab): Promise<Gathered> {
  const senses = openSenses(lab)
  try {
    const pairs = lab.proof.pairs.map(
      ([a, b], number) => new PairProbe(number, containerNamed(lab, a), containerNamed(lab, b)),
    )
    // The kernel begins to stamp packets a moment after it was asked to; until then all seem late.
    await sleep(STAMPS_BEGIN_MS)
    await echoAll(pairs, senses)
    await traceAll(
      pairs.filter((it) => it.roundTripMs !== undefined),
      senses,
    )
    senses.listen(pairs)
    const evidence = pairs.map((pair) => evidenceOf(lab, pair, senses))
    return { pairs: evidence, frames: senses.frames }
  } finally {
    senses.close()
  }
}

/** Path of each of these pairs, by route trace only: cheap, and without captures. */
export async function tracePaths(
  lab: Lab,
  pairs: readonly (readonly [string, string])[],
): Promise<readonly (readonly Hop[])[]> {
  const senses = openSenses(lab, false)
  try {
    const probes = pairs.map(
      ([a, b], number) => new PairProbe(number, containerNamed(lab, a), containerNamed(lab, b)),
    )
    await traceAll(probes, senses)
    return probes.map((probe) => pathOf(lab, probe))
  } finally {
    senses.close()
  }
}

/** Pairs that answer right now, as `host1.c1 > host2.c1`. */
export async function pingPairs(lab: Lab): Promise<ReadonlySet<string>> {
  const senses = openSenses(lab, false)
  try {
    const probes = lab.proof.pairs.map(
      ([a, b], number) => new PairProbe(number, containerNamed(lab, a), containerNamed(lab, b)),
    )
    await echoAll(probes, senses, 1)
    const answered = probes.filter((it) => it.roundTripMs !== undefined)
    return new Set(answered.map(({ from, to }) => `${from.name} > ${to.name}`))
  } finally {
    senses.close()
  }
}

class PairProbe {
  readonly number: number
  readonly from: LabContainer
  readonly to: LabContainer
  readonly sentAt: number[] = []
  roundTripMs: number | undefined
  refusal: string | undefined
  /** By TTL: who answered. */
  readonly hops = new Map<number, string>()
  /** TTL at which the far container itself answered. */
  reachedAt: number | undefined

  constructor(number: number, from: LabContainer, to: LabContainer) {
    this.number = number
    this.from = from
    this.to = to
  }

  get identifier(): number {
    return this.number + 1
  }

  hear(answer: IcmpAnswer, now: number): void {
    const { sequence, kind, from } = answer
    if (sequence >= TRACE) {
      const ttl = sequence - TRACE
      if (kind === 'timeExceeded') this.hops.set(ttl, from.text)
      if (kind === 'reply') this.reachedAt = Math.min(ttl, this.reachedAt ?? Infinity)
      return
    }
    if (kind === 'reply') {
      // Of somebody else's address it is no answer (a stranger's, or a translated one).
      if (from.text !== this.to.address) return
      this.roundTripMs ??= now - (this.sentAt[sequence] ?? now)
    } else {
      const what =
        kind === 'timeExceeded' ? 'TTL exceeded' : (UNREACHABLE[answer.code] ?? 'refused')
      this.refusal = `${from.text} says ${what}`
    }
  }

  /** Every TTL up to the far container, or up to the limit, has an answer. */
  get traced(): boolean {
    const last = this.reachedAt ?? Infinity
    if (last === Infinity) return false
    for (let ttl = 1; ttl < last; ttl++) if (!this.hops.has(ttl)) return false
    return true
  }
}

const UNREACHABLE: Readonly<Record<number, string>> = {
  0: 'network unreachable',
  1: 'host unreachable',
  2: 'protocol unreachable',
  3: 'port unreachable',
  9: 'network prohibited',
  10: 'host prohibited',
  13: 'prohibited',
}

interface Senses {
  readonly frames: CapturedFrame[]
  /** Sightings so far, by place. */
  readonly containers: ReadonlyMap<string, readonly Sighting[]>
  readonly fabric: readonly Sighting[]
  socketOf(container: string): IcmpSocket
  /** Takes in what arrived since the last call. */
  listen(pairs: readonly PairProbe[]): void
  close(): void
}

function openSenses(lab: Lab, capturing = true): Senses {
  const sockets = new Map<string, IcmpSocket>()
  const captures: { capture: Capture; at: string; sightings: Sighting[]; fabric: boolean }[] = []
  const containers = new Map<string, Sighting[]>()
  const fabric: Sighting[] = []
  const times = new Map<Sighting, number>()
  const frames: CapturedFrame[] = []
  const close = (): void => {
    for (const socket of sockets.values()) socket.close()
    for (const { capture } of captures) capture.close()
  }
  try {
    for (const name of new Set(lab.proof.pairs.flat())) {
      const container = containerNamed(lab, name)
      sockets.set(
        name,
        inNamespace(name, () => openIcmp(address(container.address))),
      )
      if (!capturing) continue
      const sightings: Sighting[] = []
      containers.set(name, sightings)
      const capture = inNamespace(name, () => openCapture('eth0', { incomingOnly: true }))
      captures.push({ capture, at: `${name}:eth0`, sightings, fabric: false })
    }
    const ends = capturing ? lab.links.flatMap((link) => link.ends) : []
    for (const { node, interface: name } of ends) {
      const capture = inNamespace(node, () => openCapture(name))
      captures.push({ capture, at: `${node}:${name}`, sightings: fabric, fabric: true })
    }
  } catch (error) {
    close()
    throw error
  }
  return {
    frames,
    containers,
    fabric,
    socketOf(container) {
      const socket = sockets.get(container)
      if (socket === undefined) throw new RangeError(`no socket in ${container}`)
      return socket
    },
    listen(pairs) {
      const now = performance.now()
      for (const [name, socket] of sockets) {
        for (const answer of socket.drain()) {
          const pair = pairs.find((it) => it.identifier === answer.identifier)
          if (pair?.from.name === name) pair.hear(answer, now)
        }
      }
      for (const { capture, at, sightings, fabric: onFabric } of captures) {
        for (const frame of capture.drain()) {
          // Each cable is watched at both ends; count what leaves, after NAT and wrapping.
          if (onFabric && !frame.outgoing) continue
          frames.push(frame)
          const sighting = sightingIn(frame.bytes, at)
          if (sighting === undefined) continue
          sightings.push(sighting)
          times.set(sighting, frame.seconds * 1e3 + frame.nanoseconds / 1e6)
        }
      }
      // Sockets are drained one after the other; the kernel's stamps tell the true order.
      fabric.sort((a, b) => (times.get(a) ?? 0) - (times.get(b) ?? 0))
    },
    close,
  }
}

async function echoAll(pairs: readonly PairProbe[], senses: Senses, tries = TRIES): Promise<void> {
  for (let attempt = 1; attempt <= tries; attempt++) {
    const waiting = pairs.filter((it) => it.roundTripMs === undefined)
    for (const pair of waiting) {
      pair.sentAt[attempt] = performance.now()
      const result = senses.socketOf(pair.from.name).send({
        to: address(pair.to.address),
        identifier: pair.identifier,
        sequence: attempt,
        ttl: FIRST_TTL,
        payload: markOf(pair.number),
      })
      if (result < 0) pair.refusal = `its own kernel says ${describeErrno(-result)}`
      senses.listen(pairs)
    }
    await listenUntil(pairs, senses, () => waiting.every((it) => it.roundTripMs !== undefined))
  }
}

async function traceAll(pairs: readonly PairProbe[], senses: Senses): Promise<void> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const waiting = pairs.filter((it) => !it.traced)
    for (const pair of waiting) {
      for (let ttl = 1; ttl <= LONGEST_PATH; ttl++) {
        if (pair.hops.has(ttl) || ttl > (pair.reachedAt ?? LONGEST_PATH)) continue
        senses.socketOf(pair.from.name).send({
          to: address(pair.to.address),
          identifier: pair.identifier,
          sequence: TRACE + ttl,
          ttl,
          payload: new Uint8Array(8),
        })
      }
      senses.listen(pairs)
    }
    await listenUntil(pairs, senses, () => waiting.every((it) => it.traced))
  }
}

async function listenUntil(
  pairs: readonly PairProbe[],
  senses: Senses,
  done: () => boolean,
): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    senses.listen(pairs)
    if (done() || performance.now() > deadline) return
    await sleep(1)
  }
}

function pathOf(lab: Lab, pair: PairProbe): Hop[] {
  const hops: Hop[] = []
  const last = pair.reachedAt ?? Math.max(0, ...pair.hops.keys()) + 1
  for (let ttl = 1; ttl < last; ttl++) {
    const at = pair.hops.get(ttl)
    hops.push({ address: at, node: at === undefined ? undefined : ownerOf(lab, at) })
  }
  return hops
}

function evidenceOf(lab: Lab, pair: PairProbe, senses: Senses): PairEvidence {
  const { from, to, number, roundTripMs, refusal } = pair
  const mine = (sightings: readonly Sighting[] | undefined, kind?: Sighting['kind']): Sighting[] =>
    (sightings ?? []).filter((it) => it.pair === number && (kind ?? it.kind) === it.kind)
  return {
    from: { name: from.name, address: from.address },
    to: { name: to.name, address: to.address },
    roundTripMs,
    refusal,
    atFar: mine(senses.containers.get(to.name), 'request'),
    atNear: mine(senses.containers.get(from.name), 'reply'),
    onFabric: mine(senses.fabric),
    path: pathOf(lab, pair),
    traced: pair.reachedAt !== undefined,
    ...wrappedOf(lab, from, to),
  }
}

const WRAPPINGS = { ipip: 'IP-in-IP', vxlan: 'VXLAN', 'vxlan-gpe': 'VXLAN-GPE' } as const

/** How packets between the hosts of these containers are to be wrapped. */
function wrappedOf(lab: Lab, from: LabContainer, to: LabContainer): Pick<PairEvidence, 'wrapped'> {
  const order = lab.proof.wrapped
  if (order === undefined) return {}
  const isOf = (pair: readonly string[]): boolean =>
    pair.includes(from.node) && pair.includes(to.node)
  if (order.between !== 'all' && !order.between.some(isOf)) return {}
  const host = (name: string): WrappingHost => {
    const { interfaces, bridges } = nodeNamed(lab, name)
    return { name, addresses: [...interfaces, ...bridges].map(({ address }) => address) }
  }
  return { wrapped: { by: WRAPPINGS[order.in], hosts: [host(from.node), host(to.node)] } }
}
