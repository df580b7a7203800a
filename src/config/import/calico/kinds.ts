/**
 * What the importer reads of Calico's resources: the values that mean something to it, by kind. Fields that are
 * not here are looked up in settings.ts, and told.
 */
import { z } from 'zod'
import type { Address } from '../../../net/address.ts'
import { parseAddressAndLength, prefixOf, type Prefix } from '../../../net/prefix.ts'
import { parseSelector, type Selector } from './selector.ts'
import { ipAddress, ownPrefix, peerAddress, routerId } from '../../address-values.ts'
import { choice, flag, integer, valueFacts } from '../../values.ts'
import type { ValueFacts } from '../../values.ts'

export const KINDS = [
  'BGPConfiguration',
  'BGPPeer',
  'BGPFilter',
  'IPPool',
  'Node',
  'BlockAffinity',
] as const
export type Kind = (typeof KINDS)[number]

/** A value that is written as text or as a number, and what it means. */
function text<T>(read: (written: string) => T | undefined, facts: ValueFacts) {
  return z
    .union([z.string(), z.number()])
    .transform((written, context): T => {
      const meant = read(String(written))
      if (meant !== undefined) return meant
      context.addIssue({ code: 'custom', message: 'unreadable' })
      return z.NEVER
    })
    .register(valueFacts, facts)
}

const MOST_ASN = 4294967295

/** AS_TRANS, which stands for other numbers (RFC 6793). */
const AS_TRANS = 23456

/** `64512`, also as text, or `1.10`. */
function readAsn(written: string): number | undefined {
  const [, high, low] = /^(\d{1,5})\.(\d{1,5})$/.exec(written) ?? []
  const parts = high === undefined ? [0, Number(written)] : [Number(high), Number(low)]
  if (high !== undefined && parts.some((part) => part > 65535)) return undefined
  const asn = (parts[0] ?? 0) * 65536 + (parts[1] ?? 0)
  const good = /^[\d.]+$/.test(written) && Number.isInteger(asn) && asn !== AS_TRANS
  return good && asn >= 1 && asn <= MOST_ASN ? asn : undefined
}

const asn = text(readAsn, { noun: 'an AS number', write: '1..4294967295, or 1.10 for 65546' })

/** An address that a session can be opened to. */
const routerAddress = (written: string): Address | undefined => peerAddress.safeParse(written).data

/** `10.0.1.1`, `10.0.1.1:1790`, `fd00::1`, `[fd00::1]:1790` */
function readPeerIp(written: string): { address: Address; port?: number } | undefined {
  const alone = routerAddress(written.replace(/^\[(.*)\]$/, '$1'))
  if (alone !== undefined) return { address: alone }
  const match = /^(?:\[([^\]]+)\]|([\d.]+)):(\d{1,5})$/.exec(written)
  const address = routerAddress(match?.[1] ?? match?.[2] ?? '')
  const port = Number(match?.[3])
  return address !== undefined && port >= 1 && port <= 65535 ? { address, port } : undefined
}

const peerIp = text(readPeerIp, {
  noun: 'the address of a peer',
  write: '10.0.1.1, 10.0.1.1:179 or [fd00::1]:179',
})

/** `10.0.1.11/24`: the address of a node, with or without the length of its network. */
const nodeAddress = text(
  (written) => routerAddress(parseAddressAndLength(written)?.address.text ?? written),
  { noun: 'the address of a node', write: '10.0.1.11/24' },
)

/** Calico takes host bits and drops them. */
export const cidr = text(
  (written): Prefix | undefined => {
    const loose = parseAddressAndLength(written)
    return loose === undefined ? undefined : prefixOf(loose.address, loose.length)
  },
  { noun: 'a CIDR', write: 'a prefix such as 10.244.0.0/16' },
)

