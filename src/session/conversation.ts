/**
 * One run of the state machine with its one connection: the driver of `fsm.ts`.
 *
 * Events come in from the line, the timers and the peer's owner; the machine says what to do; this file
 * does it. Events that arise while actions are being carried out wait in a queue, so no transition is
 * ever interrupted by another. UPDATEs in Established skip the machine, which has nothing to decide there
 * but "restart the hold timer", and that is one note per chunk.
 */
import type { Family } from '../net/family.ts'
import {
  ERROR_CEASE,
  ERROR_HOLD_TIMER,
  ERROR_OPEN,
  HEADER_LENGTH,
  UNSUPPORTED_VERSION,
} from '../wire/constants.ts'
import { SessionError } from '../wire/errors.ts'
import type { Framer } from '../wire/framer.ts'
import { KEEPALIVE_MESSAGE } from '../wire/message.ts'
import {
  asHardReset,
  decodeNotification,
  encodeNotification,
  type Notification,
} from '../wire/notification.ts'
import { decodeOpen, encodeOpen } from '../wire/open.ts'
import { encodeRouteRefresh } from '../wire/route-refresh.ts'
import { causeOfClose, causeOfExpiry, SUPERSEDED, textOfReceived, textOfSent } from './cause.ts'
import { PATIENCE_MS } from './collision.ts'
import type { ConversationHost } from './conversation-host.ts'
import { transition, type Action, type EventType, type FsmEvent, type State } from './fsm.ts'
import { Inbox } from './inbox.ts'
import { Line } from './line.ts'
import { negotiate, ourOpen, type Negotiated } from './negotiation.ts'
import { Outbox } from './outbox.ts'
import type { LastError, Opens } from './last-error.ts'
import { handOverRefresh } from './refresh.ts'
import { RunToCompletion } from './run-to-completion.ts'
import { LARGE_HOLD_SECONDS, sendHoldSeconds, Timers } from './timers.ts'
import type { Connection } from './transport.ts'

// Message types, here because a constant of one's own is faster in a switch.
const OPEN = 1
const UPDATE = 2
const NOTIFICATION = 3
const KEEPALIVE = 4
const ROUTE_REFRESH = 5

/** How much later than our send hold timer the kernel gives a connection up. */
const KERNEL_LATER_SECONDS = 10

export class Conversation {
  readonly incoming: boolean
  readonly #host: ConversationHost
  readonly timers: Timers
  readonly #steps = new RunToCompletion<[FsmEvent, cause: string]>((step) => this.#take(...step))
  #state: State = 'Idle'
  #line: Line | undefined
  #inbox: Inbox | undefined
  #outbox: Outbox | undefined
  #negotiated: Negotiated | undefined
  #peerAsn: number | undefined
  #receivedOpen: Uint8Array | undefined
  /** The peer's OPEN is here, and the other connection may yet be preferred. */
  #undecided = false
  #inSession = false
  #byError = false

  constructor(host: ConversationHost, incoming: boolean) {
    this.#host = host
    this.incoming = incoming
    this.timers = new Timers({
      ...host.environment,
      deaf: () => this.#inbox?.paused === true,
      expired: (type) => {
        const seconds = this.#negotiated?.holdTimeSeconds ?? LARGE_HOLD_SECONDS
        this.handle({ type }, causeOfExpiry(type, host.options, seconds))
      },
    })
  }

  get state(): State {
    return this.#state
  }

  /** Known from the peer's OPEN on. */
  get negotiated(): Negotiated | undefined {
    return this.#negotiated
  }

