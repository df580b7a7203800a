/**
 * Drives the state machine of one session: its timers, its packets, and what is told of it.
 *
 * Before silence counts, the sockets are emptied (`drain`) and our own stalls are taken off: a thread that did
 * not run must not take its deafness for the peer's death. That may put a failure off by one more detection
 * time, and no longer.
 */
import type { Clock, Timer } from '../net/clock.ts'
import type { Authentication } from './authentication.ts'
import { encodePacket, type BfdPacket, type State } from './packet.ts'
import type { Stalls } from './stalls.ts'
import {
  begin,
  detectionMicroseconds,
  packetOf,
  step,
  transmitMicroseconds,
  type Action,
  type BfdTimers,
  type Event,
  type Session,
  type Step,
} from './state-machine.ts'
import type { BfdOutlet } from './transport.ts'

export interface SessionWorld {
  readonly clock: Clock
  /** 0.0 to 1.0, for jitter. */
  readonly random: () => number
  readonly stalls: Stalls
  /** Reads all that waits in the sockets. */
  drain(): void
  /** There is something new to tell; `failure` when the path has broken (state-machine.ts). */
  changed(failure: boolean): void
}

/** A session at one moment, for people: plain data. */
export interface BfdReport {
  readonly state: State
  /** When it entered the state, in milliseconds since the epoch. */
  readonly since: number
  readonly diagnostic: number
  readonly discriminator: number
  readonly remoteState: State
  readonly remoteDiagnostic: number
  readonly remoteDiscriminator: number
  readonly remoteDetectMultiplier: number
  /** The peer's BFD goes on when its control plane restarts (C). */
  readonly controlPlaneIndependent: boolean
  /** Between two of our packets, before jitter; 0 for none. */
  readonly transmitMs: number
  /** Between two packets of the peer. */
  readonly receiveMs: number
  /** Silence that ends the session; 0 while nothing is heard. */
  readonly detectionMs: number
  /** Times that it was Up, and times that it failed. */
  readonly ups: number
  readonly failures: number
  /** The longest silence of the peer while Up. */
  readonly longestSilenceMs: number
}

/** A record of silence is worth telling when it is this much longer than the one told. */
const NEW_RECORD = 1.1

export class BfdSession {
  authentication: Authentication | undefined
  outlet: BfdOutlet
  readonly #world: SessionWorld
  #session: Session
  #sinceWallMs: number
  #ups = 0
  #failures = 0
  #longestSilenceMs = 0
  #toldSilenceMs = 0
  #leastMs = 0
  #mostMs = 0
  #sentAtMs = -Infinity
  #transmitTimer: Timer | undefined
  #heardAtMs = 0
  #stalledBeforeMs = 0
  #detectionMs = 0
  #detectionTimer: Timer | undefined
  #watchUntilMs = 0
  #forgetTimer: Timer | undefined
  #closed = false

  constructor(
    discriminator: number,
    timers: BfdTimers,
    outlet: BfdOutlet,
    authentication: Authentication | undefined,
    world: SessionWorld,
  ) {
    this.#world = world
    this.outlet = outlet
    this.authentication = authentication
    this.#sinceWallMs = world.clock.wallNow()
    const first = begin(discriminator, timers)
    this.#session = first.session
    this.#take(first)
  }

  get discriminator(): number {
    return this.#session.discriminator
  }

