/**
 * The kernel's nexthop objects as linnet keeps them: a group per next hop of the FIB, a single object
 * per leg underneath.
 *
 * Every next hop is a group, also with one leg, because the kernel can't turn a single object into a
 * group later and routes point to it by id. Legs are shared: ids from the upper half of our range are
 * given to them here, by what they are. Legs are sent anew with each group, for the kernel drops them
 * silently when a link goes down; that is cheap and makes a put true whatever happened before. A leg
 * is deleted when no group has it any more. What an earlier run has left behind is known from a dump,
 * so its groups can be adopted or deleted like our own.
 *
 * A group whose next hops have a standby is resilient: traffic goes by a table of buckets, of which the
 * standby, the last and by far the lightest, gets none. When the links of all others go, the kernel drops
 * their legs, keeps the group, for it is not empty, and gives the standby all buckets, before we hear of it.
 */
import type { Family } from '../net/family.ts'
import {
  NEXT_HOP_ID_LAST,
  NEXT_HOP_LEG_ID_FIRST,
  STANDBY_WEIGHT,
  type KernelError,
  type KernelNextHop,
  type KernelNextHopObject,
  type KernelTarget,
} from '../fib/kernel.ts'
import { MessageBuilder } from './netlink.ts'
import type { NetlinkSocket } from './netlink-socket.ts'
import {
  deleteObject,
  putBlackhole,
  putGroup,
  putSingle,
  type GroupMember,
} from './nexthop-message.ts'
import { EINVAL, ENOENT, SystemError } from './sys.ts'

type GatewayTarget = Extract<KernelTarget, { readonly kind: 'gateways' }>

interface Leg {
  readonly id: number
  readonly key: string
  /** Groups that have it. */
  uses: number
}

interface WantedLeg {
  readonly leg: Leg
  readonly hop: KernelNextHop
  weight: number
}

const MAX_WEIGHT = 256
/** So few that a member of weight 1 beside others of 130 and more gets less than half of one: none. */
const BUCKETS = 64
const DELETES_AT_ONCE = 1000

export class NextHopObjects {
  readonly #socket: NetlinkSocket
  readonly #protocol: number
  readonly #builder = new MessageBuilder()
  readonly #legs = new Map<string, Leg>()
  readonly #legsById = new Map<number, Leg>()
  /** Legs of each group that the kernel has from us. */
  readonly #groups = new Map<number, readonly Leg[]>()
  #nextLegId = NEXT_HOP_LEG_ID_FIRST

  constructor(socket: NetlinkSocket, protocol: number) {
    this.#socket = socket
    this.#protocol = protocol
  }

