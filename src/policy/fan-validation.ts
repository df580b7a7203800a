/**
 * Fan's own rule for what is told of the overlay (`overlay.fan.validate: strict`): a slice is its host's, and which
 * host that is can be worked out. So a prefix of the overlay is taken in only if it lies within the slice of its next
 * hop; then the peer's import policy is asked. Ubuntu's kernel has no such check: whoever announces another host's
 * slice gets its packets.
 */
import { addressFromBytes, addressFromWords, wordsOf, type Address } from '../net/address.ts'
import { hostOf, sliceOf, type FanMapping } from '../net/fan.ts'
import { contains, covers, prefixOf, type Prefix } from '../net/prefix.ts'
import { attributeValue } from '../wire/attributes/section.ts'
import type { AttributeSets, Policy, Route, Verdict } from './policy.ts'

/** Hears of each prefix that is refused, each time: whose it is, and who it was told to be reached by. */
export type FanRefused = (prefix: Prefix, owner: Address, nextHop: Address | undefined) => void

const NEXT_HOP = 3

export class FanValidation implements Policy {
  readonly looksAtPrefix = true
  readonly #mapping: FanMapping
  readonly #attributes: AttributeSets
  readonly #then: Policy
  readonly #refused: FanRefused
  readonly #mask: number
  readonly #overlayWord: number

  constructor(mapping: FanMapping, attributes: AttributeSets, then: Policy, refused: FanRefused) {
    this.#mapping = mapping
    this.#attributes = attributes
    this.#then = then
    this.#refused = refused
    const { bytes, length } = mapping.overlay
    this.#mask = length === 0 ? 0 : -1 << (32 - length)
    this.#overlayWord = wordsOf(bytes)[0]
  }

  get name(): string {
    return this.#then.name
  }

  get looksAtSource(): boolean {
    return this.#then.looksAtSource
  }

  get looksAtRpki(): boolean {
    return this.#then.looksAtRpki
  }

  judge(route: Route): Verdict {
    return this.#wrong(route) ?? this.#then.judge(route)
  }

  #wrong({ family, words, at, length, set }: Route): Verdict | undefined {
    const { overlay, underlay } = this.#mapping
    // Most prefixes of a large table are elsewhere.
    if (family.name !== 'ipv4' || length < overlay.length) return undefined
    if ((words[at] & this.#mask) !== this.#overlayWord) return undefined
    const bytes = attributeValue(this.#attributes.view(set), NEXT_HOP)
    const nextHop = bytes === undefined ? undefined : addressFromBytes(Uint8Array.from(bytes))
    const inner = addressFromWords('ipv4', words, at)
    const prefix = prefixOf(inner, length)
    const isHost = nextHop !== undefined && contains(underlay, nextHop)
    if (isHost && covers(sliceOf(this.#mapping, nextHop), prefix)) return undefined
    const owner = hostOf(this.#mapping, inner)
    this.#refused(prefix, owner, nextHop)
    const told = nextHop?.text ?? 'an IPv6 address'
    return { accept: false, reason: `fan: it belongs to ${owner.text}, and is told by ${told}` }
  }
}
