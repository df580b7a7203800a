/**
 * Whether a peer shall have a session: started, stopped by the operator, or held down because of what it
 * did, for a while or until somebody says otherwise. An unnumbered peer must also be found (link-search.ts).
 */
import type { Clock, Timer } from '../net/clock.ts'
import type { Peer } from '../session/peer.ts'
import type { Cease } from '../session/peer-options.ts'
import { BFD_DOWN } from '../wire/constants.ts'

interface Hold {
  readonly why: string
  /** On the monotonic clock; undefined until somebody ends it. */
  readonly untilMs: number | undefined
  readonly timer: Timer | undefined
}

export class Standing {
  readonly #peer: Peer
  readonly #clock: Clock
  /** Hears of what is ordered: whatever the peer has left behind shall go. */
  readonly #ordered: () => void
  #hold: Hold | undefined
  #isWanted = false
  /** Why an unnumbered peer is nowhere; undefined once it is found. */
  #missing: string | undefined
  /** Why there must be no session as long as BFD is not up; undefined when there may be one. */
  #pathless: string | undefined

  constructor(peer: Peer, clock: Clock, ordered: () => void) {
    this.#peer = peer
    this.#clock = clock
    this.#ordered = ordered
  }

  /** Started, and not stopped or held down since. */
  get isWanted(): boolean {
    return this.#isWanted
  }

  get isHeldDown(): boolean {
    return this.#hold !== undefined
  }

  /** Nobody is found on the link. */
  get isMissing(): boolean {
    return this.#missing !== undefined
  }

  /** Nobody is on the link, as the cease says; whether the peer shall have a session stays as it is. */
  lost(cease: Cease): void {
    this.#missing = cease.text ?? ''
    this.#peer.stop(cease)
    this.#ordered()
  }

  found(): void {
    this.#missing = undefined
    this.#startIfWanted()
  }

  /** No session until `pathFound`; `why` for people. */
  pathLost(why: string): void {
    if (this.#pathless === undefined) this.#peer.stop({ subcode: BFD_DOWN, cause: why })
    this.#pathless = why
  }

  pathFound(): void {
    if (this.#pathless === undefined) return
    this.#pathless = undefined
    this.#startIfWanted()
  }

  /** Also when it is held down; one that is searched for, as soon as it is found. */
  start(): void {
    this.#forget()
    this.#isWanted = true
    this.#startIfWanted()
  }

  /** Ceases; the peer stays down until `start`. */
  stop(cease: Cease): void {
    this.#forget()
    this.#isWanted = false
    this.#peer.stop(cease)
    this.#ordered()
  }

  /** Ceases and begins anew; a peer that is held down only begins. */
  reset(cease: Cease): void {
    if (!this.release()) this.#peer.reset(cease)
    this.#ordered()
  }

  /** Ceases; the peer stays down for `seconds`, or until somebody says otherwise. */
  holdDown(cease: Cease, seconds: number | undefined): void {
    // Held down before it is down: who hears of the end of the session sees that more is to come.
    this.#forget()
    this.#hold = this.#holdFor(cease.cause ?? '', seconds)
    this.#isWanted = false
    this.#peer.stop(cease)
  }

  /** Starts the peer if it is held down; false when it isn't. */
  release(): boolean {
    if (this.#hold === undefined) return false
    this.start()
    return true
  }

  /** `held down: ...; next attempt in 4 min`, or why it is not found; undefined when there is no such reason. */
  get words(): string | undefined {
    const hold = this.#hold
    if (hold === undefined) return this.#isWanted ? (this.#missing ?? this.#pathless) : undefined
    const { why, untilMs } = hold
    if (untilMs === undefined) {
      return `held down: ${why}; until linnet startup ${this.#peer.options.name}`
    }
    return `held down: ${why}; next attempt in ${inWords(untilMs - this.#clock.now())}`
  }

  #holdFor(why: string, seconds: number | undefined): Hold {
    if (seconds === undefined) return { why, untilMs: undefined, timer: undefined }
    const timer = this.#clock.after(seconds * 1000, () => this.start())
    return { why, untilMs: this.#clock.now() + seconds * 1000, timer }
  }

  #startIfWanted(): void {
    const isFree = this.#missing === undefined && this.#pathless === undefined
    if (this.#isWanted && isFree) this.#peer.start()
  }

  #forget(): void {
    this.#hold?.timer?.cancel()
    this.#hold = undefined
  }
}

const SECONDS_UP_TO_MS = 90_000

const inWords = (ms: number): string =>
  ms < SECONDS_UP_TO_MS ? `${Math.ceil(Math.max(0, ms) / 1000)} s` : `${Math.ceil(ms / 60_000)} min`
