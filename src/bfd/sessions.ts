/**
 * All BFD sessions of a host: which one a packet belongs to (RFC 5880 section 6.8.6), who joins and who leaves.
 *
 * A packet that knows our discriminator is found by that; the first ones of a peer, which don't, by where they
 * come from. A session that is removed says AdminDown for a detection time, so that the peer does not take it
 * for a failure (section 6.8.16).
 */
import type { Address } from '../net/address.ts'
import type { Clock, Timer } from '../net/clock.ts'
import { Authentication, type BfdKey, type Digest } from './authentication.ts'
import { decodePacket } from './packet.ts'
import { BfdSession, type BfdReport } from './session.ts'
import { Stalls } from './stalls.ts'
import type { BfdTimers } from './state-machine.ts'
import type { BfdPath, BfdTransport, Heard, Hops } from './transport.ts'

export interface BfdSpec {
  readonly path: BfdPath
  readonly timers: BfdTimers
  readonly key?: BfdKey
}

export interface BfdWorld {
  readonly clock: Clock
  /** 0.0 to 1.0. */
  readonly random: () => number
  readonly digest: Digest
  /** Opens the sockets; `heard` takes what they receive. */
  transport(heard: Heard): BfdTransport
  /** `failure`: the path of the session has broken just now. */
  changed(name: string, report: BfdReport, failure: boolean): void
  /** A session can't be had, in words for people. */
  failed(name: string, problem: string): void
}

interface Entry {
  readonly name: string
  readonly spec: BfdSpec
  readonly session: BfdSession
}

/** How long one that is removed goes on to say AdminDown, at least. */
const FAREWELL_MS = 1000

export class BfdSessions {
  readonly #world: BfdWorld
  readonly #transport: BfdTransport
  readonly #stalls = new Stalls()
  readonly #byName = new Map<string, Entry>()
  readonly #byDiscriminator = new Map<number, Entry>()
  readonly #byPath = new Map<string, Entry>()
  /** Those that are removed, until they have said good-bye for long enough; they are still on their paths. */
  readonly #leaving = new Map<number, Timer>()
  #refused = 0

  constructor(world: BfdWorld) {
    this.#world = world
    this.#transport = world.transport((...packet) => this.#heard(...packet))
  }

  /** Packets of nobody, or not worth to be believed. */
  get refused(): number {
    return this.#refused
  }

  report(name: string): BfdReport | undefined {
    return this.#byName.get(name)?.session.report
  }

  /** Adds a session, or gives it other terms; it stays the same as long as the peer and the hops do. */
  set(name: string, spec: BfdSpec): void {
    const old = this.#byName.get(name)
    if (old !== undefined && pathKey(old.spec.path) !== pathKey(spec.path)) this.remove(name)
    const entry = this.#byName.get(name)
    try {
      if (entry === undefined) this.#add(name, spec)
      else this.#change(entry, spec)
    } catch (error) {
      this.#world.failed(name, error instanceof Error ? error.message : String(error))
    }
  }

  remove(name: string): void {
    const entry = this.#byName.get(name)
    if (entry === undefined) return
    const { session } = entry
    this.#byName.delete(name)
    session.handle({ type: 'Disabled' })
    const waitMs = Math.max(FAREWELL_MS, session.report.detectionMs)
    const timer = this.#world.clock.after(waitMs, () => this.#drop(entry))
    this.#leaving.set(session.discriminator, timer)
  }

  /** Says good-bye and ends them all at once. */
  close(): void {
    for (const { session } of this.#byDiscriminator.values()) {
      session.handle({ type: 'Disabled' })
      session.close()
    }
    for (const timer of this.#leaving.values()) timer.cancel()
    this.#leaving.clear()
    this.#byName.clear()
    this.#byDiscriminator.clear()
    this.#byPath.clear()
    this.#transport.close()
  }

  #add(name: string, spec: BfdSpec): void {
    const left = this.#byPath.get(pathKey(spec.path))
    // Two on one path, one of them saying good-bye, would confuse the peer.
    if (left?.name === name) return this.#resume(left, spec)
    if (left !== undefined) this.#drop(left)
    const outlet = this.#transport.open(spec.path)
    const { clock, random } = this.#world
    const session: BfdSession = new BfdSession(
      this.#newDiscriminator(),
      spec.timers,
      outlet,
      this.#authentication(spec),
      {
        clock,
        random,
        stalls: this.#stalls,
        drain: () => this.#transport.drain(),
        changed: (failure) => {
          if (this.#byName.get(name)?.session !== session) return
          this.#world.changed(name, session.report, failure)
        },
      },
    )
    this.#keep({ name, spec, session })
    this.#world.changed(name, session.report, false)
  }

  #resume(entry: Entry, spec: BfdSpec): void {
    this.#stay(entry)
    this.#byName.set(entry.name, entry)
    this.#change(entry, spec)
    entry.session.handle({ type: 'Enabled' })
  }

