/**
 * Looks from time to time whether wrapped packets arrive at the other hosts of the overlay (`path-probe.ts` says
 * how), and tells once what is in the way. Nothing is forwarded otherwise for that.
 *
 * A few hosts are asked at the same time, and begun with one after the other; the sockets are open meanwhile only,
 * for the kernel hands them a copy of each wrapped packet.
 */
import type { Overlay } from '../fib/dataplanes/overlay.ts'
import {
  NEW_PATH,
  step,
  type Action,
  type Event,
  type Finding,
  type Path,
  type Probe,
} from '../fib/dataplanes/path-probe.ts'
import { findingText } from '../fib/dataplanes/path-text.ts'
import type { openPathProbes, PathProbes } from '../linux/path-probes.ts'
import { SystemError } from '../linux/sys.ts'
import type { Address } from '../net/address.ts'
import type { Clock, Timer } from '../net/clock.ts'
import { contains } from '../net/prefix.ts'
import type { NextHop } from '../rib/next-hop-table.ts'
import type { HostView } from '../sources/source.ts'
import type { Events } from './events.ts'

export interface PathsWorld {
  readonly host: HostView
  readonly events: Events
  readonly clock: Clock
  readonly open: typeof openPathProbes
}

/** Until the other end knows of us as well. */
const FIRST_LOOK_MS = 2_000
/** Hosts that are being asked; the others wait. */
const MOST_AT_ONCE = 8
const BETWEEN_STARTS_MS = 50
const LISTEN_EVERY_MS = 10
const MOST_PROBLEMS = 10
/** Inner IPv4 header and ICMP. */
const ECHO_BYTES = 28
const SEQUENCES = 0x10000
const SCOPE_UNIVERSE = 0

/** The way to one next hop. */
interface Way {
  nextHop: NextHop
  path: Path
  /** The wait for an answer; undefined while nothing is asked. */
  wait: Timer | undefined
  dueAt: number
}

export class OverlayPaths {
  readonly #overlay: Overlay
  readonly #world: PathsWorld
  readonly #ways = new Map<string, Way>()
  readonly #sent = new Map<number, { readonly way: Way; readonly probe: Probe }>()
  readonly #identifier = Math.floor(Math.random() * 0x10000)
  #sequence = 0
  #asked = 0
  #sockets: PathProbes | undefined
  /** They can't be had. */
  #closed = false
  #startTimer: Timer | undefined
  #listenTimer: Timer | undefined

  constructor(overlay: Overlay, world: PathsWorld) {
    this.#overlay = overlay
    this.#world = world
  }

  /** What is in the way, with the remedy. */
  get problems(): readonly string[] {
    const texts: string[] = []
    for (const { nextHop, path } of this.#ways.values()) {
      const { finding } = path
      const isWell = finding.kind === 'open' || finding.kind === 'unknown'
      if (!isWell) texts.push(this.#textOf(nextHop.address, finding))
    }
    const more = texts.length - MOST_PROBLEMS
    return more <= 0
      ? texts
      : [...texts.slice(0, MOST_PROBLEMS), `and likewise to ${more} more hosts of the overlay`]
  }

  /** The overlay has these next hops now. */
  serve(nextHops: readonly NextHop[]): void {
    if (this.#closed) return
    const wrapped = new Map(
      nextHops.filter((it) => this.#isWrapped(it)).map((it) => [it.address.text, it]),
    )
    // Without a device nothing is wrapped, and they will be back.
    if (this.#overlay.tunnel === undefined) return
    for (const [text, way] of this.#ways) if (!wrapped.has(text)) this.#forget(text, way)
    const dueAt = this.#world.clock.now() + FIRST_LOOK_MS
    for (const [text, nextHop] of wrapped) {
      const way = this.#ways.get(text)
      if (way === undefined)
        this.#ways.set(text, { nextHop, path: NEW_PATH, wait: undefined, dueAt })
      else way.nextHop = nextHop
    }
    this.#schedule()
  }

  close(): void {
    this.#closed = true
    for (const [text, way] of this.#ways) this.#forget(text, way)
    this.#startTimer?.cancel()
  }

  #isWrapped(nextHop: NextHop): boolean {
    const { tunnel } = this.#overlay
    return tunnel !== undefined && this.#overlay.waysTo(nextHop).some(({ link }) => link === tunnel)
  }

  #forget(text: string, way: Way): void {
    this.#ways.delete(text)
    if (way.wait !== undefined) this.#leave(way)
  }

  /** Begins with the next way in time. */
  #schedule(pauseMs = 0): void {
    this.#startTimer?.cancel()
    this.#startTimer = undefined
    if (this.#closed || this.#asked >= MOST_AT_ONCE) return
    let next: Way | undefined
    for (const way of this.#ways.values()) {
      if (way.wait === undefined && (next === undefined || way.dueAt < next.dueAt)) next = way
    }
    if (next === undefined) return
    const way = next
    const { clock } = this.#world
    this.#startTimer = clock.after(Math.max(pauseMs, way.dueAt - clock.now()), () => {
      this.#look(way)
      this.#schedule(BETWEEN_STARTS_MS)
    })
  }

  #look(way: Way): void {
    const { options, dataplane, tunnel } = this.#overlay
    way.dueAt = this.#world.clock.now() + FIRST_LOOK_MS
    const device = [...this.#world.host.links()].find(({ index }) => index === tunnel)
    if (device === undefined || !this.#isWrapped(way.nextHop) || !this.#open()) return
    const overhead = dataplane.overheadBytes(options)
    this.#asked++
    this.#step(way, { type: 'LookDue', least: ECHO_BYTES + overhead, most: device.mtu + overhead })
  }

  /** Takes the sockets; false when there are none to be had. */
  #open(): boolean {
    if (this.#sockets !== undefined) return true
    const { events, clock, open } = this.#world
    const { dataplane, options } = this.#overlay
    const { protocol } = dataplane.outer(options)
    const header = (innerBytes: number): Uint8Array => dataplane.header(options, innerBytes)
    try {
      this.#sockets = open({ protocol, header }, this.#identifier)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.close()
      const text = `whether wrapped packets arrive is not looked at: ${error.message}; it takes CAP_NET_RAW`
      events.tell({ level: 'info', topic: 'fib', kind: 'OverlayPathUnknown', text })
      return false
    }
    this.#listenTimer = clock.after(LISTEN_EVERY_MS, () => this.#listen())
    return true
  }

  #listen(): void {
    this.#hear()
    if (this.#sockets === undefined) return
    this.#listenTimer = this.#world.clock.after(LISTEN_EVERY_MS, () => this.#listen())
  }

  #hear(): void {
    for (const { from, sequence } of this.#sockets?.drain() ?? []) {
      const sent = this.#sent.get(sequence)
      if (sent === undefined || sent.way.nextHop.address.text !== from.text) continue
      if (sent.way.wait === undefined) continue
      this.#step(sent.way, { type: 'ProbeAnswered', probe: sent.probe })
    }
  }

  /** The wait is over; what has come meanwhile counts first. */
  #silence(way: Way): void {
    const { wait } = way
    this.#hear()
    if (way.wait === wait && wait !== undefined) this.#step(way, { type: 'WaitOver' })
  }

  #step(way: Way, event: Event): void {
    const { path, actions } = step(way.path, event)
    way.path = path
    for (const action of actions) this.#carryOut(way, action)
  }

