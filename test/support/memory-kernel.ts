/**
 * A kernel of plain Maps: both sides of `fib/kernel`, and a villain's hands to spoil things with. It keeps
 * to what Linux does: routes go with their nexthop object, objects go with their link and without a word,
 * a route to an object that isn't there is refused. Nothing is written before `work` (the writer's thread),
 * so a test can be as slow as it likes.
 */
import { address, addressFromWords } from '../../src/net/address.ts'
import type { Family } from '../../src/net/family.ts'
import { prefix, prefixOf, type Prefix } from '../../src/net/prefix.ts'
import {
  NEXT_HOP_LEG_ID_FIRST,
  ROUTE_DELETE,
  type KernelError,
  type KernelEvents,
  type KernelNextHop,
  type KernelNextHopObject,
  type KernelProgress,
  type KernelReader,
  type KernelRoute,
  type KernelTarget,
  type KernelWriter,
  type RouteOperation,
} from '../../src/fib/kernel.ts'

interface Operation {
  readonly operation: RouteOperation
  readonly prefix: Prefix
  readonly id: number
}

/** What a route does: points to an object, or carries it itself. */
type Stored = Pick<KernelRoute, 'prefix' | 'nextHopId' | 'type' | 'hops'>

interface Leg {
  readonly id: number
  readonly hop: KernelNextHop
}

/** Who did it. */
const BY = 'somebody'

export const MARK = { protocol: 179, table: 254, metric: 20 } as const

const UNICAST = 1
const BLACKHOLE = 6
const UNREACHABLE = 7
const ENETDOWN: KernelError = { errno: 100, text: 'ENETDOWN: Nexthop device is not up' }
const NO_OBJECT: KernelError = { errno: 22, text: 'EINVAL: Nexthop id does not exist' }

export class MemoryKernel implements KernelWriter, KernelReader {
  nextHopObjects = true
  standbys = true
  /** Routes that the ring takes. */
  capacity = 32_768
  /** Ours and everybody's, by prefix text: all with our metric, in our table. */
  readonly routes = new Map<string, Stored>()
  /** Groups by id. */
  readonly objects = new Map<number, readonly KernelNextHop[]>()
  /** What takes over from the hops of a group; null: nothing now. Groups that can't have one are missing. */
  readonly waiting = new Map<number, KernelNextHop | null>()
  readonly downLinks = new Set<number>()
  /** Says no to routes: the errno's text, or undefined to let it pass. */
  refuses: (prefix: string, operation: RouteOperation) => KernelError | undefined = () => undefined
  /** Operations that were carried out, as text. */
  readonly log: string[] = []
  /** Writes of nexthop objects. */
  objectWrites = 0
  dumps = 0
  /** A dump waits for this before it answers. */
  dumpGate: Promise<void> = Promise.resolve()

  readonly #definitions = new Map<number, KernelTarget>()
  readonly #ring: Operation[] = []
  #published = 0
  #progress: KernelProgress | undefined
  readonly #watchers = new Set<KernelEvents>()
  readonly #legIds = new Map<string, number>()
  /** Groups that a writer has made and not deleted. */
  readonly #made = new Set<number>()
  #dropped: (id: number) => void = () => {}

  // --- KernelWriter ---

  putNextHop(id: number, _family: Family, target: KernelTarget): KernelError | undefined {
    this.objectWrites++
    if (!this.nextHopObjects || target.kind !== 'gateways') {
      this.#definitions.set(id, target)
      return undefined
    }
    if (target.hops.length === 0) return NO_OBJECT
    if (target.hops.some(({ link }) => this.downLinks.has(link))) return ENETDOWN
    this.#definitions.delete(id)
    const dropped = this.#made.has(id) && !this.objects.has(id)
    this.#made.add(id)
    this.objects.set(id, target.hops)
    if (target.standby !== undefined) this.waiting.set(id, target.standby)
    if (dropped) this.#dropped(id)
    return undefined
  }

  onDropped(listener: (id: number) => void): void {
    this.#dropped = listener
  }

  deleteNextHop(id: number): KernelError | undefined {
    this.#made.delete(id)
    this.#removeObject(id)
    return undefined
  }

