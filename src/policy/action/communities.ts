import { OPTIONAL_TRANSITIVE } from '../../wire/attributes/attribute.ts'
import type { ValueSpec } from '../definition.ts'
import { COMMUNITY_KINDS, patternSpec, type CommunityKind } from '../match/communities.ts'
import type { ActionSpec, FieldSpec } from './action.ts'

/** Bytes of one community each. */
type List = readonly Uint8Array[]

/** What may be put in: nothing may be left open. */
const exactSpec = (kind: CommunityKind): ValueSpec => ({
  noun: kind.noun,
  write: kind.writeExactly,
  good: (text) => kind.bytesOf(text) !== undefined,
  setKind: 'communities',
})

export const communityActions = COMMUNITY_KINDS.map((kind): ActionSpec => {
  const { code, size, name, rfc, parse, bytesOf, examples } = kind
  const [pattern, example] = examples
  const exact = exactSpec(kind)
  const field = (meaning: string, value: ValueSpec, shown: unknown): FieldSpec => ({
    meaning,
    example: shown,
    value,
    many: true,
    optional: true,
  })
  return {
    name,
    meaning: `The route's communities (${rfc}): \`set\` puts these in place of all, \`remove\` takes those away that match, \`add\` adds; in this order.`,
    example: { add: [example] },
    fields: {
      set: field('All of them; an empty list removes every one.', exact, [example]),
      remove: field('Those that match; a part may be `*`.', patternSpec(kind), [pattern]),
      add: field('Those that are not there yet.', exact, [example]),
    },
    compile({ set, remove = [], add = [] }) {
      const bytes = (texts: readonly string[]): List =>
        texts.map(bytesOf).filter((it) => it !== undefined)
      const patterns = remove.map(parse).filter((it) => it !== undefined)
      const [replacement, added] = [set === undefined ? undefined : bytes(set), bytes(add)]
      return (draft) => {
        const before = replacement ?? split(draft.get(code), size)
        const kept = before.filter((it) => !patterns.some((matches) => matches(it, 0)))
        const after = union(kept, added)
        if (after.length === 0) draft.remove(code)
        else draft.put(code, OPTIONAL_TRANSITIVE, joined(after, size))
      }
    },
  }
})

const split = (list: Uint8Array | undefined, size: number): List =>
  Array.from({ length: (list?.length ?? 0) / size }, (_, i) =>
    (list ?? new Uint8Array(0)).subarray(i * size, (i + 1) * size),
  )

/** In order, each once. */
function union(list: List, more: List): List {
  const all: Uint8Array[] = []
  for (const it of [...list, ...more]) if (!all.some((other) => same(it, other))) all.push(it)
  return all
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.every((byte, i) => byte === b[i])

function joined(list: List, size: number): Uint8Array {
  const bytes = new Uint8Array(list.length * size)
  list.forEach((it, i) => bytes.set(it, i * size))
  return bytes
}