  /** A packet for this session, not yet known to be the peer's; says why it is not believed, if it isn't. */
  receive(packet: BfdPacket): string | undefined {
    const { authentication } = this
    if (authentication === undefined && packet.authentication !== undefined) return 'signed'
    const problem = authentication?.problemOf(packet)
    if (problem !== undefined) return problem
    const now = this.#world.clock.now()
    if (isSteady(this.#session, packet)) this.#noteSilence(now - this.#heardAtMs)
    this.#heardAtMs = now
    this.#forgetTimer?.cancel()
    this.#stalledBeforeMs = this.#world.stalls.totalMs
    this.handle({ type: 'PacketReceived', packet })
    return undefined
  }

  handle(event: Event): void {
    if (this.#closed) return
    const before = this.#session
    const after = step(before, event)
    this.#take(after)
    const stateTold = after.actions.some(({ type }) => type === 'TellState')
    if (!stateTold && isNews(before, this.#session)) this.#world.changed(false)
  }

  /** No packet and no event follows. */
  close(): void {
    this.#closed = true
    this.#transmitTimer?.cancel()
    this.#detectionTimer?.cancel()
    this.#forgetTimer?.cancel()
    this.outlet.close()
  }

  get report(): BfdReport {
    const session = this.#session
    const { remote } = session
    return {
      state: session.state,
      since: this.#sinceWallMs,
      diagnostic: session.diagnostic,
      discriminator: session.discriminator,
      remoteState: remote.state,
      remoteDiagnostic: remote.diagnostic,
      remoteDiscriminator: remote.discriminator,
      remoteDetectMultiplier: remote.detectMultiplier,
      controlPlaneIndependent: remote.controlPlaneIndependent,
      transmitMs: transmitMicroseconds(session) / 1000,
      receiveMs: Math.max(session.usedRxMicroseconds, remote.desiredMinTxMicroseconds) / 1000,
      detectionMs: detectionMicroseconds(session) / 1000,
      ups: this.#ups,
      failures: this.#failures,
      longestSilenceMs: Math.round(this.#longestSilenceMs),
    }
  }

  #take({ session, actions }: Step): void {
    this.#session = session
    for (const action of actions) this.#do(action)
  }

  #do(action: Action): void {
    switch (action.type) {
      case 'SendPacket':
        return this.#send(action.packet)
      case 'SetTransmitInterval':
        this.#leastMs = action.leastMs
        this.#mostMs = action.mostMs
        return this.#scheduleTransmission()
      case 'RestartDetection':
        this.#detectionMs = action.afterMs
        return this.#watch()
      case 'TellState':
        this.#sinceWallMs = this.#world.clock.wallNow()
        if (action.to === 'Up') this.#ups++
        if (action.failure) this.#failures++
        return this.#world.changed(action.failure)
    }
  }

  #send(packet: BfdPacket): void {
    this.#sentAtMs = this.#world.clock.now()
    this.outlet.send(this.authentication?.sign(packet) ?? encodePacket(packet))
    // A packet out of turn is one of the row: the next is due an interval later.
    if (this.#transmitTimer !== undefined) this.#scheduleTransmission()
  }

  #scheduleTransmission(): void {
    this.#transmitTimer?.cancel()
    this.#transmitTimer = undefined
    if (this.#mostMs === 0 || this.#closed) return
    const { clock, random, stalls } = this.#world
    const waitMs = this.#leastMs + random() * (this.#mostMs - this.#leastMs)
    const dueMs = Math.max(clock.now(), this.#sentAtMs + waitMs)
    this.#transmitTimer = clock.after(dueMs - clock.now(), () => {
      stalls.note(dueMs, clock.now())
      this.#send(packetOf(this.#session))
    })
  }

  /** One timer, mostly moved on when it fires: packets come far more often than silence. */
  #watch(): void {
    const isTooLate = this.#watchUntilMs > this.#dueMs()
    if (this.#detectionMs === 0 || isTooLate) {
      this.#detectionTimer?.cancel()
      this.#detectionTimer = undefined
    }
    if (this.#detectionMs > 0 && this.#detectionTimer === undefined) this.#sleepUntilDue()
  }

  #sleepUntilDue(): void {
    const { clock, stalls } = this.#world
    const dueMs = Math.max(clock.now(), this.#dueMs())
    this.#watchUntilMs = dueMs
    this.#detectionTimer = clock.after(dueMs - clock.now(), () => {
      stalls.note(dueMs, clock.now())
      this.#detectionTimer = undefined
      if (this.#dueMs() <= clock.now()) this.#world.drain()
      if (this.#detectionMs === 0 || this.#closed || this.#detectionTimer !== undefined) return
      if (this.#dueMs() > clock.now()) return this.#sleepUntilDue()
      // Twice the detection time without a packet: the peer may begin to count anew (bfd.AuthSeqKnown, 6.8.1).
      this.#forgetTimer = clock.after(this.#detectionMs, () =>
        this.authentication?.forgetSequence(),
      )
      this.handle({ type: 'DetectionTimeExpired' })
    })
  }

  #dueMs(): number {
    const stalledMs = this.#world.stalls.totalMs - this.#stalledBeforeMs
    return this.#heardAtMs + this.#detectionMs + Math.min(this.#detectionMs, stalledMs)
  }

  #noteSilence(ms: number): void {
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, ms)
    if (this.#longestSilenceMs < this.#toldSilenceMs * NEW_RECORD) return
    this.#toldSilenceMs = this.#longestSilenceMs
    this.#world.changed(false)
  }
}

/** The peer sends at the pace that it said before: a silence of it means something. */
const isSteady = ({ state, remote }: Session, packet: BfdPacket): boolean =>
  state === 'Up' &&
  remote.state === 'Up' &&
  remote.desiredMinTxMicroseconds === packet.desiredMinTxMicroseconds

const isNews = (before: Session, after: Session): boolean =>
  before.remote.state !== after.remote.state ||
  before.remote.discriminator !== after.remote.discriminator ||
  before.remote.controlPlaneIndependent !== after.remote.controlPlaneIndependent ||
  transmitMicroseconds(before) !== transmitMicroseconds(after) ||
  detectionMicroseconds(before) !== detectionMicroseconds(after)
