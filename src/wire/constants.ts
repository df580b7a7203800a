/**
 * The numbers of BGP-4 and their names (RFC 4271 sections 4 and 6; IANA "BGP Parameters").
 */
export const OPEN = 1
export const UPDATE = 2
export const NOTIFICATION = 3
export const KEEPALIVE = 4
export const ROUTE_REFRESH = 5

export const BGP_VERSION = 4
/** Marker (16), length (2), type (1). */
export const HEADER_LENGTH = 19
export const MAX_MESSAGE_LENGTH = 4096
/** Once both sides have announced the capability; never for OPEN and KEEPALIVE (RFC 8654 section 4). */
export const MAX_EXTENDED_MESSAGE_LENGTH = 65_535

/** Stands for an AS number that doesn't fit into two octets (RFC 6793 section 9). */
export const AS_TRANS = 23_456

export const ERROR_HEADER = 1
export const ERROR_OPEN = 2
export const ERROR_UPDATE = 3
export const ERROR_HOLD_TIMER = 4
export const ERROR_FSM = 5
export const ERROR_CEASE = 6
/** RFC 7313 section 5. */
export const ERROR_ROUTE_REFRESH = 7
/** RFC 9687 section 3. */
export const ERROR_SEND_HOLD_TIMER = 8

export const UNSPECIFIC = 0

// Message Header Error
export const CONNECTION_NOT_SYNCHRONIZED = 1
export const BAD_MESSAGE_LENGTH = 2
export const BAD_MESSAGE_TYPE = 3

// OPEN Message Error
export const UNSUPPORTED_VERSION = 1
export const BAD_PEER_AS = 2
export const BAD_BGP_IDENTIFIER = 3
export const UNSUPPORTED_OPTIONAL_PARAMETER = 4
export const UNACCEPTABLE_HOLD_TIME = 6
export const UNSUPPORTED_CAPABILITY = 7
export const ROLE_MISMATCH = 11

// UPDATE Message Error
export const MALFORMED_ATTRIBUTE_LIST = 1
export const UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE = 2
export const MISSING_WELL_KNOWN_ATTRIBUTE = 3
export const ATTRIBUTE_FLAGS_ERROR = 4
export const ATTRIBUTE_LENGTH_ERROR = 5
export const INVALID_ORIGIN = 6
export const INVALID_NEXT_HOP = 8
export const OPTIONAL_ATTRIBUTE_ERROR = 9
export const INVALID_NETWORK_FIELD = 10
export const MALFORMED_AS_PATH = 11

// Finite State Machine Error (RFC 6608)
export const UNEXPECTED_IN_OPEN_SENT = 1
export const UNEXPECTED_IN_OPEN_CONFIRM = 2
export const UNEXPECTED_IN_ESTABLISHED = 3

// Cease (RFC 4486, RFC 8538, RFC 9384)
export const MAXIMUM_PREFIXES_REACHED = 1
export const ADMINISTRATIVE_SHUTDOWN = 2
export const PEER_DECONFIGURED = 3
export const ADMINISTRATIVE_RESET = 4
export const CONNECTION_REJECTED = 5
export const OTHER_CONFIGURATION_CHANGE = 6
export const CONNECTION_COLLISION_RESOLUTION = 7
export const OUT_OF_RESOURCES = 8
export const HARD_RESET = 9
export const BFD_DOWN = 10

// ROUTE-REFRESH Message Error (RFC 7313)
export const INVALID_REFRESH_LENGTH = 1

interface ErrorNames {
  readonly name: string
  readonly subcodes: Readonly<Record<number, string>>
}

const ERRORS: Readonly<Record<number, ErrorNames>> = {
  1: {
    name: 'Message Header Error',
    subcodes: { 1: 'Connection Not Synchronized', 2: 'Bad Message Length', 3: 'Bad Message Type' },
  },
  2: {
    name: 'OPEN Message Error',
    subcodes: {
      1: 'Unsupported Version Number',
      2: 'Bad Peer AS',
      3: 'Bad BGP Identifier',
      4: 'Unsupported Optional Parameter',
      5: 'Authentication Failure',
      6: 'Unacceptable Hold Time',
      7: 'Unsupported Capability',
      11: 'Role Mismatch',
    },
  },
  3: {
    name: 'UPDATE Message Error',
    subcodes: {
      1: 'Malformed Attribute List',
      2: 'Unrecognized Well-known Attribute',
      3: 'Missing Well-known Attribute',
      4: 'Attribute Flags Error',
      5: 'Attribute Length Error',
      6: 'Invalid ORIGIN Attribute',
      7: 'AS Routing Loop',
      8: 'Invalid NEXT_HOP Attribute',
      9: 'Optional Attribute Error',
      10: 'Invalid Network Field',
      11: 'Malformed AS_PATH',
    },
  },
  4: { name: 'Hold Timer Expired', subcodes: {} },
  5: {
    name: 'Finite State Machine Error',
    subcodes: {
      1: 'Receive Unexpected Message in OpenSent State',
      2: 'Receive Unexpected Message in OpenConfirm State',
      3: 'Receive Unexpected Message in Established State',
    },
  },
  6: {
    name: 'Cease',
    subcodes: {
      1: 'Maximum Number of Prefixes Reached',
      2: 'Administrative Shutdown',
      3: 'Peer De-configured',
      4: 'Administrative Reset',
      5: 'Connection Rejected',
      6: 'Other Configuration Change',
      7: 'Connection Collision Resolution',
      8: 'Out of Resources',
      9: 'Hard Reset',
      10: 'BFD Down',
    },
  },
  7: { name: 'ROUTE-REFRESH Message Error', subcodes: { 1: 'Invalid Message Length' } },
  8: { name: 'Send Hold Timer Expired', subcodes: {} },
}

/** `Cease/Administrative Shutdown`; numbers stand in for what has no name, and subcode 0 says nothing. */
export function describeError(code: number, subcode: number): string {
  const error = ERRORS[code]
  if (error === undefined) return `error ${code}/${subcode}`
  if (subcode === UNSPECIFIC) return error.name
  return `${error.name}/${error.subcodes[subcode] ?? `subcode ${subcode}`}`
}