  /** Whether the kernel knows resilient groups (Linux 5.13), found out by making one. */
  takesResilientGroups(): boolean {
    const ids = { leg: NEXT_HOP_ID_LAST - 1, group: NEXT_HOP_ID_LAST }
    const builder = this.#builder.reset()
    putBlackhole(builder, 0, this.#protocol, ids.leg)
    const members = [{ id: ids.leg, weight: 1 }]
    putGroup(builder, 1, this.#protocol, { id: ids.group, members, buckets: BUCKETS }, true)
    const error = this.#transact()
    deleteObject(this.#builder.reset(), 0, ids.group)
    deleteObject(this.#builder, 1, ids.leg)
    this.#transact()
    return error === undefined
  }

  /** Takes over the objects that an earlier run has left. */
  adopt(found: readonly KernelNextHopObject[]): void {
    for (const { id, hop } of found) {
      if (!isLegId(id)) continue
      // One without a gateway doesn't tell its family: it serves its groups, but is not shared again.
      const via = hop?.via
      const key = hop === undefined || via === undefined ? `object ${id}` : legKey(via.family, hop)
      const leg: Leg = { id, key, uses: 0 }
      this.#legs.set(key, leg)
      this.#legsById.set(id, leg)
    }
    for (const { id, group } of found) {
      if (isLegId(id)) continue
      const legs = group.map((member) => this.#legsById.get(member.id))
      this.#hold(
        id,
        legs.filter((leg) => leg !== undefined),
      )
    }
  }

  /**
   * Creates or replaces group `id`; in the kernel when it returns, or not at all. `dropped` is called when
   * the kernel had it no more.
   */
  putGroup(
    id: number,
    family: Family,
    { hops, standby }: GatewayTarget,
    dropped: () => void,
  ): KernelError | undefined {
    const wanted = this.#legsFor(family, hops)
    if (typeof wanted === 'string') return { errno: EINVAL, text: `EINVAL: ${wanted}` }
    if (standby !== undefined) makeRoom(wanted)
    if (standby !== undefined && standby !== null) {
      const leg = this.#legFor(family, standby)
      wanted.push({ leg, hop: standby, weight: STANDBY_WEIGHT })
    }
    const buckets = standby === undefined ? 0 : BUCKETS
    const exists = this.#groups.has(id)
    let error = this.#sendGroup(id, family, wanted, buckets, !exists)
    // Replaced only where it was: so that nothing the kernel has dropped comes back without its routes.
    if (exists && error?.errno === ENOENT) {
      error = this.#sendGroup(id, family, wanted, buckets, true)
      if (error === undefined) dropped()
    }
    if (error === undefined)
      this.#hold(
        id,
        wanted.map(({ leg }) => leg),
      )
    this.#dropUnused()
    return error
  }

  #sendGroup(
    id: number,
    family: Family,
    wanted: readonly WantedLeg[],
    buckets: number,
    create: boolean,
  ): KernelError | undefined {
    const builder = this.#builder.reset()
    const members: GroupMember[] = []
    for (const { leg, hop, weight } of wanted) {
      putSingle(builder, members.length, this.#protocol, leg.id, family, hop)
      members.push({ id: leg.id, weight: Math.min(weight, MAX_WEIGHT) })
    }
    putGroup(builder, members.length, this.#protocol, { id, members, buckets }, create)
    return this.#transact()
  }

  deleteGroup(id: number): KernelError | undefined {
    deleteObject(this.#builder.reset(), 0, id)
    const error = this.#transact()
    if (error !== undefined && error.errno !== ENOENT) return error
    this.#hold(id, [])
    this.#groups.delete(id)
    this.#dropUnused()
    return undefined
  }

  /** The legs of `hops`, made where they are new; equal ones are one leg of their common weight. */
  #legsFor(family: Family, hops: readonly KernelNextHop[]): WantedLeg[] | string {
    if (hops.length === 0) return 'a next hop needs a gateway'
    const wanted = new Map<string, WantedLeg>()
    for (const hop of hops) {
      const weight = hop.weight ?? 1
      if (!(weight >= 1 && weight <= MAX_WEIGHT)) return `weight ${weight} is not in 1..256`
      const leg = this.#legFor(family, hop)
      const known = wanted.get(leg.key)
      if (known !== undefined) known.weight += weight
      else wanted.set(leg.key, { leg, hop, weight })
    }
    return [...wanted.values()]
  }

  #legFor(family: Family, hop: KernelNextHop): Leg {
    const key = legKey(hop.via?.family ?? family, hop)
    return this.#legs.get(key) ?? this.#newLeg(key)
  }

  #newLeg(key: string): Leg {
    while (this.#legsById.has(this.#nextLegId)) this.#advance()
    const leg: Leg = { id: this.#nextLegId, key, uses: 0 }
    this.#advance()
    this.#legs.set(key, leg)
    this.#legsById.set(leg.id, leg)
    return leg
  }

  #advance(): void {
    this.#nextLegId =
      this.#nextLegId >= NEXT_HOP_ID_LAST ? NEXT_HOP_LEG_ID_FIRST : this.#nextLegId + 1
  }

  #hold(group: number, legs: readonly Leg[]): void {
    for (const leg of legs) leg.uses++
    for (const leg of this.#groups.get(group) ?? []) leg.uses--
    this.#groups.set(group, legs)
  }

  #dropUnused(): void {
    const builder = this.#builder.reset()
    let count = 0
    for (const leg of this.#legsById.values()) {
      if (leg.uses > 0) continue
      if (count === DELETES_AT_ONCE) break
      if (this.#legs.get(leg.key) === leg) this.#legs.delete(leg.key)
      this.#legsById.delete(leg.id)
      deleteObject(builder, count++, leg.id)
    }
    if (count > 0) this.#transact() // one that went with its link is not missed
  }

  /** Sends what was built; the first refusal, or what broke the socket. */
  #transact(): KernelError | undefined {
    let first: KernelError | undefined
    try {
      this.#socket.transact(this.#builder.bytes, this.#builder.length, (_sequence, error) => {
        first ??= error
      })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      this.#socket.reopen()
      return { errno: error.errno, text: error.message }
    }
    return first
  }
}

/** Weights as large as fit, and even: so that a standby of weight 1 is known by it and gets no bucket. */
function makeRoom(legs: readonly WantedLeg[]): void {
  const largest = Math.max(...legs.map(({ weight }) => weight))
  const times = 2 * Math.max(1, Math.floor(MAX_WEIGHT / 2 / largest))
  for (const leg of legs) leg.weight *= times
}

const isLegId = (id: number): boolean => id >= NEXT_HOP_LEG_ID_FIRST && id <= NEXT_HOP_ID_LAST

const legKey = (family: Family, hop: KernelNextHop): string =>
  [
    family,
    hop.via?.bytes.join('.') ?? 'on-link',
    hop.link,
    hop.onLink === true ? 'onlink' : '',
    hop.encap === undefined ? '' : `${hop.encap.id} ${hop.encap.to.text}`,
  ].join(' ')
