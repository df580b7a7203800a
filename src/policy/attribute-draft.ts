/** An attribute set on its way to another one: what the actions of a rule have made of it so far. */
import { Writer } from '../net/bytes.ts'
import {
  EXTENDED_LENGTH,
  forEachAttribute,
  PARTIAL,
  writeAttribute,
} from '../wire/attributes/attribute.ts'

interface Attribute {
  readonly flags: number
  readonly value: Uint8Array
}

/** As many as the attributes of an extended message (RFC 8654). */
const MOST_BYTES = 65_535
const MOST_HEADER = 4
const $writer = new Writer(MOST_BYTES)

export class AttributeDraft {
  /** See policy.ts. */
  marks: number
  readonly #attributes = new Map<number, Attribute>()

  constructor(canonical: Uint8Array, marks: number) {
    this.marks = marks
    forEachAttribute(canonical, (code, flags, value) => {
      this.#attributes.set(code, { flags: flags & ~EXTENDED_LENGTH, value })
    })
  }

  get(code: number): Uint8Array | undefined {
    return this.#attributes.get(code)?.value
  }

  /** The Partial bit of what is there stays. */
  put(code: number, flags: number, value: Uint8Array): void {
    const partial = (this.#attributes.get(code)?.flags ?? 0) & PARTIAL
    this.#attributes.set(code, { flags: flags | partial, value })
  }

  remove(code: number): void {
    this.#attributes.delete(code)
  }

  /** Canonical: in ascending order of codes. Valid until the next call; undefined when no message can hold them. */
  bytes(): Uint8Array | undefined {
    const all = [...this.#attributes].toSorted(([a], [b]) => a - b)
    const size = all.reduce((sum, [, { value }]) => sum + MOST_HEADER + value.length, 0)
    if (size > MOST_BYTES) return undefined
    const to = $writer.reset()
    for (const [code, { flags, value }] of all) writeAttribute(code, flags, value, to)
    return to.written()
  }
}