  #carryOut(way: Way, action: Action): void {
    const { clock } = this.#world
    switch (action.type) {
      case 'SendProbe':
        return this.#send(way, action.probe, action.again)
      case 'Wait':
        way.wait?.cancel()
        way.wait = clock.after(action.milliseconds, () => this.#silence(way))
        return
      case 'Rest':
        way.dueAt = clock.now() + action.milliseconds
        this.#leave(way)
        return this.#schedule(BETWEEN_STARTS_MS)
      case 'TellFinding':
        return this.#tell(way.nextHop.address, action.from, action.to)
    }
  }

  /**
   * From an address of ours inside the overlay, where there is one: to the other end such a packet is as good as those
   * of our containers, whatever its rp_filter. When asked again, also from the address that the kernel takes.
   */
  #send(way: Way, probe: Probe, again: boolean): void {
    const to = way.nextHop.address
    const inside = probe.wrapped ? this.#insideAddress() : undefined
    const usual = inside === undefined || again ? this.#sockets?.sourceTo(to) : undefined
    for (const from of [inside, usual]) {
      if (from === undefined) continue
      this.#sequence = (this.#sequence + 1) % SEQUENCES
      this.#sent.set(this.#sequence, { way, probe })
      this.#sockets?.send({ ...probe, to, from, sequence: this.#sequence })
    }
  }

  #insideAddress(): Address | undefined {
    for (const { address, scope } of this.#world.host.addresses()) {
      const isOurs = scope === SCOPE_UNIVERSE && address.family === 'ipv4'
      if (isOurs && this.#overlay.options.prefixes.some((it) => contains(it, address)))
        return address
    }
    return undefined
  }

  /** Nothing is asked of it any more. */
  #leave(way: Way): void {
    way.wait?.cancel()
    way.wait = undefined
    if (--this.#asked > 0) return
    this.#listenTimer?.cancel()
    this.#sent.clear()
    this.#sockets?.close()
    this.#sockets = undefined
  }

  #tell(to: Address, from: Finding, finding: Finding): void {
    // That the way is open is news only when it was not.
    if (finding.kind === 'open' && from.kind === 'unknown') return
    const level = finding.kind === 'open' ? 'info' : 'warn'
    const text = this.#textOf(to, finding)
    this.#world.events.tell({ level, topic: 'fib', kind: KINDS[finding.kind], text })
  }

  #textOf(to: Address, finding: Finding): string {
    const { dataplane, options } = this.#overlay
    const trusted = this.#insideAddress() !== undefined
    return findingText({ dataplane, options, to, trusted }, finding)
  }
}

const KINDS: Record<Finding['kind'], string> = {
  unknown: 'OverlayPathUnknown',
  open: 'OverlayPathFree',
  blocked: 'OverlayPathBlocked',
  narrow: 'OverlayPathNarrow',
}