const selector = text(
  (written): Selector | undefined => {
    const parsed = parseSelector(written)
    return typeof parsed === 'function' ? parsed : undefined
  },
  {
    noun: 'a selector',
    write: 'rack == "r1"',
    explain: (written) => {
      const parsed = typeof written === 'string' ? parseSelector(written) : undefined
      return typeof parsed === 'function' ? undefined : parsed
    },
  },
)

const within = (part: string, most: number): boolean => /^\d{1,10}$/.test(part) && +part <= most

/** `65001:100` or `65001:1:2` */
export function isCommunity(written: string): boolean {
  const parts = written.split(':')
  if (parts.length === 2) return parts.every((part) => within(part, 65535))
  return parts.length === 3 && parts.every((part) => within(part, MOST_ASN))
}

const community = text((written) => (isCommunity(written) ? written : undefined), {
  noun: 'a community',
  write: '65001:100 or 65001:1:2',
})

/** `90s`, `1m30s`, `1h`: Go's durations, as whole seconds. */
const goDuration = text(
  (written): number | undefined => {
    const match = /^(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})(?:\.0+)?s)?$/.exec(written)
    if (match === null || written === '') return undefined
    const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((it) => Number(it ?? 0))
    return 3600 * hours + 60 * minutes + seconds
  },
  { noun: 'a time', write: '90s or 2m0s' },
)

/** What Kubernetes takes for a name, and a little more. */
export const NAME = /^[\w.-]{1,253}$/

const name = z
  .string()
  .regex(NAME)
  .register(valueFacts, { noun: 'a name', write: 'letters, digits, - and .' })

/** Nothing, also where that is written as an empty text. */
function optional<S extends z.ZodType>(schema: S) {
  const facts = valueFacts.get(schema)
  const either = z.union([z.literal('').transform(() => undefined), schema]).optional()
  if (facts !== undefined) valueFacts.add(either, facts)
  return either
}

/** Priorities become local preferences, which count the other way. */
const priority = integer(1, 2147483646, 'a priority')

const block = z.looseObject({ cidr: cidr.optional() })

const bgpConfiguration = z.looseObject({
  logSeverityScreen: choice('Debug', 'Info', 'Warning', 'Error', 'Fatal', 'None').optional(),
  nodeToNodeMeshEnabled: flag.optional(),
  nodeMeshMaxRestartTime: goDuration.optional(),
  asNumber: asn.optional(),
  listenPort: integer(1, 65535, 'a port').optional(),
  bindMode: choice('None', 'NodeIP').optional(),
  communities: z.array(z.looseObject({ name, value: community })).optional(),
  prefixAdvertisements: z
    .array(z.looseObject({ cidr, communities: z.array(z.string()).optional() }))
    .optional(),
  serviceExternalIPs: z.array(block).optional(),
  serviceLoadBalancerIPs: z.array(block).optional(),
  ipv4NormalRoutePriority: integer(1, 2147483646, 'a metric').optional(),
  ipv6NormalRoutePriority: integer(1, 2147483646, 'a metric').optional(),
})

const bgpPeer = z.looseObject({
  node: optional(name),
  nodeSelector: optional(selector),
  peerIP: optional(peerIp),
  peerSelector: optional(selector),
  localWorkloadSelector: z.string().optional(),
  asNumber: asn.optional(),
  localASNumber: asn.optional(),
  nextHopMode: choice('Auto', 'Self', 'Keep').optional(),
  keepOriginalNextHop: flag.optional(),
  sourceAddress: choice('UseNodeIP', 'None').optional(),
  keepaliveTime: goDuration.optional(),
  maxRestartTime: goDuration.optional(),
  numAllowedLocalASNumbers: integer(0, 2147483647).optional(),
  ttlSecurity: integer(0, 255, 'a number of hops').optional(),
  reachableBy: optional(ipAddress),
  filters: z.array(name).optional(),
  reversePeering: choice('Auto', 'Manual').optional(),
})

