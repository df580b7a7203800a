/**
 * What goes wrong with a message, and what that costs (RFC 7606 section 2): an error names its remedy.
 *
 * `discard` drops the attribute, `withdraw` treats the UPDATE as a withdrawal of its prefixes; both are
 * values that are returned. Only `reset`, which ends the session, is thrown, as a SessionError, and it
 * carries the NOTIFICATION to send.
 */
export type Remedy = 'discard' | 'withdraw' | 'reset'

/** Ends the session. The only thing that decoding ever throws. */
export class SessionError extends Error {
  /** NOTIFICATION error code and subcode (RFC 4271 4.5). */
  readonly code: number
  readonly subcode: number
  /** NOTIFICATION data. */
  readonly data: Uint8Array

  /** `why` is for people: log and `show peer`. */
  constructor(code: number, subcode: number, why: string, data: Uint8Array = new Uint8Array(0)) {
    super(why)
    this.name = 'SessionError'
    this.code = code
    this.subcode = subcode
    this.data = data
  }
}
