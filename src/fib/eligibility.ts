/**
 * Which prefixes are never installed, whatever a peer says of them: martians, a default route unless it
 * is asked for, routes that would take over our own prefixes (a stolen docker0), host routes to our own
 * addresses or to a peer, or to a part of a link's network in which a peer is (a route to a BGP neighbour
 * through itself or another is the classic way to lose it).
 *
 * The question is asked once for each prefix of a full table, so it is answered from words: martians by
 * comparing the first one, own prefixes by comparing with each of a few (`prefix-set.ts`). What is ours
 * changes at run time; each change returns the prefixes within which answers may differ now, so that the
 * RIB can decide about those again.
 */
import { FAMILIES, factsOf, type FamilyFacts } from '../net/family.ts'
import type { Address } from '../net/address.ts'
import { hostPrefix, prefix, prefixOf, type Prefix } from '../net/prefix.ts'
import type { PrefixIndex } from './prefix-index.ts'
import { PrefixSet } from './prefix-set.ts'

export interface EligibilityOptions {
  /** Install a learned default route. */
  readonly defaultRoute: boolean
  /** Learned routes equal to or inside our own prefixes. */
  readonly withinOwn: 'accept' | 'reject'
}

/** Why a prefix is not installed; 0 = it may be. The codes index `REFUSALS`. */
export type Refusal = number

const MARTIAN_THIS_NETWORK = 1
const MARTIAN_LOOPBACK = 2
const MARTIAN_LINK_LOCAL = 3
const MARTIAN_MULTICAST = 4
const MARTIAN_BROADCAST = 5
const MARTIAN_MAPPED = 6
const DEFAULT_ROUTE = 7
const WITHIN_OWN = 8
const OWN_ADDRESS = 9
const PEER_ADDRESS = 10
const WAY_TO_PEER = 11

/** In words, by code (RFC 6890; RFC 1122 3.2.1.3). 240.0.0.0/4 is not among them: it is used as unicast. */
export const REFUSALS: readonly string[] = [
  '',
  'martian: no host has an address in 0.0.0.0/8 or ::/128',
  'martian: loopback (127.0.0.0/8, ::1/128)',
  'martian: link-local (169.254.0.0/16, fe80::/10)',
  'martian: multicast (224.0.0.0/4, ff00::/8)',
  'martian: limited broadcast (255.255.255.255/32)',
  'martian: IPv4-mapped (::ffff:0:0/96)',
  'a default route is only installed with kernel.defaultRoute: true',
  'inside a prefix that this host announces itself (kernel.withinOwn: accept installs it)',
  'a host route to one of our own addresses',
  'a host route to the address of a peer',
  'the part of a network of our own links in which a peer is',
]

export interface PeerPlace {
  readonly address: Address
  /** The network of ours that the peer is in: it is reached directly. */
  readonly network?: Prefix | undefined
}

type PerFamily = readonly [PrefixSet, PrefixSet]
const perFamily = (): PerFamily => [new PrefixSet(FAMILIES[0]), new PrefixSet(FAMILIES[1])]

export class Eligibility {
  #options: EligibilityOptions
  readonly #ownPrefixes = perFamily()
  readonly #ownAddresses = perFamily()
  readonly #peerAddresses = perFamily()
  /** All that is longer than the network of a peer, and holds its address. */
  readonly #waysToPeers = perFamily()
  #peers: readonly PeerPlace[] = []

  constructor(options: EligibilityOptions) {
    this.#options = options
  }

