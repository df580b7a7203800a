/**
 * What BGP itself asks of a peer's routes before import policy does, and what is changed in those that
 * pass: loops, the first AS, roles (RFC 9234), graceful shutdown (RFC 8326).
 *
 * A route that fails is kept as rejected with its reason, so that other rules can be put in force without
 * asking the peer. Most sets of most peers pass unchanged: then nothing is made here.
 */
import type { RoleName } from '../wire/capabilities/role.ts'
import { attributeValue, withAttribute } from '../wire/attributes/section.ts'
import { beginsWith, countIn, prepend } from '../wire/path-bytes.ts'
import { GRACEFUL_SHUTDOWN, HAS_LOCAL_PREF, HAS_OTC, HAS_OWN_CLUSTER } from '../wire/scan.ts'
import type { AttributeStore } from './attribute-store.ts'
import type { Rejection } from './paths.ts'
import type { RibPeerOptions } from './peer.ts'

export interface ImportRules {
  /** How often our own AS may stand in a path. */
  readonly allowOwnAsn: number
  /** A path from another AS begins with that AS (RFC 4271 6.3). */
  readonly enforceFirstAsn: boolean
  /** The number that the peer knows us by where that is not ours, else 0: loops through it count too. */
  readonly localAsn: number
  /** That number is put in front of what the peer sends. */
  readonly prependLocalAsn: boolean
  /** What we are to the peer (RFC 9234). */
  readonly role: RoleName | undefined
  /** LOCAL_PREF 0 for what an external peer marks with GRACEFUL_SHUTDOWN. */
  readonly gracefulShutdown: boolean
}

/** What holds of a session that nothing is configured for. */
export const LENIENT: ImportRules = {
  allowOwnAsn: 0,
  enforceFirstAsn: false,
  localAsn: 0,
  prependLocalAsn: false,
  role: undefined,
  gracefulShutdown: false,
}

export const sameRules = (a: ImportRules, b: ImportRules): boolean =>
  (Object.keys(LENIENT) as (keyof ImportRules)[]).every((rule) => a[rule] === b[rule])

const AS_PATH = 2
const LOCAL_PREF = 5
const ONLY_TO_CUSTOMER = 35
const NOTHING = new Uint8Array(0)
const ZERO = new Uint8Array(4)

/** Why a path with this set may not take part (RFC 4271 9.1.2, RFC 4456 section 8, RFC 9234 section 5). */
export function rejectionOf(
  set: number,
  attributes: AttributeStore,
  rules: ImportRules,
  peer: RibPeerOptions,
  routerId: number,
): Rejection {
  const flags = attributes.flags(set)
  if (attributes.ownAsCount(set) > rules.allowOwnAsn) return 'ownAs'
  if ((flags & HAS_OWN_CLUSTER) !== 0) return 'ownCluster'
  const originator = attributes.originatorId(set)
  if (originator !== 0 && originator === routerId) return 'ownOriginatorId'
  if (rules.localAsn !== 0 && countIn(pathOf(set, attributes), rules.localAsn) > rules.allowOwnAsn)
    return 'ownAs'
  if (peer.external) {
    // The first number of an external path, unless a set stands there: that is nobody's neighbour.
    if (rules.enforceFirstAsn && attributes.neighborAs(set) !== peer.asn) return 'firstAs'
  } else if (peer.confederation === true) {
    // RFC 5065 section 5: whatever comes from another member AS begins with that one.
    if (!beginsWith(pathOf(set, attributes), peer.asn, true)) return 'firstAs'
  }
  if ((flags & HAS_OTC) !== 0 && isLeak(set, attributes, rules.role, peer.asn)) return 'routeLeak'
  return 'none'
}

/** RFC 9234 section 5, ingress 1 and 2. */
function isLeak(
  set: number,
  attributes: AttributeStore,
  role: RoleName | undefined,
  asn: number,
): boolean {
  if (role === 'provider' || role === 'rs') return true
  if (role !== 'peer') return false
  const value = attributeValue(attributes.view(set), ONLY_TO_CUSTOMER)
  return value !== undefined && numberOf(value) !== asn
}

/**
 * The set as it goes to import policy: the same, or another one, which comes with a reference. 0 when it
 * is now longer than any message.
 */
export function received(
  set: number,
  attributes: AttributeStore,
  { localAsn, prependLocalAsn, role }: ImportRules,
  peer: RibPeerOptions,
): number {
  const prepends = prependLocalAsn && localAsn !== 0
  const marks = marksCustomers(role) && (attributes.flags(set) & HAS_OTC) === 0
  if (!prepends && !marks) return set
  let bytes = attributes.view(set)
  if (prepends) {
    const path = prepend(attributeValue(bytes, AS_PATH) ?? NOTHING, localAsn)
    bytes = withAttribute(bytes, 0x40, AS_PATH, path)
  }
  if (marks) bytes = withAttribute(bytes, 0xc0, ONLY_TO_CUSTOMER, bytesOf(peer.asn))
  return attributes.intern(bytes, 0, bytes.length)
}

/** Ingress 3: what comes from above or from the side may only go down. */
const marksCustomers = (role: RoleName | undefined): boolean =>
  role === 'customer' || role === 'peer' || role === 'rs-client'

/**
 * The set as the decision sees it, after import policy: the same, or another one, which comes with a
 * reference. What is about to go shall be the last choice, whatever policy thinks of it.
 */
export function lastChoice(
  set: number,
  attributes: AttributeStore,
  rules: ImportRules,
  peer: RibPeerOptions,
): number {
  if (!rules.gracefulShutdown || !peer.external) return set
  if ((attributes.flags(set) & GRACEFUL_SHUTDOWN) === 0 || isLast(set, attributes)) return set
  const bytes = withAttribute(attributes.view(set), 0x40, LOCAL_PREF, ZERO)
  return attributes.intern(bytes, 0, bytes.length) || set
}

const isLast = (set: number, attributes: AttributeStore): boolean =>
  (attributes.flags(set) & HAS_LOCAL_PREF) !== 0 && attributes.localPref(set) === 0

const pathOf = (set: number, attributes: AttributeStore): Uint8Array =>
  attributeValue(attributes.view(set), AS_PATH) ?? NOTHING

const numberOf = (it: Uint8Array): number =>
  ((it[0] << 24) | (it[1] << 16) | (it[2] << 8) | it[3]) >>> 0

const bytesOf = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
