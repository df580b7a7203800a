/** What of a path an update group may be told, and how that looks on the wire. */
import { addressFromBytes } from '../net/address.ts'
import type { FamilyFacts } from '../net/family.ts'
import { rewriteAttributes } from '../wire/rewrite.ts'
import { LARGEST_SET } from './announcement-encoder.ts'
import type { AttributeStore } from './attribute-store.ts'
import type { RibPeer, RibPeers } from './peer.ts'
import { mayPassOn } from './reflection.ts'
import type { UpdateGroupOptions } from './update-group-options.ts'
import { shortestAnnouncement } from './update-writer.ts'

/** Attributes as they were sent. */
export interface ToldForm {
  readonly set: Uint8Array
  readonly nextHop: string
}

const $rewritten = new Uint8Array(LARGEST_SET)

export class ExportRules {
  readonly #family: FamilyFacts
  readonly #attributes: AttributeStore
  readonly #peers: RibPeers
  readonly #options: UpdateGroupOptions
  /** A set of so many bytes fits into a message, whatever is done to it. */
  readonly #surelyFits: number

  constructor(
    family: FamilyFacts,
    attributes: AttributeStore,
    peers: RibPeers,
    options: UpdateGroupOptions,
  ) {
    this.#family = family
    this.#attributes = attributes
    this.#peers = peers
    this.#options = options
    this.#surelyFits = options.maxMessageLength / 2 - 128
  }

  /** The set to tell for `set` from `source`, 0 for nothing; another one comes with a reference. */
  exported(prefix: number, set: number, source: number): number {
    const peer = this.#peers.get(source)
    if (!mayPassOn(peer, this.#attributes.flags(set), this.#options)) return 0
    const told = this.#options.exported(prefix, set, peer)
    if (told === 0 || this.#fits(prefix, told, peer)) return told
    if (told !== set) this.#attributes.release(told)
    return 0
  }

  form(set: number, source: number): ToldForm {
    const { set: bytes, form, nextHop } = this.#options.formOf(set, this.#peers.get(source))
    const end = rewriteAttributes(bytes, form, $rewritten, 0)
    return {
      set: $rewritten.slice(0, end),
      nextHop: addressFromBytes(nextHop.subarray(0, 16)).text,
    }
  }

  /** False, and told, when the attributes leave no room for a prefix in a message. */
  #fits(prefix: number, set: number, source: RibPeer): boolean {
    if (this.#attributes.byteLength(set) <= this.#surelyFits) return true
    const { maxMessageLength, addPath = 'off' } = this.#options
    const { set: bytes, form, nextHop } = this.#options.formOf(set, source)
    const length = rewriteAttributes(bytes, form, $rewritten, 0)
    const needed = shortestAnnouncement(this.#family, length, nextHop.length, addPath !== 'off')
    if (needed <= maxMessageLength) return true
    this.#options.tooLong(prefix, source, needed)
    return false
  }
}