  #stay({ session: { discriminator } }: Entry): void {
    this.#leaving.get(discriminator)?.cancel()
    this.#leaving.delete(discriminator)
  }

  #drop(entry: Entry): void {
    const { spec, session } = entry
    this.#stay(entry)
    this.#byPath.delete(pathKey(spec.path))
    this.#byDiscriminator.delete(session.discriminator)
    session.close()
  }

  #change({ name, spec: before, session }: Entry, spec: BfdSpec): void {
    const { local, device } = before.path
    if (local?.text !== spec.path.local?.text || device !== spec.path.device) {
      const outlet = this.#transport.open(spec.path)
      session.outlet.close()
      session.outlet = outlet
    }
    if (!sameKey(before.key, spec.key)) session.authentication = this.#authentication(spec)
    if (!sameTimers(before.timers, spec.timers)) {
      session.handle({ type: 'TimersChanged', timers: spec.timers })
    }
    this.#keep({ name, spec, session })
  }

  #keep(entry: Entry): void {
    this.#byName.set(entry.name, entry)
    this.#byDiscriminator.set(entry.session.discriminator, entry)
    this.#byPath.set(pathKey(entry.spec.path), entry)
  }

  #authentication({ key }: BfdSpec): Authentication | undefined {
    if (key === undefined) return undefined
    return new Authentication(key, this.#world.digest, this.#random32())
  }

  #heard(bytes: Uint8Array, from: Address, hops: Hops): void {
    const decoded = decodePacket(bytes)
    if ('problem' in decoded) {
      this.#refused++
      return
    }
    const { packet } = decoded
    const entry =
      packet.yourDiscriminator === 0
        ? this.#byPath.get(`${hops} ${from.text}`)
        : this.#byDiscriminator.get(packet.yourDiscriminator)
    // A packet over routers must not speak for a session on the link.
    if (entry?.spec.path.hops !== hops || entry.session.receive(packet) !== undefined) {
      this.#refused++
    } else if (this.#leaving.size > 0) this.#meetAgain(entry, packet.myDiscriminator)
  }

  /**
   * A peer that is at another address now has the same session as before: it must not go on to hear
   * good-bye on the old path.
   */
  #meetAgain(entry: Entry, remoteDiscriminator: number): void {
    if (this.#byName.get(entry.name) !== entry) return
    for (const discriminator of this.#leaving.keys()) {
      const left = this.#byDiscriminator.get(discriminator)
      if (left?.name !== entry.name) continue
      if (left.session.report.remoteDiscriminator === remoteDiscriminator) this.#drop(left)
    }
  }

  #newDiscriminator(): number {
    for (;;) {
      const discriminator = this.#random32()
      if (discriminator !== 0 && !this.#byDiscriminator.has(discriminator)) return discriminator
    }
  }

  #random32(): number {
    return Math.floor(this.#world.random() * 2 ** 32)
  }
}

const pathKey = ({ hops, remote }: BfdPath): string => `${hops} ${remote.text}`

const sameTimers = (one: BfdTimers, other: BfdTimers): boolean =>
  one.desiredMinTxMicroseconds === other.desiredMinTxMicroseconds &&
  one.requiredMinRxMicroseconds === other.requiredMinRxMicroseconds &&
  one.detectMultiplier === other.detectMultiplier

const sameKey = (one: BfdKey | undefined, other: BfdKey | undefined): boolean =>
  one?.id === other?.id &&
  one?.meticulous === other?.meticulous &&
  one?.secret.join() === other?.secret.join()
