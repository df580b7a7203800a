/**
 * Does JSON have what was expected? A subset match: keys that the expectation doesn't name don't count.
 *
 *   map       each of its keys matches the same key
 *   rows      each expected row matches some row
 *   texts     the same texts in any order (next hops, communities: sets)
 *   numbers   the same numbers in that order
 *   scalar    the same, whether written as text or as a number (`179`, `"179"`)
 */
type Json = unknown

/** A difference, for people: where, what was expected, what is there. */
export interface Difference {
  readonly path: string
  readonly expected: string
  readonly found: string
}

export function differences(expected: Json, found: Json, path = ''): Difference[] {
  const differs = (): Difference[] => [{ path, expected: shown(expected), found: shown(found) }]
  if (Array.isArray(expected)) {
    if (!Array.isArray(found)) return differs()
    if (expected.some((it) => isMap(it))) return rowDifferences(expected, found, path)
    return sameList(expected, found) ? [] : differs()
  }
  if (isMap(expected)) {
    if (!isMap(found)) return differs()
    return Object.entries(expected).flatMap(([key, value]) =>
      differences(value, found[key], path === '' ? key : `${path}.${key}`),
    )
  }
  return sameScalar(expected, found) ? [] : differs()
}

/** `172.18.2.0/24.nextHops: expected [10.1.1.1, 10.2.1.1], found [10.1.1.1]` */
export const formatDifference = (it: Difference): string =>
  `${it.path === '' ? '' : `${it.path}: `}expected ${it.expected}, found ${it.found}`

/** For each row that is missing, the nearest one that is there. */
function rowDifferences(expected: readonly Json[], found: readonly Json[], path: string) {
  return expected.flatMap((row): Difference[] => {
    let nearest: { row: Json; differences: Difference[] } | undefined
    for (const candidate of found) {
      const differs = differences(row, candidate, path)
      if (differs.length === 0) return []
      if (nearest === undefined || differs.length < nearest.differences.length) {
        nearest = { row: candidate, differences: differs }
      }
    }
    if (nearest === undefined) return [{ path, expected: shown(row), found: 'no rows' }]
    const keys = isMap(row) ? Object.keys(row) : []
    return [{ path, expected: shown(row), found: `at best ${shown(only(nearest.row, keys))}` }]
  })
}

const only = (row: Json, keys: readonly string[]): Json =>
  isMap(row) ? Object.fromEntries(keys.map((key) => [key, row[key]])) : row

const isMap = (value: Json): value is Readonly<Record<string, Json>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function sameList(expected: readonly Json[], found: readonly Json[]): boolean {
  if (expected.length !== found.length) return false
  const ordered = expected.every((it) => typeof it === 'number')
  const inOrder = (list: readonly Json[]): string[] => {
    const texts = list.map(scalarText)
    return ordered ? texts : texts.toSorted()
  }
  const right = inOrder(found)
  return inOrder(expected).every((it, i) => it === right[i])
}

function sameScalar(expected: Json, found: Json): boolean {
  if (expected === null || found === null || found === undefined)
    return expected === (found ?? null)
  return scalarText(expected) === scalarText(found)
}

const scalarText = (value: Json): string =>
  typeof value === 'string' ? value : JSON.stringify(value)

function shown(value: Json): string {
  if (value === undefined || value === null) return 'nothing'
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`
  if (!isMap(value)) return scalarText(value)
  const entries = Object.entries(value).map(([key, it]) => `${key}: ${shown(it)}`)
  return `{ ${entries.join(', ')} }`
}
