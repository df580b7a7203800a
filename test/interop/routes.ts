/** What is announced in the scenes, and what must come of it on the other side. */
import type { Family } from '../../src/net/family.ts'
import type { Daemon } from '../support/daemons/daemon.ts'
import { byPrefix, familyOf, route, type Route } from '../support/daemons/route.ts'
import { BRIDGE, DAEMON, FEEDER_ASN, LINNET, OWN_PREFIXES, type SceneOptions } from './scene.ts'

/** Each route once for IPv4 and once for IPv6. */
const both = (ipv4: string, ipv6: string, it: Partial<Route>): Route[] => [
  route({ ...it, prefix: ipv4 }),
  route({ ...it, prefix: ipv6 }),
]

const EVERYTHING: Partial<Route> = {
  origin: 'egp',
  asPath: '4200000010 65010',
  med: 77,
  communities: ['65002:5', '65002:6'],
  extendedCommunities: ['rt:65002:9'],
  largeCommunities: ['4200000002:1:2', '4200000002:3:4'],
  atomicAggregate: true,
  aggregator: '4200000010 192.0.2.7',
}

/** From the feeder, through linnet. */
export const FED: readonly Route[] = [
  ...both('10.201.1.0/24', 'fd00:201:1::/48', EVERYTHING),
  ...both('10.201.2.0/24', 'fd00:201:2::/48', { unknown: ['99 c0 0102'] }),
  ...both('10.201.3.0/24', 'fd00:201:3::/48', {
    origin: 'incomplete',
    asPath: '65010 {65011,65012}',
  }),
]

/** From the daemon. */
export const OFFERED: readonly Route[] = [
  ...both('10.202.1.0/24', 'fd00:202:1::/48', EVERYTHING),
  ...both('10.202.2.0/24', 'fd00:202:2::/48', { asPath: '65010 {65011,65012}' }),
  ...both('10.202.3.0/24', 'fd00:202:3::/48', { unknown: ['99 c0 0102'] }),
  ...both('10.202.4.0/24', 'fd00:202:4::/48', {
    origin: 'incomplete',
    communities: ['graceful-shutdown'],
  }),
]

export interface Transit {
  readonly options: SceneOptions
  readonly family: Family
}

/** What the daemon must have of these: linnet's own, and what was fed. */
export function expectedAtDaemon(
  { options, family }: Transit,
  fed: readonly Route[] = FED,
): Route[] {
  const internal = options.linnetAsn === options.daemonAsn
  const linnet = String(options.linnetAsn)
  const nextHop = LINNET[nextHopKind(options, family)]
  const own = [
    ...OWN_PREFIXES.map((it) =>
      route({
        prefix: it.prefix,
        ...('med' in it ? { med: it.med } : {}),
        ...('community' in it ? { communities: it.community } : {}),
      }),
    ),
    ...BRIDGE.map((address) =>
      route({ prefix: address.replace(/1\/24$/, '0/24').replace('::1/', '::/') }),
    ),
  ].map((it) => ({ ...it, asPath: internal ? '' : linnet }))
  const passed = fed.map((it) => ({
    ...it,
    asPath: [...(internal ? [] : [linnet]), FEEDER_ASN, it.asPath].join(' ').trim(),
    // RFC 4271 5.1.4: not told to a third AS.
    med: internal ? it.med : null,
    // RFC 4271 section 5: linnet doesn't know it, and says so.
    unknown: it.unknown.map((text) => text.replace(' c0 ', ' e0 ')),
  }))
  const all = [...own, ...passed].map((it) => ({
    ...it,
    nextHop,
    localPref: internal ? 100 : null,
  }))
  return shownBy(options.daemon, ofFamily(all, family))
}

/** What linnet must have of the daemon's. */
export function expectedAtLinnet({ options, family }: Transit, sent = OFFERED): Route[] {
  const internal = options.linnetAsn === options.daemonAsn
  return ofFamily(sendable(options.daemon, sent), family).map((it) => ({
    ...it,
    nextHop:
      options.unnumbered === undefined
        ? DAEMON[nextHopKind(options, family)]
        : `${DAEMON.link}%eth0`,
    asPath: internal ? it.asPath : `${options.daemonAsn} ${it.asPath}`.trim(),
    // linnet shows an attribute that it doesn't know as it passes it on (RFC 4271 section 5).
    unknown: it.unknown.map((text) => text.replace(' c0 ', ' e0 ')),
    localPref: internal ? (it.localPref ?? 100) : preferenceOutside(it),
  }))
}

/** What an external peer says would be ignored: 100 is the default, and 0 of what is about to go (RFC 8326). */
const preferenceOutside = ({ communities }: Route): number =>
  communities.includes('graceful-shutdown') ? 0 : 100

/** Whose address of theirs is the next hop of routes of this family. */
const nextHopKind = (options: SceneOptions, family: Family): Family | 'link' =>
  options.unnumbered !== undefined ? 'link' : options.extendedNextHop === true ? 'ipv6' : family

export const ofFamily = (routes: readonly Route[], family: Family): Route[] =>
  byPrefix(routes.filter(({ prefix }) => familyOf(prefix) === family))

/** Of these routes, what the daemon is able to originate. */
export const sendable = ({ cannotSend }: Daemon, routes: readonly Route[]): Route[] =>
  routes.map((it) => without(it, cannotSend))

/** Of these routes, what the daemon's tables show. */
export const shownBy = ({ cannotShow }: Daemon, routes: readonly Route[]): Route[] =>
  routes.map((it) => without(it, cannotShow))

function without(it: Route, attributes: Daemon['cannotSend']): Route {
  const kept = Object.fromEntries(
    Object.entries(it).filter(([name]) => !(name in attributes)),
  ) as Partial<Route>
  const asPath = kept.asPath ?? ''
  const unknown = kept.unknown ?? []
  return route({
    ...kept,
    prefix: it.prefix,
    med: kept.med ?? ('noMed' in attributes ? 0 : null),
    asPath: 'asSet' in attributes ? asPath.replace(/ ?\{.*\}/, '') : asPath,
    unknown:
      'partial' in attributes ? unknown.map((text) => text.replace(/ .. /, ' ?? ')) : unknown,
  })
}
