/** `sets:`: values that several policies name, each checked where it is written. */
import { SET_KINDS, type SetKind } from '../policy/definition.ts'
import { COMMUNITY_KINDS } from '../policy/match/communities.ts'
import { matchSpec } from '../policy/match/index.ts'
import type { Section } from './parse.ts'
import type { SetsEntry } from './policy-schema.ts'
import type { Path } from './tree.ts'

export type NamedSets = Readonly<Record<SetKind, ReadonlyMap<string, readonly string[]>>>

/** Never to be taken for a value. */
export const isSetName = (text: string): boolean => /^[A-Za-z][\w-]{0,62}$/.test(text)

/** What may stand in a set of a kind: what the match that names it takes. */
const MEMBERS: Readonly<
  Record<SetKind, { readonly good: (text: string) => boolean; noun: string; write: string }>
> = {
  prefixes: matchSpec('prefix').value,
  asns: matchSpec('asPathLast').value,
  communities: {
    good: (text) => COMMUNITY_KINDS.some(({ parse }) => parse(text) !== undefined),
    noun: 'a community',
    write: '65001:100, 65001:*, 65001:1:2 or rt:65001:100',
  },
}

export function readSets(entry: SetsEntry | undefined, section: Section): NamedSets {
  const read = (kind: SetKind) =>
    new Map(
      Object.entries(entry?.[kind] ?? {}).map(([name, items]) => [
        name,
        readSet(['sets', kind, name], name, items.map(String), kind, section),
      ]),
    )
  const [prefixes, communities, asns] = SET_KINDS.map(read)
  return { prefixes, communities, asns }
}

function readSet(
  path: Path,
  name: string,
  texts: readonly string[],
  kind: SetKind,
  { complaints }: Section,
): readonly string[] {
  const { good, noun, write } = MEMBERS[kind]
  if (!isSetName(name)) {
    complaints.errorAtKey(path, `${name} is not the name of a set`, 'begin with a letter: my-set')
  } else if (good(name)) {
    complaints.errorAtKey(path, `${name} is the name of a well-known community`, 'give it another')
  }
  if (texts.length === 0) complaints.warning(path, 'nothing is in this set', 'add something')
  texts.forEach((text, i) => {
    if (good(text)) return
    const better = kind === 'prefixes' ? matchSpec('prefix').value.explain?.(text) : undefined
    const message = better?.message ?? `${text} is not ${noun}`
    complaints.error([...path, i], message, better?.remedy ?? `write ${write}`)
  })
  return texts.filter(good)
}