  free(): number {
    return this.capacity - this.#ring.length
  }

  put(
    operation: RouteOperation,
    family: Family,
    words: Int32Array,
    at: number,
    length: number,
    id: number,
  ): void {
    if (this.free() === 0) throw new Error('the ring is full')
    const value = prefixOf(addressFromWords(family, words, at), length)
    this.#ring.push({ operation, prefix: value, id })
  }

  prepare(): void {}

  flush(): void {
    this.#published = this.#ring.length
  }

  onProgress(progress: KernelProgress): void {
    this.#progress = progress
  }

  async close(): Promise<void> {}

  // --- The writer's thread ---

  /** Carries out at most `most` of what was handed over, and tells. Returns how many. */
  work(most = Infinity): number {
    const batch = this.#ring.splice(0, Math.min(most, this.#published))
    this.#published -= batch.length
    for (const [ahead, operation] of batch.entries()) {
      const error = this.#carryOut(operation)
      if (error !== undefined) this.#progress?.failed(ahead, error)
    }
    if (batch.length > 0) this.#progress?.completed(batch.length)
    return batch.length
  }

  /** The worker dies, having done `done` operations that it never told of. */
  breakDown(done = 0): void {
    for (const operation of this.#ring.splice(0).slice(0, done)) this.#carryOut(operation)
    this.#published = 0
    this.#progress?.broken('the worker died')
  }

  #carryOut({
    operation,
    prefix: { text },
    prefix: value,
    id,
  }: Operation): KernelError | undefined {
    const refusal = this.refuses(text, operation)
    if (refusal !== undefined) return refusal
    if (operation === ROUTE_DELETE) {
      this.log.push(`delete ${text}`)
      this.routes.delete(text)
      return undefined
    }
    const definition = this.#definitions.get(id)
    if (definition === undefined && !this.objects.has(id)) return NO_OBJECT
    this.log.push(`put ${text}`)
    this.routes.set(text, {
      prefix: value,
      nextHopId: definition === undefined ? id : 0,
      type: typeOf(definition),
      hops: definition?.kind === 'gateways' ? definition.hops : [],
    })
    return undefined
  }

  // --- KernelReader ---

  async dumpOurRoutes(family: Family, each: (route: KernelRoute) => void): Promise<void> {
    this.dumps++
    await this.dumpGate
    for (const route of this.routes.values()) {
      if (route.prefix.family === family) each(asRoute(route))
    }
  }

  async dumpOurNextHops(): Promise<readonly KernelNextHopObject[]> {
    await this.dumpGate
    const legs = new Map<number, Leg>()
    const groups = [...this.objects].map(([id, hops]): KernelNextHopObject => {
      const member = (hop: KernelNextHop, weight: number): { id: number; weight: number } => {
        const leg = this.#leg(hop)
        legs.set(leg.id, leg)
        return { id: leg.id, weight }
      }
      const standby = this.waiting.get(id)
      const resilient = standby !== undefined
      const group = hops.map((hop) => member(hop, (hop.weight ?? 1) * (resilient ? 2 : 1)))
      if (standby !== undefined && standby !== null) group.push(member(standby, 1))
      return { id, protocol: MARK.protocol, group, blackhole: false, resilient }
    })
    const singles = [...legs.values()].map(({ id, hop }): KernelNextHopObject => {
      const { weight: _, ...bare } = hop
      return { id, protocol: MARK.protocol, group: [], hop: bare, blackhole: false }
    })
    return [...singles, ...groups]
  }

  watch(events: KernelEvents): () => void {
    this.#watchers.add(events)
    return () => this.#watchers.delete(events)
  }

  get watchers(): number {
    return this.#watchers.size
  }

  // --- The villain ---

  /** Somebody deletes a route; `silently` as in a notification that was lost. */
  dropRoute(text: string, silently = false, by = BY): void {
    const route = this.routes.get(text)
    if (route === undefined) return
    this.routes.delete(text)
    if (!silently) this.#tell((it) => it.ourRouteChanged('deleted', asRoute(route), by))
  }

  /** Somebody writes a route that looks like ours, with a gateway of his own. */
  writeRoute(text: string, via: string, link: number, silently = false): void {
    const hops = [{ via: address(via), link }]
    const route: Stored = { prefix: prefix(text), nextHopId: 0, type: UNICAST, hops }
    this.routes.set(text, route)
    if (!silently) this.#tell((it) => it.ourRouteChanged('new', asRoute(route), BY))
  }

  /** Somebody deletes a nexthop object; its routes go along. Linux tells of the object only. */
  dropObject(id: number, silently = false): void {
    if (!this.#removeObject(id)) return
    const object = { id, protocol: MARK.protocol, group: [], blackhole: false }
    if (!silently) this.#tell((it) => it.ourNextHopChanged('deleted', object, BY))
  }

  /** Objects lose their legs on the link; IPv4 routes and empty objects vanish silently, IPv6 routes don't. */
  linkDown(link: number, told = true): void {
    this.downLinks.add(link)
    for (const [id, hops] of this.objects) {
      const standby = this.waiting.get(id)
      const alive = hops.filter((hop) => hop.link !== link)
      const takesOver = alive.length === 0 && standby !== null && standby?.link !== link
      const left = takesOver && standby !== undefined ? [standby] : alive
      if (standby !== undefined && (takesOver || standby?.link === link)) this.waiting.set(id, null)
      if (left.length === 0) this.#removeObject(id)
      else if (left.length < hops.length) this.objects.set(id, left)
    }
    for (const [text, { hops }] of this.routes) {
      if (hops.some((hop) => hop.link === link)) this.routes.delete(text)
    }
    if (told) this.#tell((it) => it.linkChanged(link))
  }

  linkUp(link: number, told = true): void {
    this.downLinks.delete(link)
    if (told) this.#tell((it) => it.linkChanged(link))
  }

  loseNotifications(): void {
    this.#tell((it) => it.lost())
  }

  /** Any other notification. */
  tellAll(event: (events: KernelEvents) => void): void {
    this.#tell(event)
  }

  // --- What a test looks at ---

  /** `10.1.0.0/16 via 10.0.0.1 link 1`, sorted, as packets see it. */
  get table(): string[] {
    return [...this.routes.values()].map((route) => this.#line(route)).toSorted()
  }

  #line({ prefix: { text }, nextHopId, type, hops }: Stored): string {
    if (type !== UNICAST) return `${text} ${type === BLACKHOLE ? 'blackhole' : 'unreachable'}`
    const legs = nextHopId === 0 ? hops : (this.objects.get(nextHopId) ?? [])
    return `${text} ${targetText({ kind: 'gateways', hops: legs })}`
  }

  #removeObject(id: number): boolean {
    for (const [text, route] of this.routes) if (route.nextHopId === id) this.routes.delete(text)
    this.waiting.delete(id)
    return this.objects.delete(id)
  }

  #leg(hop: KernelNextHop): Leg {
    const key = `${hop.via?.text} ${hop.link}`
    const id = this.#legIds.get(key) ?? NEXT_HOP_LEG_ID_FIRST + this.#legIds.size
    this.#legIds.set(key, id)
    return { id, hop }
  }

  #tell(event: (events: KernelEvents) => void): void {
    for (const watcher of this.#watchers) event(watcher)
  }
}

/** `via 10.0.0.1 link 1 + via 10.0.0.2 link 2`; `blackhole`. */
export function targetText(target: KernelTarget): string {
  if (target.kind !== 'gateways') return target.kind
  const legs = target.hops.map(({ via, link, weight = 1 }) => {
    return `via ${via?.text} link ${link}${weight === 1 ? '' : ` weight ${weight}`}`
  })
  return legs.toSorted().join(' + ')
}

const asRoute = (route: Stored): KernelRoute => ({ ...route, ...MARK, scope: 0, flags: 0 })

function typeOf(definition: KernelTarget | undefined): number {
  if (definition?.kind === 'blackhole') return BLACKHOLE
  return definition?.kind === 'unreachable' ? UNREACHABLE : UNICAST
}