  /** The OPEN messages of this connection, once both are there. */
  get opens(): Opens | undefined {
    const [sent, received] = [this.#outbox?.open, this.#receivedOpen]
    return sent === undefined || received === undefined ? undefined : { sent, received }
  }

  get line(): Line | undefined {
    return this.#line
  }

  handle(event: FsmEvent, cause: string): void {
    if (this.#steps.add([event, cause])) this.#host.settled()
  }

  /** Takes a connection that came in; only in Active. */
  adopt(connection: Connection): void {
    const line = this.#newLine()
    line.adopt(connection)
    const { address, port } = connection.remote
    this.handle({ type: 'ConnectionConfirmed' }, `connection from ${address.text} port ${port}`)
  }

  /** Sends UPDATEs, each part made of whole messages; see `Peer.send`. */
  send(parts: readonly Uint8Array[]): boolean {
    if (this.#state !== 'Established') return false
    return this.#outbox?.updates(parts) ?? false
  }

  /** False when there is no session, or the peer doesn't know how. */
  sendRouteRefresh(family: Family): boolean {
    if (this.#state !== 'Established' || this.#negotiated?.routeRefresh !== true) return false
    this.#outbox?.write('routeRefresh', encodeRouteRefresh(family))
    return true
  }

  /** Beside those that the timer sends. */
  sendKeepalive(): void {
    this.#outbox?.write('keepalive', KEEPALIVE_MESSAGE)
  }

  pauseReading(): void {
    if (this.#state !== 'Established') return
    this.#inbox?.pause()
    this.#line?.pause()
  }

  /** Goes on with what was set aside; within `update`, when that returns. */
  resumeReading(): void {
    const inbox = this.#inbox
    if (inbox?.paused !== true) return
    this.timers.heard()
    this.#read(() => inbox.resume())
    if (!inbox.paused) this.#line?.resume()
  }

  #take(event: FsmEvent, cause: string): void {
    const { state, actions } = transition(this.#state, event)
    if (state !== this.#state) {
      this.#state = state
      this.#host.stateChanged(cause)
    }
    for (const action of actions) this.#act(action, cause)
  }

  #act(action: Action, cause: string): void {
    const { backOff, options } = this.#host
    switch (action.type) {
      case 'SendNotification':
        if ('notification' in action) this.#sendNotification(action.notification, cause)
        return
      case 'InitiateConnection':
        this.#newLine().connect(this.#host.environment.transport, {
          ...options.socket,
          remote: options.remote,
        })
        return
      case 'CloseConnection':
        return this.#hangUp()
      case 'SendOpen':
        this.#outbox?.write('open', encodeOpen(ourOpen(options)))
        return
      case 'SendKeepalive':
        this.#outbox?.write('keepalive', KEEPALIVE_MESSAGE)
        return
      case 'StartConnectRetryTimer':
        // A connection that came in has nobody to call again.
        if (!this.incoming) this.timers.startConnectRetry(backOff.nextWaitMs())
        return
      case 'StopConnectRetryTimer':
        return this.timers.stopConnectRetry()
      case 'StartLargeHoldTimer':
        return this.timers.startHold(LARGE_HOLD_SECONDS)
      case 'StartHoldTimer':
        this.#line?.setUserTimeout(1000 * (this.#negotiated?.holdTimeSeconds ?? 0))
        return this.timers.startHold(this.#negotiated?.holdTimeSeconds ?? 0)
      case 'RestartHoldTimer':
        return this.timers.heard()
      case 'StartKeepaliveTimer':
        return this.timers.startKeepalive(this.#negotiated?.keepaliveSeconds ?? 0)
      case 'StopTimers':
        return this.timers.stop()
      case 'CountFailure':
        return this.#host.failed(this, cause)
      case 'ForgetFailures':
        return backOff.forget()
      case 'BeginSession':
        return this.#beginSession()
      case 'EndSession':
        return this.#endSession(cause)
    }
  }

  #beginSession(): void {
    if (this.#negotiated === undefined) return
    this.#inSession = true
    this.#host.sessionBegan(this.#negotiated)
  }

  #endSession(cause: string): void {
    if (!this.#inSession) return
    this.#inSession = false
    this.#host.sessionEnded(cause, this.#byError)
  }

  #newLine(): Line {
    const line = new Line(this.#host.environment.clock, {
      opened: () => this.handle({ type: 'ConnectionAcknowledged' }, 'the peer took our connection'),
      received: (chunk) => this.#received(chunk),
      drained: () => this.#drained(),
      closed: (reason) => {
        const us = { asn: this.#host.options.localAsn, ...line.ends }
        this.handle({ type: 'ConnectionFailed' }, causeOfClose(reason, this.#state, us))
      },
    })
    this.#line = line
    this.#inbox = new Inbox((message) => this.#message(message))
    this.#outbox = new Outbox(line, this.#host.counters.sent, () => this.#watchSending())
    this.#peerAsn = undefined
    this.#byError = false
    return line
  }

  #hangUp(): void {
    this.#line?.hangUp()
    this.#inbox?.close()
    this.#line = undefined
    this.#inbox = undefined
    this.#outbox = undefined
    this.#negotiated = undefined
    this.#undecided = false
  }

  // --- what comes in ---------------------------------------------------------------------------

  #received(chunk: Uint8Array): void {
    const { counters, events } = this.#host
    counters.received.bytes += chunk.length
    const inbox = this.#inbox
    if (inbox !== undefined) this.#read(() => inbox.push(chunk))
    events.chunkDone?.()
  }

  /** Any message of the peer's, once Established, starts the hold timer anew; noted once per chunk. */
  #read(handOver: () => boolean): void {
    try {
      if (handOver() && this.#state === 'Established') this.timers.heard()
    } catch (error) {
      this.#erred('HeaderErred', error)
    }
  }

  #message(framer: Framer): void {
    const { received } = this.#host.counters
    switch (framer.type) {
      case UPDATE:
        received.update++
        return this.#update(framer)
      case KEEPALIVE:
        received.keepalive++
        if (this.#state === 'OpenConfirm') {
          return this.handle({ type: 'KeepaliveReceived' }, 'the peer confirmed our OPEN')
        }
        return this.#handleMessage('KeepaliveReceived', 'a KEEPALIVE')
      case OPEN:
        received.open++
        return this.#open(framer)
      case NOTIFICATION:
        received.notification++
        return this.#notification(framer)
      case ROUTE_REFRESH:
        received.routeRefresh++
        return this.#routeRefresh(framer)
    }
  }

  #update({ buffer, start, end }: Framer): void {
    if (this.#state !== 'Established') return this.#handleMessage('UpdateReceived', 'an UPDATE')
    try {
      this.#host.events.update(buffer, start, end)
    } catch (error) {
      this.#erred('UpdateErred', error)
    }
  }

  #open({ buffer, start, end }: Framer): void {
    if (this.#state !== 'OpenSent') return this.#handleMessage('OpenReceived', 'an OPEN')
    try {
      const open = decodeOpen(buffer, start, end)
      this.#peerAsn = open.asn
      const negotiated = negotiate(this.#host.options, open)
      this.#negotiated = negotiated
      this.#inbox?.allow(negotiated.maxMessageLength)
      this.#receivedOpen = buffer.slice(start - HEADER_LENGTH, end)
      this.#decide(negotiated)
    } catch (error) {
      this.#erred('OpenErred', error)
    }
  }

  /** The other connection may have got somewhere: whether this one goes on. */
  reconsider(): void {
    if (this.#undecided && this.#negotiated !== undefined) this.#decide(this.#negotiated)
  }

  /** Until it is known which connection is kept, nothing more is read, nor is the OPEN confirmed. */
  #decide(negotiated: Negotiated, patient = true): void {
    this.#undecided = false
    const loser = this.#host.collide(this, negotiated)
    if (loser === 'opened') return this.handle({ type: 'OpenCollisionDumped' }, SUPERSEDED)
    if (loser === 'undecided' && patient) return this.#wait(negotiated)
    this.handle({ type: 'OpenReceived' }, 'the peer sent a good OPEN')
    this.resumeReading()
  }

  #wait(negotiated: Negotiated): void {
    this.#undecided = true
    if (this.#inbox?.paused !== false) return
    this.#inbox.pause()
    this.#host.environment.clock.after(PATIENCE_MS, () => {
      if (this.#undecided && this.#negotiated === negotiated) this.#decide(negotiated, false)
    })
  }

  #notification({ buffer, start, end }: Framer): void {
    const notification = decodeNotification(buffer, start, end)
    const { code, subcode } = notification
    const text = textOfReceived(notification, this.#host.options.localAsn, this.#peerAsn)
    this.#note('received', notification, text)
    const version = code === ERROR_OPEN && subcode === UNSUPPORTED_VERSION
    const type = version ? 'VersionErrorReceived' : 'NotificationReceived'
    this.handle({ type }, `the peer sent ${text}`)
  }

  #routeRefresh({ buffer, start, end }: Framer): void {
    this.#handleMessage('RouteRefreshReceived', 'a ROUTE-REFRESH')
    const negotiated = this.#negotiated
    if (this.#state !== 'Established' || negotiated === undefined) return
    try {
      handOverRefresh([buffer, start, end], negotiated, this.#host.events)
    } catch (error) {
      this.#erred('UpdateErred', error)
    }
  }

  #handleMessage(type: EventType, message: string): void {
    this.handle({ type }, `the peer sent ${message} in ${this.#state}`)
  }

  /** Ends the session with the error that a message made; what is not a SessionError is a bug of ours. */
  #erred(type: EventType, error: unknown): void {
    if (!(error instanceof SessionError)) throw error
    this.handle({ type, notification: error }, error.message)
  }

  // --- what goes out ---------------------------------------------------------------------------

  #sendNotification(meant: Notification, cause: string): void {
    const hard = this.#inSession && this.#negotiated?.gracefulRestart?.notification === true
    const notification = hard ? asHardReset(meant) : meant
    this.#outbox?.write('notification', encodeNotification(notification))
    this.#note('sent', notification, textOfSent(notification, cause))
  }

  #note(direction: LastError['direction'], notification: Notification, text: string): void {
    const { code, subcode, data } = notification
    this.#byError = code !== ERROR_CEASE && code !== ERROR_HOLD_TIMER
    const at = this.#host.environment.clock.wallNow()
    this.#host.notified({ direction, code, subcode, data, text, at })
  }

  #watchSending(): void {
    const negotiated = this.#negotiated
    if (negotiated === undefined) return
    const configured = this.#host.options.sendHoldSeconds
    const seconds = sendHoldSeconds(configured, negotiated.holdTimeSeconds)
    this.timers.startSendHold(seconds)
    // The kernel counts a closed window like silence: a slow reader has longer than a dead one.
    // It is not the first, either: the peer shall hear why its session ends.
    this.#line?.setUserTimeout(seconds === 0 ? 0 : 1000 * (seconds + KERNEL_LATER_SECONDS))
  }

  #drained(): void {
    this.timers.stopSendHold()
    this.#line?.setUserTimeout(1000 * (this.#negotiated?.holdTimeSeconds ?? 0))
    if (this.#state === 'Established') this.#host.events.writable()
  }
}
