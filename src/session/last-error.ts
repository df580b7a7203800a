/** Messages of a session that are remembered: those that began it, and the one that ended it. */

/** The OPENs that made a session, whole messages. */
export interface Opens {
  readonly sent: Uint8Array
  readonly received: Uint8Array
}

/** The last NOTIFICATION, in either direction. */
export interface LastError {
  readonly direction: 'sent' | 'received'
  readonly code: number
  readonly subcode: number
  readonly data: Uint8Array
  /** For people, with the names of code and subcode. */
  readonly text: string
  /** Milliseconds since the epoch. */
  readonly at: number
}
