/**
 * Why things happened, in words: for logs, `lastError` and the reason a peer is not up.
 */
import {
  ADMINISTRATIVE_RESET,
  ADMINISTRATIVE_SHUTDOWN,
  BAD_PEER_AS,
  ERROR_CEASE,
  ERROR_OPEN,
} from '../wire/constants.ts'
import {
  describeNotification,
  encodeShutdownText,
  type Notification,
} from '../wire/notification.ts'
import type { State } from './fsm.ts'
import type { Cease, PeerOptions } from './peer-options.ts'
import type { TimerEvent } from './timers.ts'
import type { CloseReason, Endpoint, SocketOptions } from './transport.ts'

/** The cause given to a conversation that lost a collision: no trouble worth telling. */
export const SUPERSEDED = 'the other connection of this peer is kept'

/** What it amounts to when the peer decides: the other connection may not have come to our ears yet. */
export const SUPERSEDED_THERE = 'the peer sent Cease/Connection Collision Resolution'

/** The NOTIFICATION for a cease, with its text where RFC 9003 allows one. */
export function ceaseNotification({ subcode, text, data }: Cease): Notification {
  const mayHaveText = subcode === ADMINISTRATIVE_SHUTDOWN || subcode === ADMINISTRATIVE_RESET
  const words = text !== undefined && mayHaveText ? encodeShutdownText(text) : undefined
  return { code: ERROR_CEASE, subcode, data: data ?? words ?? new Uint8Array(0) }
}

/** What our own side says of it: `shut down: maintenance until 9`. */
export const causeOfCease = (what: string, { cause, text }: Cease): string =>
  cause ?? (text === undefined ? what : `${what}: ${text}`)

/** What a NOTIFICATION that we sent says, and about what. */
export function textOfSent(notification: Notification, cause: string): string {
  const name = describeNotification(notification)
  if (notification.code === ERROR_CEASE) return name
  return cause.startsWith(name) ? cause : `${name}: ${cause}`
}

/** What a received one says; a refused AS number is best told with what we know of both. */
export function textOfReceived(
  notification: Notification,
  localAsn: number,
  peerAsn: number | undefined,
): string {
  const words = describeNotification(notification)
  if (notification.code !== ERROR_OPEN || notification.subcode !== BAD_PEER_AS) return words
  const peer = peerAsn === undefined ? 'the peer' : `the peer (AS ${peerAsn})`
  return `${words}: we say AS ${localAsn}, ${peer} is configured for another`
}

export function causeOfExpiry(
  type: TimerEvent,
  { remote, socket }: Pick<PeerOptions, 'remote' | 'socket'>,
  holdSeconds: number,
): string {
  switch (type) {
    case 'HoldTimerExpired':
      return `nothing heard from the peer for ${holdSeconds} s`
    case 'SendHoldTimerExpired':
      return 'the peer takes no bytes'
    case 'ConnectRetryTimerExpired':
      return `${remote.address.text} port ${remote.port} does not answer${dropsInSilence(socket)}`
    case 'KeepaliveTimerExpired':
      return 'time for a KEEPALIVE'
  }
}

/** A kernel answers neither a segment with a wrong signature nor one with too low a TTL. */
function dropsInSilence({ password, tcpAo, minimumTtl }: SocketOptions): string {
  if (password !== undefined || tcpAo !== undefined)
    return '; the key may differ there, or be missing'
  return minimumTtl === undefined ? '' : '; it may not send with TTL 255 (GTSM)'
}

/** `us`: as the peer should know us. */
export function causeOfClose(
  { code, text }: CloseReason,
  state: State,
  us: { readonly asn: number; readonly local?: Endpoint },
): string {
  if (code !== 'end' && code !== 'reset') return text
  const what = `the peer ${code === 'end' ? 'closed' : 'reset'} the connection`
  // A call that is not taken is refused: one that was reset had been taken before we looked.
  if (state !== 'OpenSent' && state !== 'Connect') return what
  // What a router does with a stranger.
  const who = us.local === undefined ? `AS ${us.asn}` : `${us.local.address.text}, AS ${us.asn}`
  return `${what} without an OPEN; is this speaker (${who}) configured there?`
}
