import { expect } from 'vitest'
import { addressFromWords } from '../../../src/net/address.ts'
import type { FamilyFacts } from '../../../src/net/family.ts'
import { prefixOf } from '../../../src/net/prefix.ts'
import { describeAttributes } from '../../../src/wire/attributes/describe.ts'
import { NlriColumns } from '../../../src/wire/nlri.ts'
import { UpdateView } from '../../../src/wire/update.ts'

/** Visits the bodies of whole UPDATE messages of ordinary length. */
export function eachUpdate(chunk: Uint8Array, visit: (start: number, end: number) => void): void {
  for (let at = 0; at < chunk.length;) {
    const length = (chunk[at + 16] << 8) | chunk[at + 17]
    expect(chunk[at + 18]).toBe(2)
    expect(length).toBeLessThanOrEqual(4096)
    visit(at + 19, at + length)
    at += length
  }
}

/** What one peer has been sent, read as it would read it. */
export class Reading {
  readonly table = new Map<string, string>()
  endOfRibs = 0
  readonly #family: FamilyFacts
  readonly #nlri: NlriColumns
  readonly #view = new UpdateView()

  constructor(family: FamilyFacts) {
    this.#family = family
    this.#nlri = new NlriColumns(family)
  }

  read(chunk: Uint8Array): void {
    eachUpdate(chunk, (start, end) => this.#update(chunk, start, end))
  }

  #update(bytes: Uint8Array, start: number, end: number): void {
    const view = this.#view
    view.split(bytes, start, end)
    const gone = this.#prefixes(view.withdrawnStart, view.withdrawnEnd, bytes)
    if (view.unreachAfi !== 0)
      gone.push(...this.#prefixes(view.unreachStart, view.unreachEnd, bytes))
    const come = this.#prefixes(view.nlriStart, view.nlriEnd, bytes)
    if (view.reachAfi !== 0) come.push(...this.#prefixes(view.reachStart, view.reachEnd, bytes))
    if (gone.length + come.length === 0) this.endOfRibs++
    for (const text of gone) this.table.delete(text)
    if (come.length === 0) return
    const set = describeAttributes(view.attributes?.slice(view.from, view.to) ?? bytes)
    for (const text of come) this.table.set(text, set.asPath)
  }

  #prefixes(start: number, end: number, bytes: Uint8Array): string[] {
    if (start === end) return []
    const nlri = this.#nlri
    expect(nlri.decode(bytes, start, end)).toBe(true)
    return Array.from({ length: nlri.count }, (_, i) => {
      const at = addressFromWords(this.#family.name, nlri.words, i * nlri.stride)
      return prefixOf(at, nlri.lengths[i]).text
    })
  }
}
