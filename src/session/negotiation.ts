/**
 * What a session is like: our options and the peer's OPEN put together (RFC 4271 4.2 and 6.2, RFC 5492).
 *
 * Each side announces what it can do, and what both announced is in force. An OPEN that can't be lived
 * with is thrown as the SessionError to send; its words name both sides' values, because they are read
 * at both ends by people who know one of them.
 */
import { Writer } from '../net/bytes.ts'
import { factsOf, familyOfAfi, SAFI_UNICAST, type Family } from '../net/family.ts'
import { formatIpv4 } from '../net/address.ts'
import type { AddPathFamily } from '../wire/capabilities/add-path.ts'
import type { AfiSafi } from '../wire/capabilities/capability.ts'
import { encodeCapability, type Capability } from '../wire/capabilities/index.ts'
import { COUNTERPART } from '../wire/capabilities/role.ts'
import {
  AS_TRANS,
  BAD_BGP_IDENTIFIER,
  BAD_PEER_AS,
  ERROR_OPEN,
  MAX_EXTENDED_MESSAGE_LENGTH,
  MAX_MESSAGE_LENGTH,
  ROLE_MISMATCH,
  UNACCEPTABLE_HOLD_TIME,
  UNSUPPORTED_CAPABILITY,
} from '../wire/constants.ts'
import { SessionError } from '../wire/errors.ts'
import type { Open } from '../wire/open.ts'
import { restartCapabilities, restartTerms, type RestartTerms } from './graceful-restart.ts'
import type { PeerOptions } from './peer-options.ts'

/** The terms of a session, known from the peer's OPEN on. */
export interface Negotiated {
  /** Those that both announced, in the order of our configuration. */
  readonly families: readonly Family[]
  /** AS numbers take four octets in UPDATEs (RFC 6793). */
  readonly fourOctetAs: boolean
  /** IPv4 routes may have IPv6 next hops (RFC 8950). */
  readonly extendedNextHop: boolean
  readonly routeRefresh: boolean
  /** The answer to a ROUTE-REFRESH has a marked beginning and end (RFC 7313). */
  readonly enhancedRouteRefresh: boolean
  /** Families in which a prefix has several paths, told apart by path identifiers (RFC 7911). */
  readonly addPath: AddPathTerms
  /** What the peer promises about its routes when the session is over; absent unless both offer it. */
  readonly gracefulRestart?: RestartTerms
  /** The longest message that either side may send (RFC 8654). */
  readonly maxMessageLength: number
  /** The smaller of both; 0 when nobody watches the other. */
  readonly holdTimeSeconds: number
  readonly keepaliveSeconds: number
  readonly peerAsn: number
  /** The peer's BGP Identifier, an unsigned 32-bit number. */
  readonly peerRouterId: number
  /** eBGP. */
  readonly external: boolean
  /** All that the peer announced, also what we don't know. */
  readonly peerCapabilities: readonly Capability[]
}

export interface AddPathTerms {
  /** The peer sends path identifiers. */
  readonly receive: readonly Family[]
  /** We do. */
  readonly send: readonly Family[]
}

/** What negotiation needs to know of us. */
export type OurSide = Pick<
  PeerOptions,
  | 'localAsn'
  | 'remoteAsn'
  | 'routerId'
  | 'holdTimeSeconds'
  | 'families'
  | 'addPath'
  | 'extendedMessages'
  | 'enhancedRouteRefresh'
  | 'extendedNextHop'
  | 'gracefulRestart'
  | 'role'
  | 'strictRole'
>

/** The OPEN that we send. */
export function ourOpen(us: OurSide): Open {
  return {
    asn: us.localAsn,
    holdTimeSeconds: us.holdTimeSeconds,
    identifier: us.routerId >>> 0,
    capabilities: [
      ...us.families.map(multiprotocol),
      ...(announcesExtendedNextHop(us) ? [EXTENDED_NEXT_HOP] : []),
      { name: 'route-refresh' },
      ...(us.enhancedRouteRefresh === true ? [{ name: 'enhanced-route-refresh' } as const] : []),
      ...(us.extendedMessages === true ? [{ name: 'extended-message' } as const] : []),
      { name: 'four-octet-as', asn: us.localAsn },
      ...addPathOffer(us),
      ...(us.gracefulRestart === undefined
        ? []
        : restartCapabilities(us.families, us.gracefulRestart)),
      ...(us.role === undefined ? [] : [{ name: 'role', role: us.role } as const]),
    ],
  }
}

