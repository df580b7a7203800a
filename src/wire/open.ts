/**
 * OPEN (RFC 4271 4.2): who the sender is and what it can do.
 *
 * Read here is what the message says by itself; whether the two sides' OPENs fit together is decided in
 * `session/negotiation.ts`. Optional parameters other than capabilities have been dead since
 * authentication was removed, so any is refused. Both their encodings are read, and the extended one (RFC
 * 9072) is written when 255 bytes are not enough.
 */
import { OutOfBytes, Reader, Writer } from '../net/bytes.ts'
import { decodeCapability, encodeCapability, type Capability } from './capabilities/index.ts'
import {
  AS_TRANS,
  BAD_BGP_IDENTIFIER,
  BAD_PEER_AS,
  BGP_VERSION,
  ERROR_OPEN,
  OPEN,
  UNACCEPTABLE_HOLD_TIME,
  UNSPECIFIC,
  UNSUPPORTED_OPTIONAL_PARAMETER,
  UNSUPPORTED_VERSION,
} from './constants.ts'
import { SessionError } from './errors.ts'
import { encodeMessage } from './message.ts'

export interface Open {
  /** The four-octet number of the capability if there is one, otherwise My Autonomous System. */
  readonly asn: number
  readonly holdTimeSeconds: number
  /** Unsigned 32-bit number, never 0. */
  readonly identifier: number
  /** In the order of the message; duplicates are kept (RFC 5492 section 4). */
  readonly capabilities: readonly Capability[]
}

const CAPABILITIES_PARAMETER = 2
const EXTENDED_PARAMETERS = 255
/** As much as an OPEN can hold, which stays at 4096 bytes (RFC 8654 section 4). */
const MAX_CAPABILITIES = 4096 - 29 - 3 - 3

/** Reads the body `bytes[start..end)`. Throws a SessionError of code 2 (RFC 4271 6.2). */
export function decodeOpen(bytes: Uint8Array, start: number, end: number): Open {
  try {
    return readOpen(bytes, new Reader(bytes, start, end))
  } catch (error) {
    if (!(error instanceof OutOfBytes)) throw error
    throw new SessionError(ERROR_OPEN, UNSPECIFIC, `optional parameters cut off: ${error.message}`)
  }
}

/** The whole message. Four-octet AS numbers need the capability in the list: it is not added here. */
export function encodeOpen(open: Open): Uint8Array {
  const parameters = encodeParameters(open.capabilities)
  const body = new Writer(13 + parameters.length)
  body
    .u8(BGP_VERSION)
    .u16(open.asn > 0xffff ? AS_TRANS : open.asn)
    .u16(open.holdTimeSeconds)
    .u32(open.identifier)
  if (parameters.length > 255) {
    body.u8(EXTENDED_PARAMETERS).u8(EXTENDED_PARAMETERS).u16(parameters.length)
  } else {
    body.u8(parameters.length)
  }
  return encodeMessage(OPEN, body.bytes(parameters).take())
}

function readOpen(bytes: Uint8Array, from: Reader): Open {
  const version = from.u8()
  if (version !== BGP_VERSION) {
    // The data is the largest version that we speak.
    const data = Uint8Array.of(0, BGP_VERSION)
    throw new SessionError(ERROR_OPEN, UNSUPPORTED_VERSION, `version ${version}`, data)
  }
  const myAs = from.u16()
  const holdTimeSeconds = from.u16()
  const identifier = from.u32()
  const capabilities = readParameters(bytes, from)
  const wide = capabilities.find((capability) => capability.name === 'four-octet-as')
  const asn = wide?.asn ?? myAs
  // RFC 7607 section 2
  if (asn === 0 || myAs === 0) throw new SessionError(ERROR_OPEN, BAD_PEER_AS, 'AS 0')
  if (holdTimeSeconds === 1 || holdTimeSeconds === 2) {
    throw new SessionError(
      ERROR_OPEN,
      UNACCEPTABLE_HOLD_TIME,
      `a hold time of ${holdTimeSeconds} s`,
    )
  }
  if (identifier === 0) {
    throw new SessionError(ERROR_OPEN, BAD_BGP_IDENTIFIER, 'identifier 0.0.0.0')
  }
  return { asn, holdTimeSeconds, identifier, capabilities }
}

/** `bytes` is what `from` reads; it stands at the length octet. */
function readParameters(bytes: Uint8Array, from: Reader): Capability[] {
  let length = from.u8()
  // Type 255 in first place marks the extended format, whatever the length says (RFC 9072 section 2).
  const extended = length > 0 && from.left > 0 && bytes[from.offset] === EXTENDED_PARAMETERS
  if (extended) {
    from.u8()
    length = from.u16()
  }
  if (length !== from.left) {
    const why = `${length} bytes of optional parameters in a field of ${from.left}`
    throw new SessionError(ERROR_OPEN, UNSPECIFIC, why)
  }
  const capabilities: Capability[] = []
  while (from.left > 0) {
    const type = from.u8()
    const parameter = from.slice(extended ? from.u16() : from.u8())
    if (type !== CAPABILITIES_PARAMETER) {
      const why = `optional parameter ${type}`
      throw new SessionError(ERROR_OPEN, UNSUPPORTED_OPTIONAL_PARAMETER, why)
    }
    while (parameter.left > 0) capabilities.push(decodeCapability(parameter))
  }
  return capabilities
}

function encodeParameters(capabilities: readonly Capability[]): Uint8Array {
  const list = new Writer(MAX_CAPABILITIES)
  for (const capability of capabilities) encodeCapability(capability, list)
  if (list.length === 0) return list.take()
  const parameter = new Writer(3 + list.length).u8(CAPABILITIES_PARAMETER)
  if (list.length + 2 > 255) parameter.u16(list.length)
  else parameter.u8(list.length)
  return parameter.bytes(list.written()).take()
}
