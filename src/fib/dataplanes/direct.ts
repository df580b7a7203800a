/**
 * The direct dataplane: packets leave as they are, through the gateways that the BGP next hops resolve to.
 *
 * Each next hop of a set gets its share, the same unless somebody says otherwise, and splits it evenly among
 * its own gateways (a next hop behind an IGP may have several). A gateway that serves two next hops carries both shares. The result is
 * sorted, so that equal sets are equal targets whatever order they arrived in.
 */
import type { Address } from '../../net/address.ts'
import type { Encapsulation, KernelNextHop, KernelTarget } from '../kernel.ts'
import { greatestCommonDivisor } from '../shares.ts'

export type GatewayTarget = KernelTarget & { readonly kind: 'gateways' }

/** One way to a next hop, as the RIB's resolver finds it. */
export interface Gateway {
  readonly via: Address
  /** Interface index. */
  readonly link: number
  /** As in `KernelNextHop`: into a tunnel. */
  readonly onLink?: boolean
  readonly encap?: Encapsulation
}

/** The kernel's bound on the weight of a leg, and half of it, which a group with a standby may use. */
const MAX_WEIGHT = 256
const MAX_WEIGHT_BESIDE_STANDBY = 128

/**
 * Where routes to a set of next hops go; `nextHops` holds the gateways of each, `shares` how much of the load
 * it gets, in whole numbers (default: 1 each). At most `ecmp` legs. No legs at all when nothing is
 * reachable: the routes then wait for the RIB to choose again.
 */
export function directTarget(
  nextHops: readonly (readonly Gateway[])[],
  ecmp: number,
  shares: readonly number[] = [],
): GatewayTarget {
  return { kind: 'gateways', hops: legsOf(nextHops, ecmp, shares, MAX_WEIGHT) }
}

/**
 * The same, with another next hop that takes over when all of `nextHops` are lost: already in the kernel
 * when their links go. `backup` holds its gateways, of which the first one serves.
 */
export function protectedTarget(
  nextHops: readonly (readonly Gateway[])[],
  ecmp: number,
  backup: readonly Gateway[],
): GatewayTarget {
  const hops = legsOf(nextHops, ecmp, [], MAX_WEIGHT_BESIDE_STANDBY)
  if (hops.length === 0) {
    const instead = legsOf([backup], ecmp, [], MAX_WEIGHT_BESIDE_STANDBY)
    return { kind: 'gateways', hops: instead, standby: null }
  }
  const isOther = ({ via, link }: Gateway): boolean =>
    !hops.some((it) => it.link === link && it.via?.text === via.text)
  return { kind: 'gateways', hops, standby: backup.find(isOther) ?? null }
}

function legsOf(
  nextHops: readonly (readonly Gateway[])[],
  ecmp: number,
  shares: readonly number[],
  maxWeight: number,
): KernelNextHop[] {
  const whole = nextHops.reduce(
    (product, { length }) => (length === 0 ? product : leastCommonMultiple(product, length)),
    1,
  )
  const legs = new Map<string, { readonly gateway: Gateway; share: number }>()
  for (const [i, gateways] of nextHops.entries()) {
    for (const gateway of gateways) {
      const key = `${gateway.via.text} ${gateway.link}`
      const leg = legs.get(key) ?? { gateway, share: 0 }
      leg.share += ((shares[i] ?? 1) * whole) / gateways.length
      legs.set(key, leg)
    }
  }
  const sorted = [...legs.values()].toSorted((a, b) => compareGateways(a.gateway, b.gateway))
  const chosen = sorted.slice(0, Math.max(1, ecmp))
  const weights = weightsOf(
    chosen.map(({ share }) => share),
    maxWeight,
  )
  return chosen.map(({ gateway }, i) => hop(gateway, weights[i]))
}

const hop = (gateway: Gateway, weight: number): KernelNextHop =>
  weight === 1 ? gateway : { ...gateway, weight }

/** Shares in the smallest whole numbers, within what the kernel takes. */
function weightsOf(shares: readonly number[], maxWeight: number): number[] {
  const common = shares.reduce(greatestCommonDivisor, 0)
  const largest = Math.max(...shares) / common
  const scale = largest > maxWeight ? maxWeight / largest : 1
  return shares.map((share) => Math.max(1, Math.round((share / common) * scale)))
}

function compareGateways(a: Gateway, b: Gateway): number {
  if (a.via.bytes.length !== b.via.bytes.length) return a.via.bytes.length - b.via.bytes.length
  const at = a.via.bytes.findIndex((byte, i) => byte !== b.via.bytes[i])
  return at < 0 ? a.link - b.link : a.via.bytes[at] - b.via.bytes[at]
}

const leastCommonMultiple = (a: number, b: number): number => (a / greatestCommonDivisor(a, b)) * b
