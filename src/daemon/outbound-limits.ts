/**
 * How many prefixes a peer may hear (`maxPrefixesOut`), and what happens beyond: one for each family. With
 * `block` the update group keeps to the limit itself (`rib/export-limit.ts`) and it is only told here; with
 * `disconnect` and `restart` the session ends before the first prefix beyond is sent.
 */
import type { PrefixLimit } from '../config/config.ts'
import type { FamilyFacts } from '../net/family.ts'
import type { Membership } from '../rib/update-group.ts'
import { ADMINISTRATIVE_RESET, ADMINISTRATIVE_SHUTDOWN } from '../wire/constants.ts'
import type { Limited } from './prefix-limits.ts'

/** Fallen so far below a threshold, a number may cross it anew. */
const CLEARLY_BELOW = 0.9

const grouped = (count: number): string => count.toLocaleString('en-US')

export class OutboundLimits {
  readonly #family: FamilyFacts
  readonly #limited: Omit<Limited, 'askAgain'>
  #limit: PrefixLimit | undefined
  #near = false
  #over = false

  constructor(
    family: FamilyFacts,
    limit: PrefixLimit | undefined,
    limited: Omit<Limited, 'askAgain'>,
  ) {
    this.#family = family
    this.#limit = limit
    this.#limited = limited
  }

  /** A session begins; nothing is told yet. */
  begin(): void {
    this.#near = false
    this.#over = false
  }

  change(limit: PrefixLimit | undefined): void {
    this.#limit = limit
    this.begin()
  }

  /** False, and the session ends, when what is about to be told is beyond what it may. */
  allows({ group, member }: Membership): boolean {
    if (this.#limit === undefined) return true
    const { limit, action, warnAt } = this.#limit
    const count = group.announced(member)
    const more = count > limit || group.withheld > 0
    if (more && (action === 'disconnect' || action === 'restart')) return this.#cease(count)
    if (more && !this.#over) {
      const beyond = action === 'block' ? `: ${grouped(group.withheld)} or more are not told` : ''
      this.#tell(
        'PrefixLimitOutExceeded',
        `${this.#counted(count)}, the limit is ${grouped(limit)}${beyond}`,
      )
    }
    const warnCount = Math.max(1, Math.ceil((limit * warnAt) / 100))
    if (count >= warnCount && !this.#near && !more) {
      const part = `${warnAt} % or more of the ${grouped(limit)} that it may hear`
      this.#tell('PrefixLimitOutNear', `${this.#counted(count)}, ${part}`)
    }
    this.#near = more || count >= (this.#near ? warnCount * CLEARLY_BELOW : warnCount)
    this.#over = more || (this.#over && count >= limit * CLEARLY_BELOW)
    return true
  }

  /** No subcode is made for it: the peer gets words (RFC 9003). */
  #cease(count: number): boolean {
    if (this.#limit === undefined) return true
    const { limit, action, afterSeconds } = this.#limit
    const cause = `${grouped(count)} ${this.#family.name} prefixes to announce, the limit is ${grouped(limit)}`
    this.#tell('PrefixLimitOutExceeded', `would hear ${cause}`)
    const isRestart = action === 'restart'
    const subcode = isRestart ? ADMINISTRATIVE_RESET : ADMINISTRATIVE_SHUTDOWN
    const text = `maxPrefixesOut: ${cause}`
    this.#limited.holdDown({ subcode, text, cause: text }, isRestart ? afterSeconds : undefined)
    return false
  }

  #counted(count: number): string {
    return `hears ${grouped(count)} ${this.#family.name} prefixes`
  }

  #tell(kind: string, text: string): void {
    this.#limited.tell('warn', kind, text)
  }
}
