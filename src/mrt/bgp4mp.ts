/**
 * What happens in sessions, as it happens (RFC 6396 section 4.4): messages as they came, byte for byte, and
 * changes of the state machine.
 */
import { AS_TRANS } from '../wire/constants.ts'
import { BGP4MP_ET, type RecordWriter } from './record.ts'

const MESSAGE = 1
const MESSAGE_AS4 = 4
const STATE_CHANGE_AS4 = 5
/** Of sessions whose prefixes come with path identifiers (RFC 8050 section 3). */
const MESSAGE_ADDPATH = 8
const MESSAGE_AS4_ADDPATH = 9

/** The states of RFC 4271 section 8.2.2, as section 4.4.1 numbers them. */
const MRT_STATES = {
  Idle: 1,
  Connect: 2,
  Active: 3,
  OpenSent: 4,
  OpenConfirm: 5,
  Established: 6,
} as const

export interface DumpedSession {
  readonly peerAsn: number
  readonly localAsn: number
  /** 0 when it is on no link in particular. */
  readonly interfaceIndex: number
  /** Both of 4 or both of 16 bytes. */
  readonly peerAddress: Uint8Array
  readonly localAddress: Uint8Array
  /** AS numbers have four octets in its messages (RFC 6793). */
  readonly fourOctetAs: boolean
  /** Prefixes that come from the peer have path identifiers. */
  readonly addPath: boolean
}

/** The whole message `bytes[start..end)`, header and all, received at `wallMs`. */
export function writeMessage(
  to: RecordWriter,
  session: DumpedSession,
  wallMs: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  const { fourOctetAs, addPath } = session
  const subtype = fourOctetAs
    ? addPath
      ? MESSAGE_AS4_ADDPATH
      : MESSAGE_AS4
    : addPath
      ? MESSAGE_ADDPATH
      : MESSAGE
  to.begin(BGP4MP_ET, subtype, wallMs)
  writeSession(to, session, fourOctetAs)
  to.bytes(bytes, start, end)
  to.end()
}

export function writeStateChange(
  to: RecordWriter,
  session: DumpedSession,
  wallMs: number,
  from: keyof typeof MRT_STATES,
  now: keyof typeof MRT_STATES,
): void {
  to.begin(BGP4MP_ET, STATE_CHANGE_AS4, wallMs)
  writeSession(to, session, true)
  to.u16(MRT_STATES[from]).u16(MRT_STATES[now])
  to.end()
}

function writeSession(to: RecordWriter, session: DumpedSession, fourOctetAs: boolean): void {
  const { peerAsn, localAsn, peerAddress } = session
  if (fourOctetAs) to.u32(peerAsn).u32(localAsn)
  else to.u16(twoOctets(peerAsn)).u16(twoOctets(localAsn))
  to.u16(session.interfaceIndex & 0xffff).u16(peerAddress.length === 4 ? 1 : 2)
  to.bytes(peerAddress).bytes(session.localAddress)
}

const twoOctets = (asn: number): number => (asn > 0xffff ? AS_TRANS : asn)
