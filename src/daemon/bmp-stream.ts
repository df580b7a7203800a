/**
 * One view of the routes on its way to a station: routes that follow each other with the same attributes
 * share a message.
 */
import { RouteMonitoring } from '../bmp/route-monitoring.ts'
import type { FamilyFacts } from '../net/family.ts'
import type { AttributeStore } from '../rib/attribute-store.ts'
import type { PrefixTable } from '../rib/prefix-table.ts'

export class BmpStream {
  readonly #attributes: AttributeStore
  readonly #writer = new RouteMonitoring()
  readonly #$words = new Int32Array(4)
  // What the open message is about.
  #header: Uint8Array | undefined
  #prefixes: PrefixTable | undefined
  #set = 0
  #since = 0

  constructor(attributes: AttributeStore) {
    this.#attributes = attributes
  }

  get full(): boolean {
    return this.#writer.full
  }

  /**
   * Tells a prefix, with the attribute set that it has since that second; set 0 withdraws it. Whether there
   * are path identifiers (RFC 7911) is the same for all routes of a header and a family.
   */
  put(
    header: Uint8Array,
    prefixes: PrefixTable,
    prefix: number,
    pathId: number | undefined,
    set: number,
    since: number,
  ): void {
    const writer = this.#writer
    const same =
      header === this.#header &&
      prefixes === this.#prefixes &&
      set === this.#set &&
      since === this.#since
    if (!same) {
      writer.close()
      const attributes = set === 0 ? undefined : this.#attributes.view(set)
      writer.open(header, since * 1000, prefixes.family, attributes, pathId !== undefined)
      this.#header = header
      this.#prefixes = prefixes
      this.#set = set
      this.#since = since
    }
    prefixes.copyWords(prefix, this.#$words)
    writer.add(this.#$words, prefixes.length(prefix), pathId)
  }

  endOfRib(header: Uint8Array, family: FamilyFacts, wallMs: number): void {
    this.#close()
    this.#writer.endOfRib(header, wallMs, family)
  }

  /** The messages so far. Sets are no longer looked at: they may be freed from now on. */
  take(): { readonly bytes: Uint8Array; readonly messages: number } {
    this.#close()
    const { messages } = this.#writer
    return { bytes: this.#writer.take(), messages }
  }

  #close(): void {
    this.#writer.close()
    this.#header = undefined
  }
}