  /** Takes other options; returns the prefixes within which answers may differ now. */
  configure(options: EligibilityOptions): Prefix[] {
    const before = this.#options
    this.#options = options
    const changed: Prefix[] = []
    // Within a default route lies everything: asking again for all is what it takes.
    if (options.defaultRoute !== before.defaultRoute) changed.push(...DEFAULTS)
    if (options.withinOwn !== before.withinOwn) {
      for (const set of this.#ownPrefixes) changed.push(...set.values())
    }
    return changed
  }

  /** What we announce ourselves. */
  setOwnPrefixes(prefixes: readonly Prefix[]): Prefix[] {
    return replace(this.#ownPrefixes, prefixes)
  }

  /** All addresses of this host. */
  setOwnAddresses(addresses: readonly Address[]): Prefix[] {
    return replace(this.#ownAddresses, addresses.map(hostPrefix))
  }

  setPeers(peers: readonly PeerPlace[]): Prefix[] {
    const changed = replace(
      this.#peerAddresses,
      peers.map(({ address }) => hostPrefix(address)),
    )
    const ways = new Set(replace(this.#waysToPeers, peers.flatMap(waysTo)).map(({ text }) => text))
    // All of them lie in the networks: a few walks instead of many.
    const networks = new Map<string, Prefix>()
    for (const it of [...this.#peers, ...peers]) {
      if (it.network === undefined || !waysTo(it).some(({ text }) => ways.has(text))) continue
      networks.set(it.network.text, it.network)
    }
    this.#peers = peers
    return [...changed, ...networks.values()]
  }

  /** Whether the prefix of this id may be installed; `familyIndex` as in `FAMILIES`. */
  refusal(familyIndex: 0 | 1, prefixes: PrefixIndex, id: number): Refusal {
    const length = prefixes.length(id)
    if (length === 0) return this.#options.defaultRoute ? 0 : DEFAULT_ROUTE
    const first = prefixes.word(id, 0)
    const martian =
      familyIndex === 0 ? martian4(first, length) : martian6(prefixes, id, first, length)
    if (martian !== 0) return martian
    if (length === FAMILIES[familyIndex].bits) {
      if (this.#ownAddresses[familyIndex].covers(prefixes, id, first, length)) return OWN_ADDRESS
      if (this.#peerAddresses[familyIndex].covers(prefixes, id, first, length)) return PEER_ADDRESS
    } else if (this.#waysToPeers[familyIndex].has(prefixes, id, length)) return WAY_TO_PEER
    if (
      this.#options.withinOwn === 'reject' &&
      this.#ownPrefixes[familyIndex].covers(prefixes, id, first, length)
    ) {
      return WITHIN_OWN
    }
    return 0
  }

  refusalText(code: Refusal): string {
    return REFUSALS[code] ?? ''
  }
}

/** As many as bits between the network's length and the address's. */
function waysTo({ address, network }: PeerPlace): Prefix[] {
  if (network === undefined) return []
  const ways: Prefix[] = []
  const { bits } = factsOf(address.family)
  for (let length = network.length + 1; length < bits; length++)
    ways.push(prefixOf(address, length))
  return ways
}

const DEFAULTS: readonly Prefix[] = [prefix('0.0.0.0/0'), prefix('::/0')]

function martian4(word: number, length: number): Refusal {
  const first = word >>> 24
  if (first === 0) return length >= 8 ? MARTIAN_THIS_NETWORK : 0
  if (first === 127) return length >= 8 ? MARTIAN_LOOPBACK : 0
  if (first === 169) return word >>> 16 === 0xa9fe && length >= 16 ? MARTIAN_LINK_LOCAL : 0
  if (first < 224) return 0
  if (first < 240) return length >= 4 ? MARTIAN_MULTICAST : 0
  return word === -1 && length === 32 ? MARTIAN_BROADCAST : 0
}

function martian6(prefixes: PrefixIndex, id: number, first: number, length: number): Refusal {
  if (first !== 0) {
    if (first >>> 24 === 0xff) return length >= 8 ? MARTIAN_MULTICAST : 0
    return first >>> 22 === 0x3fa && length >= 10 ? MARTIAN_LINK_LOCAL : 0
  }
  if (length < 96 || prefixes.word(id, 1) !== 0) return 0
  const third = prefixes.word(id, 2)
  if (third === 0xffff) return MARTIAN_MAPPED
  if (third !== 0 || length < 128) return 0
  const last = prefixes.word(id, 3)
  return last === 0 ? MARTIAN_THIS_NETWORK : last === 1 ? MARTIAN_LOOPBACK : 0
}

/** Fills the sets anew; returns what came or went. */
function replace(sets: PerFamily, prefixes: readonly Prefix[]): Prefix[] {
  const of = ({ name }: FamilyFacts): Prefix[] => prefixes.filter((it) => it.family === name)
  return FAMILIES.flatMap((family) => sets[family.index].replace(of(family)))
}
