/**
 * The router's side of RPKI-RTR (RFC 8210, and RFC 6810 with caches that speak no later version): keeps the
 * VRPs of one cache.
 *
 * The data of an answer count when its End of Data has come, all at once. What was learned stays in use while
 * the cache is away, until it expires. A session whose data can't be trusted any more begins anew.
 */
import type { Clock, Timer } from '../net/clock.ts'
import {
  CORRUPT_DATA,
  decodePdu,
  DUPLICATE_ANNOUNCEMENT,
  encodeError,
  encodePdu,
  NO_DATA_AVAILABLE,
  PduStream,
  RtrError,
  UNEXPECTED_VERSION,
  UNSUPPORTED_VERSION,
  versionOf,
  WITHDRAWAL_OF_UNKNOWN,
  type Pdu,
  type Timers,
  type Version,
} from './pdu.ts'
import type { Vrp } from './vrp.ts'
import { VrpTable } from './vrp-table.ts'

/** One TCP connection to the cache, being opened or open. */
export interface RtrConnection {
  send(bytes: Uint8Array): void
  /** Closes; nothing is told of it any more. */
  close(): void
}

export interface RtrConnectionEvents {
  opened(): void
  received(chunk: Uint8Array): void
  closed(why: string): void
}

export interface RtrClientWorld {
  readonly clock: Clock
  connect(events: RtrConnectionEvents): RtrConnection
  /** These came or went; all that is known has been brought up to date. */
  changed(vrps: readonly Vrp[]): void
  /** For the log: the state, or why the cache is away. */
  told(text: string): void
}

export type RtrState = 'down' | 'connecting' | 'synchronizing' | 'synchronized'

/** RFC 8210 section 6. */
const DEFAULT_TIMERS: Timers = { refresh: 3600, retry: 600, expire: 7200 }
const MOST_TIMERS: Timers = { refresh: 86_400, retry: 7200, expire: 172_800 }
const LEAST_EXPIRE = 600
const FIRST_PAUSE_MS = 1000
const ANSWER_WITHIN_MS = 60_000

interface Change {
  readonly announced: boolean
  readonly vrp: Vrp
}

interface Answer {
  /** Everything is told anew, not what has changed. */
  readonly whole: boolean
  /** In the order in which they came. */
  readonly changes: Change[]
  /** What is known and this answer is about: a fresh table, or the one in use. */
  readonly table: VrpTable
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
    this.#enter('down')
  }

  #connect(): void {
    this.#enter('connecting')
    this.#stream = new PduStream()
    this.#answer = undefined
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
    try {
      this.#stream.receive(chunk, (bytes) => {
        if (this.#connection === undefined) return
        this.#checkVersion(bytes)
        this.#take(decodePdu(bytes), bytes)
      })
    } catch (error) {
      if (!(error instanceof RtrError)) throw error
      this.#connection?.send(encodeError(this.#version, error.code, error.message, error.pdu))
      // What came of this session is in doubt: the next one asks for everything.
      this.#sessionId = undefined
      this.#fail(error.message)
    }
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
    const table = whole ? new VrpTable() : this.#vrps
    this.#answer = { whole, changes: [], table }
  }

  #note(announced: boolean, vrp: Vrp, bytes: Uint8Array): void {
    const answer = this.#answer
    if (answer === undefined) throw new RtrError(CORRUPT_DATA, 'a prefix outside an answer', bytes)
    if (answer.whole) {
      if (!announced) throw new RtrError(WITHDRAWAL_OF_UNKNOWN, 'withdrawal of nothing', bytes)
      if (!answer.table.add(vrp)) throw new RtrError(DUPLICATE_ANNOUNCEMENT, 'told twice', bytes)
    } else answer.changes.push({ announced, vrp })
    this.#wait(ANSWER_WITHIN_MS, () => this.#fail('the answer does not end'))
  }

  #end(sessionId: number, serial: number, timers: Timers | undefined, bytes: Uint8Array): void {
    const answer = this.#answer
    if (answer === undefined || sessionId !== this.#sessionId) {
      throw new RtrError(CORRUPT_DATA, 'an end of data without a beginning', bytes)
    }
    const changed = answer.whole ? this.#replace(answer.table) : this.#apply(answer.changes, bytes)
    this.#answer = undefined
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

  #replace(table: VrpTable): Vrp[] {
    const before = this.#vrps
    this.#vrps = table
    return [
      ...[...before].filter((vrp) => !table.has(vrp)),
      ...[...table].filter((vrp) => !before.has(vrp)),
    ]
  }

  /** All of them or, when one is wrong, none. */
  #apply(changes: readonly Change[], bytes: Uint8Array): Vrp[] {
    const carry = ({ announced, vrp }: Change, back = false): boolean =>
      announced === back ? this.#vrps.remove(vrp) : this.#vrps.add(vrp)
    const wrong = changes.findIndex((change) => !carry(change))
    if (wrong < 0) return changes.map(({ vrp }) => vrp)
    for (const change of changes.slice(0, wrong).toReversed()) carry(change, true)
    throw changes[wrong].announced
      ? new RtrError(DUPLICATE_ANNOUNCEMENT, 'told twice', bytes)
      : new RtrError(WITHDRAWAL_OF_UNKNOWN, 'withdrawal of what is not there', bytes)
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
    const gone = [...this.#vrps]
    this.#vrps = new VrpTable()
    this.#usable = false
    this.#sessionId = undefined
    this.#world.told('its data have expired')
    this.#world.changed(gone)
  }

  #fail(why: string): void {
    this.#connection?.close()
    this.#over(why)
  }

  #over(why: string): void {
    this.#connection = undefined
    this.#answer = undefined
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

function boundedTimers(told: Timers = DEFAULT_TIMERS): Timers {
  const within = (value: number, most: number): number => Math.min(most, Math.max(1, value))
  return {
    refresh: within(told.refresh, MOST_TIMERS.refresh),
    retry: within(told.retry, MOST_TIMERS.retry),
    expire: Math.max(LEAST_EXPIRE, within(told.expire, MOST_TIMERS.expire)),
  }
}
