/**
 * The numbers of BGP-4: message types, lengths, error codes and subcodes, with the names that people read.
 *
 * A constant that a hot loop switches on is repeated in the module of that loop, where V8 folds it.
 */
export const HEADER_LENGTH = 19
export const MAX_MESSAGE_LENGTH = 4096
/** With extended messages negotiated (RFC 8654). */
export const MAX_EXTENDED_MESSAGE_LENGTH = 65_535

export const MESSAGE_OPEN = 1
export const MESSAGE_UPDATE = 2
export const MESSAGE_NOTIFICATION = 3
export const MESSAGE_KEEPALIVE = 4
export const MESSAGE_ROUTE_REFRESH = 5

/** Stands for a four-octet AS number towards a two-octet speaker (RFC 6793). */
export const AS_TRANS = 23_456

export const ERROR_HEADER = 1
export const ERROR_OPEN = 2
export const ERROR_UPDATE = 3
export const ERROR_HOLD_TIMER = 4
export const ERROR_FSM = 5
export const ERROR_CEASE = 6
export const ERROR_ROUTE_REFRESH = 7
/** RFC 9687. */
export const ERROR_SEND_HOLD_TIMER = 8

// Message header errors (RFC 4271 6.1)
export const CONNECTION_NOT_SYNCHRONIZED = 1
export const BAD_MESSAGE_LENGTH = 2
export const BAD_MESSAGE_TYPE = 3

// OPEN errors (RFC 4271 6.2, RFC 5492)
export const UNSUPPORTED_VERSION = 1
export const BAD_PEER_AS = 2
export const BAD_BGP_IDENTIFIER = 3
export const UNSUPPORTED_OPTIONAL_PARAMETER = 4
export const UNACCEPTABLE_HOLD_TIME = 6
export const UNSUPPORTED_CAPABILITY = 7

// UPDATE errors (RFC 4271 6.3)
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

// FSM errors (RFC 6608): a message that the state does not allow
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

const CODES: readonly { readonly name: string; readonly subcodes: readonly string[] }[] = [
  { name: 'Reserved', subcodes: [] },
  {
    name: 'Message Header Error',
    subcodes: ['', 'Connection Not Synchronized', 'Bad Message Length', 'Bad Message Type'],
  },
  {
    name: 'OPEN Message Error',
    subcodes: [
      '',
      'Unsupported Version Number',
      'Bad Peer AS',
      'Bad BGP Identifier',
      'Unsupported Optional Parameter',
      'Authentication Failure',
      'Unacceptable Hold Time',
      'Unsupported Capability',
      '',
      '',
      '',
      'Role Mismatch',
    ],
  },
  {
    name: 'UPDATE Message Error',
    subcodes: [
      '',
      'Malformed Attribute List',
      'Unrecognized Well-known Attribute',
      'Missing Well-known Attribute',
      'Attribute Flags Error',
      'Attribute Length Error',
      'Invalid ORIGIN Attribute',
      'AS Routing Loop',
      'Invalid NEXT_HOP Attribute',
      'Optional Attribute Error',
      'Invalid Network Field',
      'Malformed AS_PATH',
    ],
  },
  { name: 'Hold Timer Expired', subcodes: [] },
  {
    name: 'Finite State Machine Error',
    subcodes: [
      '',
      'Unexpected Message in OpenSent',
      'Unexpected Message in OpenConfirm',
      'Unexpected Message in Established',
    ],
  },
  {
    name: 'Cease',
    subcodes: [
      '',
      'Maximum Number of Prefixes Reached',
      'Administrative Shutdown',
      'Peer De-configured',
      'Administrative Reset',
      'Connection Rejected',
      'Other Configuration Change',
      'Connection Collision Resolution',
      'Out of Resources',
      'Hard Reset',
      'BFD Down',
    ],
  },
  { name: 'ROUTE-REFRESH Message Error', subcodes: ['', 'Invalid Message Length'] },
  { name: 'Send Hold Timer Expired', subcodes: [] },
]

/** `Cease/Administrative Shutdown`, `Hold Timer Expired`, `error 9/3`. */
export function describeError(code: number, subcode: number): string {
  const known = CODES[code]
  if (known === undefined) return `error ${code}/${subcode}`
  if (subcode === 0) return known.name
  return `${known.name}/${known.subcodes[subcode] || `subcode ${subcode}`}`
}