/** The terms under which we talk with the sender of `open`; throws the SessionError when we don't. */
export function negotiate(us: OurSide, open: Open): Negotiated {
  checkAsn(us, open.asn)
  const external = open.asn !== us.localAsn
  checkIdentifier(us, open.identifier, external)
  checkRole(us, open.capabilities)
  const holdTimeSeconds = checkHoldTime(us, open.holdTimeSeconds)
  const announces = (name: Capability['name']): boolean =>
    open.capabilities.some((capability) => capability.name === name)
  const families = commonFamilies(us.families, open.capabilities)
  const gracefulRestart = restartTerms(us.gracefulRestart, families, open.capabilities)
  return {
    families,
    fourOctetAs: announces('four-octet-as'),
    extendedNextHop: announcesExtendedNextHop(us) && open.capabilities.some(offersExtendedNextHop),
    routeRefresh: announces('route-refresh'),
    enhancedRouteRefresh:
      us.enhancedRouteRefresh === true &&
      announces('route-refresh') &&
      announces('enhanced-route-refresh'),
    addPath: addPathTerms(us, families, open.capabilities),
    ...(gracefulRestart === undefined ? {} : { gracefulRestart }),
    maxMessageLength:
      us.extendedMessages === true && announces('extended-message')
        ? MAX_EXTENDED_MESSAGE_LENGTH
        : MAX_MESSAGE_LENGTH,
    holdTimeSeconds,
    keepaliveSeconds: Math.floor(holdTimeSeconds / 3),
    peerAsn: open.asn,
    peerRouterId: open.identifier,
    external,
    peerCapabilities: open.capabilities,
  }
}

function checkAsn({ localAsn, remoteAsn }: OurSide, asn: number): void {
  const refuse = (why: string): SessionError => new SessionError(ERROR_OPEN, BAD_PEER_AS, why)
  if (asn === 0) throw refuse('peer says AS 0')
  // Who has a number of four octets says so in the capability (RFC 6793 section 4.2.1).
  if (asn === AS_TRANS)
    throw refuse(`peer says AS ${AS_TRANS} (AS_TRANS), which is nobody's number`)
  if (remoteAsn === 'external') {
    if (asn === localAsn) throw refuse(`peer says AS ${asn}, our own; configured external`)
  } else if (remoteAsn === 'internal') {
    if (asn !== localAsn) throw refuse(`peer says AS ${asn}, configured internal (${localAsn})`)
  } else if (asn !== remoteAsn) {
    throw refuse(`peer says AS ${asn}, configured ${remoteAsn}`)
  }
}

/** RFC 6286: not zero, and within one AS not ours. */
function checkIdentifier({ routerId }: OurSide, identifier: number, external: boolean): void {
  if (identifier === 0 || (!external && identifier === routerId >>> 0)) {
    const whose = identifier === 0 ? '' : ', our own'
    const why = `peer says router id ${formatIpv4(identifier)}${whose}`
    throw new SessionError(ERROR_OPEN, BAD_BGP_IDENTIFIER, why)
  }
}

/** RFC 9234 section 4.2; a peer that says several roles means none of them. */
function checkRole({ role, strictRole }: OurSide, theirs: readonly Capability[]): void {
  if (role === undefined) return
  const said = new Set(theirs.flatMap((it) => (it.name === 'role' ? [it.role] : [])))
  if (said.size === 0 && strictRole !== true) return
  if (said.size === 1 && said.has(COUNTERPART[role])) return
  const it = said.size === 0 ? 'no role' : [...said].join(' and ')
  const why = `peer says ${it}, we are ${role} and expect ${COUNTERPART[role]}`
  throw new SessionError(ERROR_OPEN, ROLE_MISMATCH, why)
}

