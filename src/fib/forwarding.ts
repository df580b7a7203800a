/**
 * When two ways of forwarding are the same: what a route or a nexthop object of the kernel does with
 * packets, as one canonical text. Order of the legs means nothing; a zone is only a link's other name.
 */
import type { KernelNextHop, KernelRoute, KernelTarget } from './kernel.ts'

/** RTN_*. */
const UNICAST = 1
const BLACKHOLE = 6
const UNREACHABLE = 7

export const UNREACHABLE_NOW: KernelTarget = { kind: 'gateways', hops: [] }

/** True when there is no way to forward: nothing to install. */
export const isEmpty = (target: KernelTarget): boolean =>
  target.kind === 'gateways' && target.hops.length === 0

export function forwardingText(target: KernelTarget): string {
  if (target.kind !== 'gateways') return target.kind
  return target.hops.map(hopText).toSorted().join(', ')
}

export const sameForwarding = (a: KernelTarget, b: KernelTarget): boolean =>
  a === b || forwardingText(a) === forwardingText(b)

/** As a nexthop object, which may have a standby, and room for one. */
export function objectText(target: KernelTarget): string {
  const text = forwardingText(target)
  if (target.kind !== 'gateways' || target.standby === undefined) return text
  return `${text} or ${target.standby === null ? 'nothing' : hopText(target.standby)}`
}

export const sameObject = (a: KernelTarget, b: KernelTarget): boolean =>
  a === b || objectText(a) === objectText(b)

/** What the route itself says, without its nexthop object; undefined for a type that we never write. */
export function forwardingOf(route: KernelRoute): KernelTarget | undefined {
  switch (route.type) {
    case UNICAST:
      return { kind: 'gateways', hops: route.hops }
    case BLACKHOLE:
      return { kind: 'blackhole' }
    case UNREACHABLE:
      return { kind: 'unreachable' }
    default:
      return undefined
  }
}

/** `via 10.0.0.1 link 3 weight 2 onlink encap 10 10.0.0.1` */
function hopText({ via, link, weight, onLink, encap }: KernelNextHop): string {
  const address = via === undefined ? '' : `via ${via.text.replace(/%.*/, '')} `
  const share = weight === undefined || weight === 1 ? '' : ` weight ${weight}`
  const around = encap === undefined ? '' : ` encap ${encap.id} ${encap.to.text}`
  return `${address}link ${link}${share}${onLink === true ? ' onlink' : ''}${around}`
}

/** Links that packets leave by, or would. */
export const linksOf = (target: KernelTarget): readonly number[] =>
  target.kind === 'gateways' ? [...target.hops, ...standbyOf(target)].map((hop) => hop.link) : []

const standbyOf = ({ standby }: { readonly standby?: KernelNextHop | null }): KernelNextHop[] =>
  standby === undefined || standby === null ? [] : [standby]
