/** What a session hears of a family, put together from its peer's configuration and what was agreed on. */
import type { ResolvedPeer } from '../config/config.ts'
import type { Address } from '../net/address.ts'
import { factsOf, type Family } from '../net/family.ts'
import type { Policy } from '../policy/policy.ts'
import { reject } from '../policy/standard.ts'
import type { ExportCeiling } from '../rib/update-group-options.ts'
import type { Negotiated } from '../session/negotiation.ts'
import type { OwnNextHop } from './host-addresses.ts'
import type { Neighborhood } from './neighborhood.ts'
import { outgoingPathTo } from './path-settings.ts'
import type { Hearing } from './update-groups.ts'

/** Routes of this family may have IPv6 next hops although it is IPv4 (RFC 8950). */
export const hasIpv6NextHops = (negotiated: Negotiated, family: Family): boolean =>
  family === 'ipv4' && negotiated.extendedNextHop

/** The side of a session that it depends on. */
interface Terms {
  readonly negotiated: Negotiated
  /** Our end of it. */
  readonly local: Address
  /** Its number in the RIB. */
  readonly peer: number
}

/** Without an address to be the next hop, nothing is told. */
export function hearingOf(
  config: ResolvedPeer,
  { negotiated, local, peer }: Terms,
  family: Family,
  self: OwnNextHop,
  exportPolicy: Policy,
  { own, drained }: Pick<Neighborhood, 'own' | 'drained'>,
): Hearing {
  const silent = self.address === undefined || drained() === 'withdrawn'
  return {
    family: factsOf(family),
    external: config.type === 'external',
    confederation: config.type === 'confederation',
    routeReflectorClient: config.routeReflectorClient,
    localAsn: config.localAsn,
    path: outgoingPathTo(config, own, negotiated.peerAsn),
    role: config.role,
    drained: drained() === 'lastChoice',
    longLived: negotiated.gracefulRestart?.longLived === true,
    fourOctetAs: negotiated.fourOctetAs,
    maxMessageLength: negotiated.maxMessageLength,
    addPath: negotiated.addPath.send.includes(family) ? config.addPath.send : 'off',
    nextHop: config.nextHop,
    ipv6NextHops: hasIpv6NextHops(negotiated, family),
    self: self.address ?? local,
    selfLinkLocal: self.linkLocal,
    link: self.link,
    ceiling: ceilingOf(config, peer),
    afterInstall: config.announce === 'afterInstall',
    defaultRoute: config.defaultOriginate && !silent,
    exportPolicy: silent ? reject : exportPolicy,
  }
}

/** One that is not only to be told: such a group has no other peer, for each hears its own part of the table. */
const ceilingOf = ({ maxPrefixesOut }: ResolvedPeer, peer: number): ExportCeiling | undefined =>
  maxPrefixesOut?.action === 'block' ? { most: maxPrefixesOut.limit, peer } : undefined

/** For people: why nothing of a family is told. */
export const notAnnounced = (family: Family, local: Address): string =>
  `no ${family} address on the link to it: its ${family} routes are taken, ours are not announced; add one, or write ${local.family === 'ipv6' ? 'extendedNextHop: true, or ' : ''}families: without ${family}`
