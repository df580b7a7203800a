/**
 * What can be wrong with a message, and what it costs.
 *
 * A malformed attribute is a value, not an exception: it names its remedy and the reading goes on
 * (RFC 7606). Only what must end the session is thrown, as a SessionError that carries the NOTIFICATION
 * to send; no decoder of this room throws anything else.
 */
import { describeError } from './constants.ts'

/** What a malformed attribute costs, mildest first (RFC 7606 section 2). */
export type Remedy = 'discard' | 'withdraw' | 'reset'

const NO_DATA = new Uint8Array(0)

export class SessionError extends Error {
  /** Error code, subcode and data of the NOTIFICATION (RFC 4271 4.5). */
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
  /** What was found, without the error's name. */
  readonly why: string

  constructor(code: number, subcode: number, why: string, data: Uint8Array = NO_DATA) {
    super(`${describeError(code, subcode)}: ${why}`)
    this.name = 'SessionError'
    this.code = code
    this.subcode = subcode
    this.why = why
    this.data = data
  }
}

/** Stands in for the value of an attribute that can't be used. */
export class Malformed {
  readonly remedy: Remedy
  readonly why: string
  /** Of a NOTIFICATION about it (RFC 4271 6.3), where the row of the attribute names none. */
  readonly subcode: number | undefined

  constructor(remedy: Remedy, why: string, subcode?: number) {
    this.remedy = remedy
    this.why = why
    this.subcode = subcode
  }
}

export const malformed = (remedy: Remedy, why: string): Malformed => new Malformed(remedy, why)