function checkHoldTime(us: OurSide, seconds: number): number {
  if (seconds === 1 || seconds === 2) {
    const why = `peer says ${seconds} s, the least is 3 s`
    throw new SessionError(ERROR_OPEN, UNACCEPTABLE_HOLD_TIME, why)
  }
  return Math.min(us.holdTimeSeconds, seconds)
}

/** An OPEN without the multiprotocol capability means IPv4 unicast (RFC 4760 section 8). */
function commonFamilies(ours: readonly Family[], theirs: readonly Capability[]): Family[] {
  const announced: (Family | undefined)[] = []
  let multiprotocolSeen = false
  for (const capability of theirs) {
    if (capability.name !== 'multiprotocol') continue
    multiprotocolSeen = true
    if (capability.safi === SAFI_UNICAST) announced.push(familyOfAfi(capability.afi))
  }
  if (!multiprotocolSeen) announced.push('ipv4')
  const common = ours.filter((family) => announced.includes(family))
  if (common.length > 0) return common
  const offered = announced.filter((family) => family !== undefined).join(', ') || 'neither'
  const why = `peer offers ${offered}, configured ${ours.join(', ')}`
  throw new SessionError(ERROR_OPEN, UNSUPPORTED_CAPABILITY, why, wanted(ours))
}

const NO_ADD_PATH = { receive: false, send: false }

/** One capability for all families (RFC 7911 section 4); none when it would offer nothing. */
function addPathOffer({ families, addPath }: OurSide): Capability[] {
  const { receive, send } = addPath ?? NO_ADD_PATH
  if (!receive && !send) return []
  const offer = families.map((family) => ({ ...unicast(family), receive, send }))
  return [{ name: 'add-path', families: offer }]
}

/** What one side is able to send and the other to receive (RFC 7911 section 5). */
function addPathTerms(
  { addPath: ours = NO_ADD_PATH }: OurSide,
  families: readonly Family[],
  theirs: readonly Capability[],
): AddPathTerms {
  // Whoever says it twice means what was said last.
  const offers = new Map<Family, AddPathFamily>()
  for (const capability of theirs) {
    if (capability.name !== 'add-path') continue
    for (const offer of capability.families) {
      const family = offer.safi === SAFI_UNICAST ? familyOfAfi(offer.afi) : undefined
      if (family !== undefined) offers.set(family, offer)
    }
  }
  return {
    receive: families.filter((family) => ours.receive && offers.get(family)?.send === true),
    send: families.filter((family) => ours.send && offers.get(family)?.receive === true),
  }
}

/** The capabilities that we missed, as an OPEN has them (RFC 5492 section 5). */
function wanted(families: readonly Family[]): Uint8Array {
  const to = new Writer(6 * families.length)
  for (const family of families) encodeCapability(multiprotocol(family), to)
  return to.take()
}

const unicast = (family: Family): AfiSafi => ({ afi: factsOf(family).afi, safi: SAFI_UNICAST })

/** Of all that RFC 8950 could name: IPv4 unicast with next hops of IPv6. */
const EXTENDED_NEXT_HOP: Capability = {
  name: 'extended-next-hop',
  families: [{ afi: factsOf('ipv4').afi, safi: SAFI_UNICAST, nextHopAfi: factsOf('ipv6').afi }],
}

const announcesExtendedNextHop = ({ extendedNextHop, families }: OurSide): boolean =>
  extendedNextHop && families.includes('ipv4')

const offersExtendedNextHop = (it: Capability): boolean =>
  it.name === 'extended-next-hop' &&
  it.families.some(
    ({ afi, safi, nextHopAfi }) =>
      afi === factsOf('ipv4').afi && safi === SAFI_UNICAST && nextHopAfi === factsOf('ipv6').afi,
  )

const multiprotocol = (family: Family): Capability => ({
  name: 'multiprotocol',
  ...unicast(family),
})
