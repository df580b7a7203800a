/**
 * A configured neighbour and its session (RFC 4271 section 8).
 *
 * A peer runs two conversations at once: one calls, one listens. Both go through the same state machine;
 * when both get an answer, `collision.ts` picks the one to keep. This file decides only what is between
 * them: when to call again (`back-off.ts`), when to listen, which connection is turned away, and what
 * the peer looks like from outside (`snapshot`). It never reads the time or opens a socket by itself:
 * clock, randomness and transport are handed in, so that tests own them.
 */
import type { Family } from '../net/family.ts'
import type { Timer } from '../net/clock.ts'
import {
  CONNECTION_COLLISION_RESOLUTION,
  CONNECTION_REJECTED,
  ERROR_CEASE,
} from '../wire/constants.ts'
import { encodeNotification } from '../wire/notification.ts'
import { Arrivals } from './arrivals.ts'
import { BackOff } from './back-off.ts'
import { causeOfCease, ceaseNotification, SUPERSEDED } from './cause.ts'
import { loserOf, type Loser } from './collision.ts'
import { Conversation } from './conversation.ts'
import type { ConversationHost } from './conversation-host.ts'
import { clearCounters, copyOf, newCounters, type Counters } from './counters.ts'
import { STATES, type State } from './fsm.ts'
import type { LastError, Opens } from './last-error.ts'
import { Line } from './line.ts'
import type { Negotiated } from './negotiation.ts'
import type { Cease, PeerEnvironment, PeerEvents, PeerOptions } from './peer-options.ts'
import type { PeerSnapshot } from './snapshot.ts'
import type { Connection, Endpoint } from './transport.ts'

export class Peer {
  #options: PeerOptions
  readonly #environment: PeerEnvironment
  readonly #events: PeerEvents
  readonly #counters: Counters = newCounters()
  readonly #backOff: BackOff
  readonly #arrivals: Arrivals
  readonly #calling: Conversation
  readonly #listening: Conversation
  #started = false
  #settling = false
  #state: State = 'Idle'
  #sinceWallMs: number
  #nextAttempt: Timer | undefined
  #nextAttemptAtMs = 0
  #establishedAtMs = 0
  #established = 0
  #flaps = 0
  #lastError: LastError | undefined
  /** The NOTIFICATION of the present session, which ends it. */
  #ending: LastError | undefined
  /** Why the last session or attempt came to nothing. */
  #trouble = 'not started'

  constructor(options: PeerOptions, environment: PeerEnvironment, events: PeerEvents) {
    this.#options = options
    this.#environment = environment
    this.#events = events
    this.#sinceWallMs = environment.clock.wallNow()
    const { random } = environment
    this.#backOff = new BackOff({ firstSeconds: options.connectRetrySeconds, random })
    this.#arrivals = new Arrivals(environment.clock.now)
    const host = this.#host()
    this.#calling = new Conversation(host, false)
    this.#listening = new Conversation(host, true)
  }

  get options(): PeerOptions {
    return this.#options
  }

  get state(): State {
    return this.#state
  }

