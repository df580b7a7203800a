/** What the configuration of a peer means for the AS_PATHs that come from it and go to it. */
import type { Config, ResolvedPeer } from '../config/config.ts'
import type { ImportRules } from '../rib/import-rules.ts'
import type { OutgoingPath, PrivateAsns } from '../wire/outgoing-path.ts'

/** The AS numbers of this host. */
export type OwnAsns = Pick<Config, 'asn' | 'confederation'>

/** The peer is in our confederation, maybe in our own member AS. */
export const isWithin = ({ type }: ResolvedPeer, { confederation }: OwnAsns): boolean =>
  confederation !== undefined && type !== 'external'

/** What the outside knows us by. */
const outward = ({ asn, confederation }: OwnAsns): number => confederation?.asn ?? asn

/** The number that only this peer knows us by, or 0. */
const disguise = ({ type, localAsn }: ResolvedPeer, own: OwnAsns): number =>
  type !== 'external' || localAsn === outward(own) ? 0 : localAsn

export const importRules = (config: ResolvedPeer, own: OwnAsns): ImportRules => ({
  allowOwnAsn: config.allowOwnAsn,
  enforceFirstAsn: config.enforceFirstAsn,
  localAsn: disguise(config, own),
  prependLocalAsn: config.prependLocalAsn,
  role: config.role,
  gracefulShutdown: config.gracefulShutdown,
})

/** Undefined when ours is put in front of the path to an external peer, and nothing else is done. */
export function outgoingPathTo(
  config: ResolvedPeer,
  own: OwnAsns,
  peerAsn: number,
): OutgoingPath | undefined {
  const { type, localAsn, asOverride: override, prependOwnAsn } = config
  if (type === 'internal') return undefined
  const confederation = type === 'confederation'
  const privateAsns = PRIVATE_ASNS[`${config.removePrivateAsn}`]
  const both = prependOwnAsn && disguise(config, own) !== 0
  const plain = !both && !override && privateAsns === 'keep'
  if (plain && own.confederation === undefined) return undefined
  const prepend = both ? [outward(own), localAsn] : [localAsn]
  return { confederation, prepend, localAsn, peerAsn: plain ? 0 : peerAsn, override, privateAsns }
}

const PRIVATE_ASNS: Readonly<Record<`${ResolvedPeer['removePrivateAsn']}`, PrivateAsns>> = {
  false: 'keep',
  true: 'removeWhole',
  all: 'removeAll',
  replace: 'replace',
}
