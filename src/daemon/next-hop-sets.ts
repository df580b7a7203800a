/**
 * Sets of BGP next hops that prefixes are forwarded by, each with what takes over when all of it is lost. The
 * idea is that of BGP PIC: who comes next is worked out before it is needed, and kept with the set instead of
 * with each prefix.
 *
 * A set is one target of the FIB, so one nexthop object of the kernel, however many routes point to it. When a
 * next hop is reached otherwise, or no longer, the sets that contain it are repointed at once, and the RIB's
 * new decisions follow behind. The same when a session ends whose paths lead to the peer itself. But such a
 * set must not be pointed back when the peer returns, for its paths come back one by one: it is retired, and
 * its prefixes leave it as they are decided.
 *
 * A session that only tells of others' next hops, as a route reflector's, says nothing of whether these
 * forward: its end is left to the RIB.
 */
import { directTarget, protectedTarget, type Gateway } from '../fib/dataplanes/direct.ts'
import type { Overlay } from '../fib/dataplanes/overlay.ts'
import { isEmpty } from '../fib/forwarding.ts'
import type { KernelTarget } from '../fib/kernel.ts'
import type { Targets } from '../fib/targets.ts'
import type { Family } from '../net/family.ts'
import type { NextHop } from '../rib/next-hop-table.ts'
import type { RibPeer } from '../rib/peer.ts'

/** A next hop that a peer's path offers. */
export interface Offer {
  readonly nextHop: NextHop
  readonly peer: RibPeer
}

/** A next hop of a set, and through whose sessions it was heard of. */
interface Member {
  /** As the RIB knows it now: it may forget one, and learn of it anew. */
  nextHop: NextHop
  /** Of the load, beside the others. */
  readonly share: number
  /** Peers whose sessions it lives and dies with. */
  readonly peers: Set<RibPeer>
  /** It has also come through a session that it does not depend on. */
  independent: boolean
  /** All sessions that it lived with have ended. */
  lost: boolean
}

export interface NextHopSet {
  readonly target: number
  readonly family: Family
  /** Through the overlay, which may have no way to a next hop that is reachable. */
  readonly overlaid: boolean
  /** Names the next hops, without what takes over. */
  readonly name: string
  readonly members: readonly Member[]
  /** Takes over when all members are lost; a set without one can't get one. */
  readonly backup: Member | undefined
  /** Prefixes are leaving it. */
  retired: boolean
}

/** Sets with a backup: each is a table of 64 buckets in the kernel, some 4 KiB. Those beyond have none. */
const MOST_PROTECTED_SETS = 4096

const CLOSED: KernelTarget = { kind: 'unreachable' }

export class NextHopSets {
  /** Hears of next hops that the overlay serves now, or no longer, or that are reached otherwise. */
  onOverlaid: () => void = () => {}
  readonly #targets: Targets
  readonly #overlay: Overlay | undefined
  /** Legs of a kernel next hop. */
  readonly #ecmp: number
  readonly #byTarget = new Map<number, NextHopSet>()
  readonly #byKey = new Map<string, NextHopSet>()
  /** Those that each next hop is part of, by its address. */
  readonly #byAddress = new Map<string, Set<NextHopSet>>()
  #protected = 0

  constructor(targets: Targets, ecmp: number, overlay?: Overlay) {
    this.#targets = targets
    this.#overlay = overlay
    this.#ecmp = ecmp
    targets.onRemoved = (target) => this.#remove(target)
  }

  [Symbol.iterator](): Iterator<NextHopSet> {
    return this.#byTarget.values()
  }

  get(target: number): NextHopSet | undefined {
    return this.#byTarget.get(target)
  }

  /** The set of `target`, when these next hops are its members and it may be used for more prefixes. */
  current(target: number, offers: readonly Offer[], overlaid: boolean): NextHopSet | undefined {
    const set = this.#byTarget.get(target)
    if (set === undefined || set.retired || set.overlaid !== overlaid) return undefined
    if (set.members.length !== offers.length) return undefined
    const isMember = ({ nextHop }: Offer): boolean =>
      set.members.some((it) => it.nextHop === nextHop && it.share === 1)
    return offers.every(isMember) ? set : undefined
  }