const operation = z.looseObject({
  addCommunity: z.looseObject({ value: community }).optional(),
  prependASPath: z.looseObject({ prefix: z.array(asn).min(1).max(10) }).optional(),
  setPriority: z.looseObject({ value: priority }).optional(),
})

const filterRule = z.looseObject({
  cidr: optional(cidr),
  matchOperator: optional(choice('Equal', 'NotEqual', 'In', 'NotIn')),
  prefixLength: z
    .looseObject({ min: integer(0, 128).optional(), max: integer(0, 128).optional() })
    .optional(),
  source: choice('RemotePeers').optional(),
  interface: z
    .string()
    .regex(/^[\w.*-]{1,15}$/)
    .register(valueFacts, { noun: 'the name of a link, or a pattern', write: 'eth0 or cali*' })
    .optional(),
  peerType: choice('eBGP', 'iBGP').optional(),
  communities: z.looseObject({ values: z.array(community).min(1).max(1) }).optional(),
  asPathPrefix: z.array(asn).max(64).optional(),
  priority: priority.optional(),
  action: choice('Accept', 'Reject'),
  operations: z.array(operation).optional(),
})

const bgpFilter = z.looseObject({
  importV4: z.array(filterRule).optional(),
  exportV4: z.array(filterRule).optional(),
  importV6: z.array(filterRule).optional(),
  exportV6: z.array(filterRule).optional(),
})

const encapsulation = z
  .enum(['', 'Never', 'Always', 'CrossSubnet'])
  .register(valueFacts, { noun: 'a mode', write: 'Never, Always or CrossSubnet' })
  .optional()

const ipPool = z.looseObject({
  cidr,
  disableBGPExport: flag.optional(),
  ipipMode: encapsulation,
  vxlanMode: encapsulation,
})

const node = z.looseObject({
  bgp: z
    .looseObject({
      asNumber: asn.optional(),
      ipv4Address: nodeAddress.optional(),
      ipv6Address: nodeAddress.optional(),
      routeReflectorClusterID: z
        .union([z.literal(''), routerId])
        .register(valueFacts, { noun: 'a cluster id', write: 'an address such as 10.0.1.11' })
        .optional(),
    })
    .optional(),
})

/** It is announced, so it must be such as may be. */
const ownCidr = text(
  (written): Prefix | undefined => {
    const loose = parseAddressAndLength(written)
    return loose && ownPrefix.safeParse(prefixOf(loose.address, loose.length).text).data
  },
  { noun: 'a block of addresses', write: 'a unicast prefix such as 10.244.7.0/26' },
)

const blockAffinity = z.looseObject({
  cidr: ownCidr,
  node: name,
  state: z.string().optional(),
  deleted: z.union([z.boolean(), z.string()]).optional(),
})

/** The schema of `spec`, by kind. */
export const SPECS = {
  BGPConfiguration: bgpConfiguration,
  BGPPeer: bgpPeer,
  BGPFilter: bgpFilter,
  IPPool: ipPool,
  Node: node,
  BlockAffinity: blockAffinity,
} as const satisfies Record<Kind, z.ZodType>

export type Spec<K extends Kind> = z.output<(typeof SPECS)[K]>
export type FilterRule = z.output<typeof filterRule>

const PREFIX = 'projectcalico.org/'

/** Kubernetes' own Node: Calico's settings are annotations there. */
export const ANNOTATIONS = {
  asNumber: `${PREFIX}ASNumber`,
  ipv4Address: `${PREFIX}IPv4Address`,
  ipv6Address: `${PREFIX}IPv6Address`,
  routeReflectorClusterID: `${PREFIX}RouteReflectorClusterID`,
} as const

export const annotationsSchema = z.looseObject({
  [ANNOTATIONS.asNumber]: asn.optional(),
  [ANNOTATIONS.ipv4Address]: nodeAddress.optional(),
  [ANNOTATIONS.ipv6Address]: nodeAddress.optional(),
  [ANNOTATIONS.routeReflectorClusterID]: routerId.optional(),
})