  start(): void {
    if (this.#started) return
    this.#started = true
    this.#trouble = 'not connected yet'
    this.#listening.handle({ type: 'ManuallyStartedPassively' }, 'started')
    if (!this.options.passive) this.#calling.handle({ type: 'ManuallyStarted' }, 'started')
  }

  /**
   * Other settings for the same peer. The options of its socket, the key among them, count at once, also
   * for the connection that is up; the others from the next attempt on.
   */
  reconfigure(options: PeerOptions): void {
    this.#options = options
    this.#backOff.firstSeconds = options.connectRetrySeconds
    for (const conversation of this.#both()) conversation.line?.configure(options.socket)
    if (options.passive && !inOpenOrLater(this.#calling)) {
      this.#cancelNextAttempt()
      const notification = ceaseNotification({ subcode: CONNECTION_REJECTED })
      this.#calling.handle({ type: 'ManuallyStopped', notification }, 'passive from now on')
    }
    this.#settle()
  }

  /** Ceases and stays down until `start`. */
  stop(cease: Cease): void {
    const cause = causeOfCease('shut down', cease)
    const event = { type: 'ManuallyStopped', notification: ceaseNotification(cease) } as const
    this.#started = false
    this.#cancelNextAttempt()
    // The one that is further last: the peer falls to Idle in one step.
    const both = this.#both().toSorted((one, other) => rank(one) - rank(other))
    for (const conversation of both) conversation.handle(event, cause)
    this.#trouble = cause
  }

  /**
   * Ends without a word, as if we had crashed, and stays down: a peer that has graceful restart keeps our
   * routes, for a NOTIFICATION would end that (RFC 4724 section 4).
   */
  part(cause: string): void {
    this.#started = false
    this.#cancelNextAttempt()
    for (const it of this.#both()) it.handle({ type: 'ConnectionFailed' }, cause)
    this.#trouble = cause
  }

  /** The peer is somewhere else from now on: for connections to come. */
  moveTo(remote: Endpoint): void {
    this.#options = { ...this.#options, remote }
  }

  /** Ceases and connects anew. */
  reset(cease: Cease): void {
    const event = { type: 'AutomaticallyStopped', notification: ceaseNotification(cease) } as const
    const cause = causeOfCease('reset', cease)
    const talking = this.#both().filter(inOpenOrLater)
    if (talking.length === 0) this.retryNow()
    for (const conversation of talking) conversation.handle(event, cause)
  }

  /** Ends the wait for the next attempt: the way to the peer may be open again. */
  retryNow(): void {
    if (this.#nextAttempt !== undefined) return this.#callAgain()
    if (this.#calling.state !== 'Active') return
    this.#calling.handle({ type: 'ConnectRetryTimerExpired' }, 'next attempt')
  }

  /**
   * Takes a connection from this peer's address, or turns it away with a cease (RFC 4486), or, when there
   * are too many of them, without a word.
   */
  accept(connection: Connection): void {
    if (!this.#arrivals.admit()) return connection.abort()
    if (!this.#started) return this.#turnAway(connection, CONNECTION_REJECTED)
    const session = this.#both().find(({ state }) => state === 'Established')
    if (session !== undefined) {
      // A peer that forgot our session, having restarted, answers this with a RST, and may come again.
      session.sendKeepalive()
      return this.#turnAway(connection, CONNECTION_COLLISION_RESOLUTION)
    }
    if (inOpenOrLater(this.#listening)) {
      this.#listening.handle({ type: 'OpenCollisionDumped' }, 'the peer connected once more')
    }
    this.#listenFor(connection)
  }

  /**
   * Sends UPDATEs, each part made of whole messages. False when the caller should wait for `writable`:
   * the bytes are queued all the same, unless the session is not Established.
   */
  send(parts: readonly Uint8Array[]): boolean {
    return this.#front().send(parts)
  }

  /** The OPENs of the session that is up. */
  get opens(): Opens | undefined {
    return this.#state === 'Established' ? this.#front().opens : undefined
  }

  /** Asks for all routes of a family; false when there is no session, or the peer doesn't know how. */
  sendRouteRefresh(family: Family): boolean {
    return this.#front().sendRouteRefresh(family)
  }

  /** No `update` from when this returns until `resumeReading`; nothing is lost. Ends with the session. */
  pauseReading(): void {
    this.#front().pauseReading()
  }

  resumeReading(): void {
    this.#front().resumeReading()
  }

  /** Messages, bytes and flaps count from zero again. */
  clearCounters(): void {
    clearCounters(this.#counters)
    this.#flaps = 0
  }

  snapshot(): PeerSnapshot {
    const front = this.#front()
    const { name, remote, localAsn, remoteAsn, passive } = this.options
    const { line, negotiated, timers } = front
    const holdLeftMs = timers.holdLeftMs
    const nextAttemptMs = this.#nextAttemptLeftMs()
    return {
      name,
      remote,
      localAsn,
      remoteAsn,
      passive,
      started: this.#started,
      state: this.#state,
      since: this.#sinceWallMs,
      ...(negotiated === undefined ? {} : { negotiated }),
      ...(inOpenOrLater(front) && line !== undefined
        ? { connection: { ...line.ends, incoming: front.incoming } }
        : {}),
      timers: {
        ...(holdLeftMs === undefined ? {} : { holdLeftSeconds: holdLeftMs / 1000 }),
        ...(nextAttemptMs === undefined ? {} : { nextAttemptSeconds: nextAttemptMs / 1000 }),
      },
      counters: copyOf(this.#counters),
      established: this.#established,
      flaps: this.#flaps,
      failures: this.#backOff.failures,
      refused: this.#arrivals.refused,
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      ...(this.#state === 'Established' ? {} : { reason: this.#reason() }),
    }
  }

  #host(): ConversationHost {
    const optionsOf = (): PeerOptions => this.#options
    return {
      get options() {
        return optionsOf()
      },
      environment: this.#environment,
      events: this.#events,
      counters: this.#counters,
      backOff: this.#backOff,
      stateChanged: (cause) => this.#stateChanged(cause),
      failed: (conversation, cause) => {
        if (!conversation.incoming) this.#backOff.countFailure()
        if (cause !== SUPERSEDED) this.#trouble = cause
      },
      collide: (conversation, negotiated) => this.#collide(conversation, negotiated),
      sessionBegan: (negotiated) => {
        this.#establishedAtMs = this.#environment.clock.now()
        this.#established++
        this.#ending = undefined
        this.#backOff.sessionBegan()
        this.#events.established(negotiated)
      },
      sessionEnded: (cause, byError) => {
        const lastedMs = this.#environment.clock.now() - this.#establishedAtMs
        this.#flaps++
        this.#backOff.sessionEnded(lastedMs / 1000, byError)
        this.#events.sessionEnded(cause, this.#ending)
      },
      notified: (error) => {
        // Which of two connections is kept is nobody's error.
        if (error.code === ERROR_CEASE && error.subcode === CONNECTION_COLLISION_RESOLUTION) return
        this.#lastError = error
        this.#ending = error
        this.#trouble = `${error.direction} ${error.text}`
      },
      settled: () => this.#settle(),
    }
  }

  #both(): readonly [Conversation, Conversation] {
    return [this.#calling, this.#listening]
  }

  /** The one that got furthest: the peer as people see it. */
  #front(): Conversation {
    return rank(this.#calling) >= rank(this.#listening) ? this.#calling : this.#listening
  }

  #stateChanged(cause: string): void {
    const from = this.#state
    const state = this.#front().state
    if (state === from) return
    this.#state = state
    this.#sinceWallMs = this.#environment.clock.wallNow()
    this.#events.stateChanged(from, state, cause)
  }

  /** RFC 4271 6.8, upon the peer's OPEN on `conversation`. */
  #collide(conversation: Conversation, { peerAsn, peerRouterId }: Negotiated): Loser {
    const other = conversation === this.#calling ? this.#listening : this.#calling
    const loser = loserOf({
      openedIncoming: conversation.incoming,
      other: other.state,
      local: { routerId: this.options.routerId, asn: this.options.localAsn },
      remote: { routerId: peerRouterId, asn: peerAsn },
    })
    if (loser === 'other') other.handle({ type: 'OpenCollisionDumped' }, SUPERSEDED)
    return loser
  }

  /** Also beside a call that has got as far as OpenConfirm: which one is kept, the OPENs decide (6.8). */
  #listenFor(connection: Connection): void {
    // Settling would send the listener away again before it has taken the connection.
    this.#settling = true
    try {
      if (this.#listening.state === 'Idle') {
        this.#listening.handle({ type: 'AutomaticallyStartedPassively' }, 'listening')
      }
      this.#listening.adopt(connection)
    } finally {
      this.#settling = false
    }
    this.#settle()
  }

  /** Whatever happened: while no session is near, somebody listens and somebody will call. */
  #settle(): void {
    if (this.#settling || !this.#started) return
    this.#settling = true
    try {
      for (const it of this.#both()) it.reconsider()
      const { passive } = this.options
      if (this.#both().some((it) => it.state === 'OpenConfirm' || it.state === 'Established')) {
        this.#cancelNextAttempt()
        const up = this.#both().find(({ state }) => state === 'Established')
        for (const it of this.#both()) {
          const idle = it === this.#listening && it.state === 'Active'
          // Beside a session no other connection has a future (6.8), whether or not its OPEN ever comes.
          const late = up !== undefined && it !== up && inOpenOrLater(it)
          if (idle || late) it.handle({ type: 'OpenCollisionDumped' }, SUPERSEDED)
        }
        return
      }
      if (this.#listening.state === 'Idle') {
        this.#listening.handle({ type: 'AutomaticallyStartedPassively' }, 'listening')
      }
      if (!passive && this.#calling.state === 'Idle') this.#scheduleNextAttempt()
    } finally {
      this.#settling = false
    }
  }

  #scheduleNextAttempt(): void {
    if (this.#nextAttempt !== undefined) return
    const { clock } = this.#environment
    const waitMs = this.#backOff.nextWaitMs()
    this.#nextAttemptAtMs = clock.now() + waitMs
    this.#nextAttempt = clock.after(waitMs, () => this.#callAgain())
  }

  #callAgain(): void {
    this.#cancelNextAttempt()
    this.#calling.handle({ type: 'AutomaticallyStarted' }, 'next attempt')
  }

  #cancelNextAttempt(): void {
    this.#nextAttempt?.cancel()
    this.#nextAttempt = undefined
  }

  #turnAway(connection: Connection, subcode: number): void {
    const nobody = () => {}
    const owner = { opened: nobody, received: nobody, drained: nobody, closed: nobody }
    const line = new Line(this.#environment.clock, owner)
    line.adopt(connection)
    line.write(encodeNotification(ceaseNotification({ subcode })))
    line.hangUp()
  }

  #nextAttemptLeftMs(): number | undefined {
    const active = this.#calling.state === 'Active'
    if (active) return this.#calling.timers.connectRetryLeftMs
    if (this.#nextAttempt === undefined) return undefined
    return Math.max(0, this.#nextAttemptAtMs - this.#environment.clock.now())
  }

  #reason(): string {
    if (!this.#started) return this.#trouble
    const leftMs = this.#nextAttemptLeftMs()
    if (this.#state !== 'Active') return `${this.#trouble}; ${DOING[this.#state]}`
    const next =
      leftMs === undefined ? DOING.Active : `next attempt in ${Math.ceil(leftMs / 1000)} s`
    return `${this.#trouble}; ${next}`
  }
}

/** What a state short of Established means, in words. */
const DOING: Readonly<Record<State, string>> = {
  Idle: 'idle',
  Active: 'waiting for the peer to connect',
  Connect: 'connecting',
  OpenSent: "connected, waiting for the peer's OPEN",
  OpenConfirm: 'waiting for the peer to confirm our OPEN',
  Established: 'up',
}

const rank = ({ state }: Conversation): number => STATES.indexOf(state)
const inOpenOrLater = (it: Conversation): boolean => rank(it) >= STATES.indexOf('OpenSent')