  /** The target for `offers`, of which each gets its share (default 1); 0 when none of them is reachable. */
  target(
    { family, overlaid }: Pick<NextHopSet, 'family' | 'overlaid'>,
    offers: readonly Offer[],
    backup: Offer | undefined,
    shares: readonly number[] = [],
  ): number {
    const names = offers.map(({ nextHop }, i) => nameOf(nextHop, shares[i] ?? 1))
    const name = `${family}${overlaid ? ' overlay' : ''} ${names.toSorted().join(' ')}`
    const room = this.#protected < MOST_PROTECTED_SETS || this.#byKey.has(keyOf(name, backup))
    const spare = room ? backup : undefined
    const key = keyOf(name, spare)
    let set = this.#byKey.get(key)
    if (set === undefined) {
      const members = offers.map((offer, i) => memberOf(offer, shares[i] ?? 1))
      set = this.#add(key, { family, overlaid, name, members, backup: spare && memberOf(spare, 1) })
    }
    if (set === undefined) return 0
    this.heard(set, offers, spare)
    const target = this.#targets.get(set.target)?.target
    return target === undefined || isEmpty(target) ? 0 : set.target
  }

  /** More paths lead to the set: it lives with their sessions too. */
  heard(set: NextHopSet, offers: readonly Offer[], backup: Offer | undefined): void {
    let news = false
    for (const offer of offers) {
      const { text } = offer.nextHop.address
      const member = set.members.find(({ nextHop }) => nextHop.address.text === text)
      if (member !== undefined && renew(member, offer)) news = true
    }
    if (set.backup !== undefined && backup !== undefined && renew(set.backup, backup)) news = true
    if (news) this.#point(set)
  }

  /** `nextHop` is reached otherwise now, or no longer. */
  changed(nextHop: NextHop): void {
    const { text } = nextHop.address
    for (const set of this.#byAddress.get(text) ?? []) {
      for (const member of membersOf(set)) {
        if (member.nextHop.address.text === text) member.nextHop = nextHop
      }
      this.#point(set)
      if (set.overlaid) this.onOverlaid()
    }
  }

  /** The overlay has another device, or none. */
  overlayChanged(): void {
    for (const set of this.#byTarget.values()) if (set.overlaid) this.#point(set)
  }

  /** Next hops that the overlay serves. */
  *overlaid(): Iterable<NextHop> {
    for (const set of this.#byTarget.values()) {
      if (set.overlaid) for (const { nextHop } of membersOf(set)) yield nextHop
    }
  }

  /** The paths of `peer` count no longer: what led to it goes another way, before the RIB has decided so. */
  lost(peer: RibPeer): void {
    const concerned = [...this.#byTarget.values()].flatMap((set) => {
      const lost = [...membersOf(set)].filter((member) => isLostWith(member, peer))
      return lost.length === 0 ? [] : { set, lost }
    })
    // Where packets go astray comes first, and IPv4 before IPv6, whose routes the kernel visits one by one (Linux 6).
    const turn = ({ set, lost }: (typeof concerned)[number]): number =>
      (lost.every((member) => member === set.backup) ? 2 : 0) + (set.family === 'ipv4' ? 0 : 1)
    concerned.sort((a, b) => turn(a) - turn(b))
    for (const it of concerned) this.#lose(it.set, it.lost)
  }

  #lose(set: NextHopSet, lost: readonly Member[]): void {
    for (const member of lost) member.lost = true
    if (!forwards(this.#forwarding(set))) {
      // There is no other way: the RIB takes the routes away, or they live on with the peer's next session.
      for (const member of lost) member.lost = false
      return
    }
    if (lost.some((member) => member !== set.backup)) this.#retire(set)
    this.#point(set)
  }

