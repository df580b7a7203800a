/**
 * Peers that nobody has configured one by one: whoever connects from a range gets a session with its settings,
 * up to so many at a time. One that has been down for a while is forgotten; at the limit it makes room earlier.
 */
import { peerChange } from '../config/change.ts'
import type { Config, PeerRange, ResolvedPeer } from '../config/config.ts'
import type { Address } from '../net/address.ts'
import type { Timer } from '../net/clock.ts'
import { contains } from '../net/prefix.ts'
import type { Policy } from '../policy/policy.ts'
import { OTHER_CONFIGURATION_CHANGE, PEER_DECONFIGURED } from '../wire/constants.ts'
import type { Neighbor } from './neighbor.ts'
import type { Neighborhood } from './neighborhood.ts'
import type { Neighbors } from './neighbors.ts'
import { Silence } from './silence.ts'

/** How often those that are down are looked for. */
const LOOK_EVERY_MS = 5000
const FULL_SILENCE_MS = 60_000

export class DynamicPeers {
  readonly #neighbors: Neighbors
  readonly #hood: Neighborhood
  readonly #full: Silence
  /** The longest prefix first. */
  #ranges: readonly PeerRange[] = []
  #timer: Timer | undefined

  constructor(neighbors: Neighbors, hood: Neighborhood) {
    this.#neighbors = neighbors
    this.#hood = hood
    this.#full = new Silence(hood.clock, FULL_SILENCE_MS)
  }

  /** The peers of other ranges go, those of these take over what has changed. */
  configure({ ranges, peers }: Config, renewed: ReadonlySet<Policy>): void {
    this.#ranges = ranges.toSorted((a, b) => b.prefix.length - a.prefix.length)
    for (const { config } of this.#all()) {
      const { name, address } = config
      const range = this.#rangeOf(address)
      // One that is configured by itself from now on takes the place, and the name.
      const isTaken = peers.some((it) => it.address.text === address.text || it.name === name)
      if (range === undefined || isTaken) this.#neighbors.remove(name, PEER_DECONFIGURED)
      else this.#change(config, instanceOf(range, config.address), renewed)
    }
  }

  /** The peer at an address that is in a range and not yet known; undefined when there is no range, or no room. */
  welcome(address: Address): Neighbor | undefined {
    const range = this.#rangeOf(address)
    if (range === undefined) return undefined
    if (!this.#hasRoom(range, address)) return undefined
    const neighbor = this.#neighbors.add(instanceOf(range, address))
    this.#neighbors.start(neighbor)
    this.#hood.changed()
    const { name } = neighbor.config
    this.#tell('info', 'DynamicPeerAdded', name, `connected from the range ${nameOf(range)}`)
    this.#timer ??= this.#hood.clock.after(LOOK_EVERY_MS, () => this.#look())
    return neighbor
  }

  close(): void {
    this.#timer?.cancel()
  }

  #all(): Neighbor[] {
    return [...this.#neighbors].filter(({ config }) => config.range !== undefined)
  }

  #rangeOf(address: Address): PeerRange | undefined {
    return this.#ranges.find(({ prefix }) => contains(prefix, address))
  }

  #change(before: ResolvedPeer, after: ResolvedPeer, renewed: ReadonlySet<Policy>): void {
    const change = peerChange(before, after)
    // It comes back by itself when it wants to.
    if (change.effect === 'reset' && change.fields.length > 0) {
      this.#neighbors.remove(before.name, OTHER_CONFIGURATION_CHANGE)
    } else this.#neighbors.change({ ...change, effect: 'live' }, renewed)
  }

  /** Makes room when the range is full: the one that has been down for longest goes. */
  #hasRoom(range: PeerRange, address: Address): boolean {
    if (this.#neighbors.get(address.text) !== undefined) return false // somebody else is called like that
    const members = this.#all().filter(({ config }) => config.range === range.peer.name)
    if (members.length < range.limit) return true
    const [idle] = members
      .filter((it) => this.#isIdle(it))
      .toSorted((a, b) => a.snapshot().since - b.snapshot().since)
    if (idle !== undefined) {
      this.#forget(idle)
      return true
    }
    if (this.#full.endsFor(range.peer.name)) {
      const text = `${address.text} was refused: the range ${nameOf(range)} has ${range.limit} peers, its limit`
      this.#tell('warn', 'RangeFull', undefined, text)
    }
    return false
  }

  /** Down, and nobody wants it to be. */
  #isIdle({ session, standing, peer }: Neighbor): boolean {
    const { started, connection } = peer.snapshot()
    return session === undefined && started && connection === undefined && !standing.isHeldDown
  }

  #look(): void {
    const { clock } = this.#hood
    this.#timer = undefined
    for (const neighbor of this.#all()) {
      const range = this.#rangeOf(neighbor.config.address)
      const downMs = clock.wallNow() - neighbor.snapshot().since
      if (range === undefined || !this.#isIdle(neighbor)) continue
      if (downMs >= range.removeAfterSeconds * 1000) this.#forget(neighbor)
    }
    if (this.#all().length > 0) this.#timer = clock.after(LOOK_EVERY_MS, () => this.#look())
  }

  #forget({ config }: Neighbor): void {
    this.#neighbors.remove(config.name, PEER_DECONFIGURED)
    this.#tell('info', 'DynamicPeerForgotten', config.name, 'has been down for long: forgotten')
    this.#hood.changed()
  }

  #tell(level: 'info' | 'warn', kind: string, peer: string | undefined, text: string): void {
    const whose = peer === undefined ? {} : { peer }
    this.#hood.events.tell({ level, topic: 'peers', kind, text, ...whose })
  }
}

const nameOf = ({ peer, prefix }: PeerRange): string =>
  peer.name === prefix.text ? prefix.text : `${peer.name} (${prefix.text})`

const instanceOf = ({ peer }: PeerRange, address: Address): ResolvedPeer => ({
  ...peer,
  name: address.text,
  address,
})
