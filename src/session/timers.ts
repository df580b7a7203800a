/**
 * The timers of one connection (RFC 4271 section 10, RFC 9687).
 *
 * The hold timer is read lazily: hearing the peer only notes the time, and the timer, when it fires,
 * looks at that note and sleeps on for what is left. So a million UPDATEs cost no timer at all.
 */
import type { Clock, Timer } from '../net/clock.ts'
import { jitteredMs } from './back-off.ts'
import type { EventType } from './fsm.ts'

export interface TimersEnvironment {
  readonly clock: Clock
  readonly random: () => number
  /** True while we don't read ourselves: silence then proves nothing. */
  readonly deaf: () => boolean
  readonly expired: (event: TimerEvent) => void
}

export type TimerEvent = Extract<
  EventType,
  'ConnectRetryTimerExpired' | 'HoldTimerExpired' | 'KeepaliveTimerExpired' | 'SendHoldTimerExpired'
>

/** A timer that fires this much late has starved, and the peer's words may wait in the socket unread. */
const STARVED_MS = 1000

export class Timers {
  readonly #environment: TimersEnvironment
  #connectRetry: Timer | undefined
  #connectRetryAtMs = 0
  #hold: Timer | undefined
  #holdMs = 0
  #heardAtMs = 0
  #keepalive: Timer | undefined
  #sendHold: Timer | undefined

  constructor(environment: TimersEnvironment) {
    this.#environment = environment
  }

  startConnectRetry(milliseconds: number): void {
    const { clock, expired } = this.#environment
    this.#connectRetry?.cancel()
    this.#connectRetryAtMs = clock.now() + milliseconds
    this.#connectRetry = clock.after(milliseconds, () => {
      this.#connectRetry = undefined
      expired('ConnectRetryTimerExpired')
    })
  }

  stopConnectRetry(): void {
    this.#connectRetry?.cancel()
    this.#connectRetry = undefined
  }

  /** With 0 seconds there is no hold time (RFC 4271 4.2). */
  startHold(seconds: number): void {
    this.#hold?.cancel()
    this.#hold = undefined
    this.#holdMs = seconds * 1000
    this.heard()
    if (seconds > 0) this.#sleepOnHold(this.#holdMs)
  }

  /** The peer spoke: the hold timer starts anew. */
  heard(): void {
    this.#heardAtMs = this.#environment.clock.now()
  }

  startKeepalive(seconds: number): void {
    const { clock, random, expired } = this.#environment
    this.#keepalive?.cancel()
    this.#keepalive = undefined
    if (seconds === 0) return
    this.#keepalive = clock.after(jitteredMs(seconds, random), () => {
      this.#keepalive = undefined
      expired('KeepaliveTimerExpired')
    })
  }

  /** Our bytes pile up; harmless when it runs already. */
  startSendHold(seconds: number): void {
    if (this.#sendHold !== undefined || seconds === 0) return
    this.#sendHold = this.#environment.clock.after(seconds * 1000, () => {
      this.#sendHold = undefined
      this.#environment.expired('SendHoldTimerExpired')
    })
  }

  stopSendHold(): void {
    this.#sendHold?.cancel()
    this.#sendHold = undefined
  }

  stop(): void {
    for (const timer of [this.#hold, this.#keepalive]) timer?.cancel()
    this.#hold = undefined
    this.#keepalive = undefined
    this.stopConnectRetry()
    this.stopSendHold()
  }

  /** Milliseconds until the peer has been silent for too long; undefined when nobody counts. */
  get holdLeftMs(): number | undefined {
    if (this.#hold === undefined) return undefined
    return Math.max(0, this.#heardAtMs + this.#holdMs - this.#environment.clock.now())
  }

  get connectRetryLeftMs(): number | undefined {
    if (this.#connectRetry === undefined) return undefined
    return Math.max(0, this.#connectRetryAtMs - this.#environment.clock.now())
  }

  #sleepOnHold(milliseconds: number): void {
    const { clock, deaf, expired } = this.#environment
    const dueAtMs = clock.now() + milliseconds
    this.#hold = clock.after(milliseconds, () => {
      const leftMs = this.#heardAtMs + this.#holdMs - clock.now()
      if (leftMs > 0) return this.#sleepOnHold(leftMs)
      if (deaf() || clock.now() - dueAtMs > STARVED_MS) return this.#sleepOnHold(STARVED_MS)
      this.#hold = undefined
      expired('HoldTimerExpired')
    })
  }
}

const SEND_HOLD_SECONDS = 480

/** Time for the peer's OPEN to come (RFC 4271 8.2.2 suggests 4 minutes). */
export const LARGE_HOLD_SECONDS = 240

/** RFC 9687 section 4: as configured, or 8 minutes, or twice the hold time when that is more. */
export const sendHoldSeconds = (configured: number | undefined, holdTimeSeconds: number): number =>
  configured ?? Math.max(SEND_HOLD_SECONDS, 2 * holdTimeSeconds)