  #add(key: string, made: Omit<NextHopSet, 'target' | 'retired'>): NextHopSet | undefined {
    const target = this.#targets.intern(key, made.family, this.#forwarding(made))
    if (target === 0) return undefined
    const set: NextHopSet = { ...made, target, retired: false }
    this.#byKey.set(key, set)
    this.#byTarget.set(target, set)
    if (set.backup !== undefined) this.#protected++
    if (set.overlaid) this.onOverlaid()
    for (const { nextHop } of membersOf(set)) {
      const { text } = nextHop.address
      const sets = this.#byAddress.get(text) ?? new Set()
      this.#byAddress.set(text, sets.add(set))
    }
    return set
  }

  #retire(set: NextHopSet): void {
    set.retired = true
    this.#byKey.delete(keyOf(set.name, set.backup))
    this.#targets.retire(set.target)
  }

  #remove(target: number): void {
    const set = this.#byTarget.get(target)
    if (set === undefined) return
    this.#byTarget.delete(target)
    const key = keyOf(set.name, set.backup)
    if (this.#byKey.get(key) === set) this.#byKey.delete(key)
    if (set.backup !== undefined) this.#protected--
    if (set.overlaid) this.onOverlaid()
    for (const { nextHop } of membersOf(set)) {
      const { text } = nextHop.address
      const sets = this.#byAddress.get(text)
      if (sets?.delete(set) === true && sets.size === 0) this.#byAddress.delete(text)
    }
  }

  #point(set: NextHopSet): void {
    this.#targets.update(set.target, this.#forwarding(set))
  }

  #forwarding(set: Pick<NextHopSet, 'overlaid' | 'members' | 'backup'>): KernelTarget {
    const target = this.#open(set)
    if (!set.overlaid || forwards(target)) return target
    const reachable = [...membersOf(set)].some((it) => it.nextHop.resolution.gateways.length > 0)
    return reachable ? CLOSED : target
  }

  #open({
    overlaid,
    members,
    backup,
  }: Pick<NextHopSet, 'overlaid' | 'members' | 'backup'>): KernelTarget {
    const overlay = overlaid ? this.#overlay : undefined
    const waysTo = ({ nextHop }: Member): readonly Gateway[] =>
      overlay === undefined ? nextHop.resolution.gateways : overlay.waysTo(nextHop)
    const alive = members.filter(({ lost }) => !lost)
    const gateways = alive.map(waysTo)
    if (backup === undefined) {
      const shares = alive.map(({ share }) => share)
      return directTarget(gateways, this.#ecmp, shares)
    }
    return protectedTarget(gateways, this.#ecmp, backup.lost ? [] : waysTo(backup))
  }
}

/** The next hops that a set goes by now. */
export function inUse({ members, backup }: NextHopSet): readonly NextHop[] {
  const serving = members.filter(
    ({ lost, nextHop }) => !lost && nextHop.resolution.gateways.length > 0,
  )
  if (serving.length > 0 || backup === undefined)
    return (serving.length > 0 ? serving : members).map(({ nextHop }) => nextHop)
  return [backup.nextHop]
}

const memberOf = ({ nextHop }: Offer, share: number): Member => ({
  nextHop,
  share,
  peers: new Set(),
  independent: false,
  lost: false,
})

/**
 * Another path leads to the member. A peer in another AS gives next hops that it answers for; one of ours
 * answers for itself only. True when the set may forward otherwise.
 */
function renew(member: Member, { nextHop, peer }: Offer): boolean {
  const { external, address } = peer.options
  if (external || address.text === nextHop.address.text) member.peers.add(peer)
  else member.independent = true
  const news = member.lost || member.nextHop !== nextHop
  member.lost = false
  member.nextHop = nextHop
  return news
}

/** The session of `peer` was the last that the next hop lived with. */
function isLostWith(member: Member, peer: RibPeer): boolean {
  return member.peers.delete(peer) && member.peers.size === 0 && !member.independent
}

/** There is a leg to send packets by. */
const forwards = (target: KernelTarget): boolean => target.kind === 'gateways' && !isEmpty(target)

function* membersOf({ members, backup }: Pick<NextHopSet, 'members' | 'backup'>): Iterable<Member> {
  yield* members
  if (backup !== undefined) yield backup
}

/** `ipv4 10.0.1.1 or 10.0.2.1` */
const keyOf = (name: string, backup: { readonly nextHop: NextHop } | undefined): string =>
  backup === undefined ? name : `${name} or ${backup.nextHop.address.text}`

/** `10.0.1.1`, `10.0.1.1*4` */
const nameOf = ({ address }: NextHop, share: number): string =>
  share === 1 ? address.text : `${address.text}*${share}`
