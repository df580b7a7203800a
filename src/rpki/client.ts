/**
 * The router's side of RPKI-RTR (RFC 8210, and RFC 6810 with caches that speak no later version): keeps the
 * VRPs of one cache.
 *
 * The data of an answer count when its End of Data has come, all at once. What was learned stays in use while
 * the cache is away, until it expires. A session whose data can't be trusted any more begins anew.
 *
 * Half a million VRPs take seconds to put in order: what has come in is dealt with in steps, and the
 * connection waits meanwhile.
 */
import type { Clock, Timer } from '../net/clock.ts'
import { Answer, MOST_COMPARED, type Changed, type Outcome } from './answer.ts'
import {
  CORRUPT_DATA,
  decodePdu,
  encodeError,
  encodePdu,
  NO_DATA_AVAILABLE,
  PduStream,
  RtrError,
  UNEXPECTED_VERSION,
  UNSUPPORTED_VERSION,
  versionOf,
  type Pdu,
  type Timers,
  type Version,
} from './pdu.ts'
import { boundedTimers, DEFAULT_TIMERS } from './timers.ts'
import type { Vrp } from './vrp.ts'
import { VrpTable } from './vrp-table.ts'

/** One TCP connection to the cache, being opened or open. */
export interface RtrConnection {
  send(bytes: Uint8Array): void
  pause(): void
  resume(): void
  /** Closes; nothing is told of it any more. */
  close(): void
}

export interface RtrConnectionEvents {
  opened(): void
  received(chunk: Uint8Array): void
  closed(why: string): void
}

/** What is dealt with at once when it comes in; the rest waits for its turn. */
const AT_ONCE_MS = 1
/** PDUs or changes between two looks at the clock. */
const SLICE = 32

export interface RtrClientWorld {
  readonly clock: Clock
  connect(events: RtrConnectionEvents): RtrConnection
  /** These came or went; all that is known has been brought up to date. */
  changed(vrps: Changed): void
  /** There is something for `step` to do. */
  workArrived(): void
  /** For the log: the state, or why the cache is away. */
  told(text: string): void
}

export type RtrState = 'down' | 'connecting' | 'synchronizing' | 'synchronized'

const FIRST_PAUSE_MS = 1000
const ANSWER_WITHIN_MS = 60_000

/** An answer that has ended and is being carried out. */
interface Carrying {
  readonly steps: Iterator<void, Outcome>
  readonly serial: number
  readonly timers: Timers | undefined
}

export class RtrClient {
  readonly #world: RtrClientWorld
  #state: RtrState = 'down'
  #since: number
  #version: Version = 1
  #sessionId: number | undefined
  #serial = 0
  #vrps = new VrpTable()
  #usable = false
  #timers = DEFAULT_TIMERS
  #lastError = ''
  #connection: RtrConnection | undefined
  #stream = new PduStream()
  /** Nothing has come in this connection: the version may still be settled. */
  #first = true
  #wholeAsked = false
  #answer: Answer | undefined
  #carrying: Carrying | undefined
  #waiting = false
  #pauseMs = FIRST_PAUSE_MS
  #next: Timer | undefined
  #expiry: Timer | undefined

  constructor(world: RtrClientWorld) {
    this.#world = world
    this.#since = world.clock.wallNow()
  }

  get state(): RtrState {
    return this.#state
  }

  get vrps(): VrpTable {
    return this.#vrps
  }

  /** Has told all it knows at least once, and not too long ago. */
  get usable(): boolean {
    return this.#usable
  }

  snapshot() {
    return {
      state: this.#state,
      since: this.#since,
      version: this.#version,
      sessionId: this.#sessionId,
      serial: this.#sessionId === undefined ? undefined : this.#serial,
      lastError: this.#lastError,
    }
  }

  start(): void {
    this.#connect()
  }

  /** Its data count no more; nobody is told. */
  stop(): void {
    this.#next?.cancel()
    this.#expiry?.cancel()
    this.#connection?.close()
    this.#connection = undefined
    this.#usable = false
    this.#rest()
    this.#enter('down')
  }

  /** Data have come in that are not dealt with yet. */
  get busy(): boolean {
    return this.#waiting
  }

  /** Deals with what has come in until nothing is left or the clock reaches `deadline`. */
  step(deadline: number): void {
    if (!this.#waiting) return
    try {
      for (let n = 1; this.#advance(); n++) {
        if (n % SLICE === 0 && this.#world.clock.now() >= deadline) break
      }
    } catch (error) {
      if (!(error instanceof RtrError)) throw error
      this.#connection?.send(encodeError(this.#version, error.code, error.message, error.pdu))
      // What came of this session is in doubt: the next one asks for everything.
      this.#sessionId = undefined
      this.#fail(error.message)
    }
    if (this.#answer !== undefined) {
      this.#wait(ANSWER_WITHIN_MS, () => this.#fail('the answer does not end'))
    }
    if (!this.#waiting) this.#connection?.resume()
  }

  #connect(): void {
    this.#enter('connecting')
    this.#rest()
    this.#first = true
    this.#connection = this.#world.connect({
      opened: () => this.#query(),
      received: (chunk) => this.#receive(chunk),
      closed: (why) => this.#over(why),
    })
  }

  /** Asks for what has changed, or for everything. */
  #query(): void {
    const sessionId = this.#sessionId
    this.#enter('synchronizing')
    this.#wholeAsked = sessionId === undefined || !this.#usable
    this.#send(
      sessionId === undefined || this.#wholeAsked
        ? { kind: 'resetQuery' }
        : { kind: 'serialQuery', sessionId, serial: this.#serial },
    )
    this.#wait(ANSWER_WITHIN_MS, () => this.#fail('the cache does not answer'))
  }

  #receive(chunk: Uint8Array): void {
    this.#stream.push(chunk)
    this.#waiting = true
    this.step(this.#world.clock.now() + AT_ONCE_MS)
    if (!this.#waiting) return
    this.#connection?.pause()
    this.#world.workArrived()
  }

  /** One change, or one PDU, further; false when nothing is left. */
  #advance(): boolean {
    if (this.#carrying !== undefined) {
      this.#carry(this.#carrying)
      return true
    }
    const bytes = this.#stream.take()
    this.#waiting = bytes !== undefined
    if (bytes === undefined) return false
    this.#checkVersion(bytes)
    this.#take(decodePdu(bytes), bytes)
    return this.#waiting
  }

  /** Nothing of what has come in is dealt with any more. */
  #rest(): void {
    this.#answer = undefined
    this.#carrying = undefined
    this.#waiting = false
    this.#stream = new PduStream()
  }

  /** RFC 8210 section 7: the first answer settles the version. */
  #checkVersion(bytes: Uint8Array): void {
    const version = versionOf(bytes)
    if (version === this.#version) {
      this.#first = false
      return
    }
    if (this.#first && version === 0) {
      this.#first = false
      this.#version = 0
      return
    }
    throw new RtrError(
      UNEXPECTED_VERSION,
      `version ${version} in a session of ${this.#version}`,
      bytes,
    )
  }

  #take(pdu: Pdu, bytes: Uint8Array): void {
    switch (pdu.kind) {
      case 'cacheResponse':
        return this.#begin(pdu.sessionId, bytes)
      case 'prefix':
        return this.#note(pdu.announced, pdu.vrp, bytes)
      case 'endOfData':
        return this.#end(pdu.sessionId, pdu.serial, pdu.timers, bytes)
      case 'cacheReset':
        this.#sessionId = undefined
        return this.#query()
      case 'serialNotify':
        // While it answers it tells the news anyway.
        if (this.#state !== 'synchronized') return
        if (pdu.sessionId !== this.#sessionId) this.#sessionId = undefined
        else if (pdu.serial === this.#serial) return
        return this.#query()
      case 'routerKey':
        return
      case 'errorReport':
        return this.#errorReported(pdu.code, pdu.text)
      default:
        throw new RtrError(CORRUPT_DATA, `a ${pdu.kind} from a cache`, bytes)
    }
  }

  #begin(sessionId: number, bytes: Uint8Array): void {
    if (this.#state !== 'synchronizing' || this.#answer !== undefined) {
      throw new RtrError(CORRUPT_DATA, 'a cache response that nobody asked for', bytes)
    }
    if (!this.#wholeAsked && sessionId !== this.#sessionId) {
      throw new RtrError(CORRUPT_DATA, `session ${sessionId} instead of ${this.#sessionId}`, bytes)
    }
    const whole = this.#wholeAsked
    this.#sessionId = sessionId
    this.#answer = new Answer(this.#vrps, whole)
  }

  #note(announced: boolean, vrp: Vrp, bytes: Uint8Array): void {
    const answer = this.#answer
    if (answer === undefined) throw new RtrError(CORRUPT_DATA, 'a prefix outside an answer', bytes)
    answer.note(announced, vrp, bytes)
  }

  #end(sessionId: number, serial: number, timers: Timers | undefined, bytes: Uint8Array): void {
    const answer = this.#answer
    if (answer === undefined || sessionId !== this.#sessionId) {
      throw new RtrError(CORRUPT_DATA, 'an end of data without a beginning', bytes)
    }
    this.#answer = undefined
    this.#carrying = { steps: answer.carryOut(bytes.slice()), serial, timers }
  }

  /** False when all is known that the cache has told. */
  #carry({ steps, serial, timers }: Carrying): boolean {
    this.#carrying = undefined
    const step = steps.next()
    if (step.done !== true) this.#carrying = { steps, serial, timers }
    else this.#carried(step.value, serial, timers)
    return step.done !== true
  }

  #carried({ table, changed }: Outcome, serial: number, timers: Timers | undefined): void {
    this.#vrps = table
    this.#serial = serial
    this.#timers = boundedTimers(timers)
    this.#usable = true
    this.#lastError = ''
    this.#pauseMs = FIRST_PAUSE_MS
    this.#enter('synchronized')
    this.#wait(this.#timers.refresh * 1000, () => this.#query())
    this.#expiry?.cancel()
    this.#expiry = this.#world.clock.after(this.#timers.expire * 1000, () => this.#expire())
    this.#world.told(`${this.#vrps.size} VRPs, serial ${serial}`)
    this.#world.changed(changed)
  }

  #errorReported(code: number, text: string): void {
    if (code === UNSUPPORTED_VERSION && this.#version === 1) {
      this.#version = 0
      this.#sessionId = undefined
      this.#pauseMs = FIRST_PAUSE_MS
      return this.#fail('the cache knows version 0 only')
    }
    if (code === NO_DATA_AVAILABLE) {
      this.#answer = undefined
      this.#lastError = 'the cache has no data yet'
      this.#world.told(this.#lastError)
      return this.#wait(this.#pause(), () => this.#query())
    }
    this.#sessionId = undefined
    this.#fail(`the cache reports error ${code}${text === '' ? '' : `: ${text}`}`)
  }

  /** Nothing has been heard for too long: what was learned must not be used any more. */
  #expire(): void {
    const gone = this.#vrps.size > MOST_COMPARED ? 'many' : [...this.#vrps]
    this.#vrps = new VrpTable()
    this.#usable = false
    this.#sessionId = undefined
    this.#world.told('its data have expired')
    this.#world.changed(gone)
  }

  /** The connection is over: what has been told to its end is carried out, the rest is forgotten. */
  #finish(): void {
    const carrying = this.#carrying
    this.#rest()
    try {
      if (carrying !== undefined) while (this.#carry(carrying));
    } catch (error) {
      if (!(error instanceof RtrError)) throw error
      this.#sessionId = undefined
    }
  }

  #fail(why: string): void {
    this.#connection?.close()
    this.#over(why)
  }

  #over(why: string): void {
    this.#connection = undefined
    this.#finish()
    this.#lastError = why
    this.#enter('down')
    this.#world.told(why)
    this.#wait(this.#pause(), () => this.#connect())
  }

  /** Grows with each failure, to what the cache wants (RFC 8210 section 6). */
  #pause(): number {
    const pause = this.#pauseMs
    this.#pauseMs = Math.min(2 * pause, this.#timers.retry * 1000)
    return pause
  }

  #wait(milliseconds: number, then: () => void): void {
    this.#next?.cancel()
    this.#next = this.#world.clock.after(milliseconds, then)
  }

  #enter(state: RtrState): void {
    if (state !== this.#state) this.#since = this.#world.clock.wallNow()
    this.#state = state
  }

  #send(pdu: Pdu): void {
    this.#connection?.send(encodePdu(this.#version, pdu))
  }
}
