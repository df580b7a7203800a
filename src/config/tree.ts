/**
 * A configuration as it was written: values that remember their file, line and column, also after
 * included files were merged and variables were substituted, so that each complaint can point to the
 * very characters to change.
 */
export interface Place {
  readonly file: string
  readonly line: number
  readonly column: number
}

export type ScalarValue = string | number | boolean | null

export interface ScalarNode {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: ScalarValue
  /** The other reading of a value that came from a variable: `65101` beside `"65101"`. */
  readonly alternative?: ScalarValue
  /** As people wrote it: `1.10` stays `1.10`, quoted text keeps its quotes. */
  readonly shown: string
}

export interface ListItem {
  /** Place in the list of the file that it stands in (merged lists have several zeros). */
  readonly index: number
  readonly node: TreeNode
}

export interface ListNode {
  readonly kind: 'list'
  readonly place: Place
  readonly items: readonly ListItem[]
}

export interface MapEntry {
  readonly keyPlace: Place
  readonly node: TreeNode
}

export interface MapNode {
  readonly kind: 'map'
  readonly place: Place
  readonly entries: ReadonlyMap<string, MapEntry>
}

export type TreeNode = ScalarNode | ListNode | MapNode
export type Path = readonly (string | number)[]

/** The bare value, as the schema takes it. */
export function plainOf(node: TreeNode): unknown {
  if (node.kind === 'scalar') return node.value
  if (node.kind === 'list') return node.items.map((item) => plainOf(item.node))
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, plainOf(entry.node)]))
}

/** The same node with the other readings of the scalars at, above or below `paths`. */
export function withAlternatives(node: TreeNode, paths: readonly Path[]): TreeNode {
  const inside = (step: string | number): Path[] =>
    paths.flatMap((path) => (path.length === 0 ? [path] : path[0] === step ? [path.slice(1)] : []))
  if (paths.length === 0) return node
  if (node.kind === 'scalar') {
    return node.alternative === undefined ? node : { ...node, value: node.alternative }
  }
  if (node.kind === 'list') {
    const items = node.items.map((item, i) => ({
      ...item,
      node: withAlternatives(item.node, inside(i)),
    }))
    return { ...node, items }
  }
  const entries = new Map(node.entries)
  for (const [key, entry] of node.entries) {
    entries.set(key, { ...entry, node: withAlternatives(entry.node, inside(key)) })
  }
  return { ...node, entries }
}

/** The node at `path`, or undefined where nothing is written. */
export function nodeAt(root: TreeNode, path: Path): TreeNode | undefined {
  let node: TreeNode | undefined = root
  for (const step of path) node = node === undefined ? undefined : childOf(node, step)
  return node
}

/** The place of the value at `path`, or of what encloses it when it is missing. */
export function placeOf(root: TreeNode, path: Path): Place {
  for (let length = path.length; length > 0; length--) {
    const node = nodeAt(root, path.slice(0, length))
    if (node !== undefined) return node.place
  }
  return root.place
}

/** The place of the last key of `path`. */
export function keyPlaceOf(root: TreeNode, path: Path): Place {
  const parent = nodeAt(root, path.slice(0, -1))
  const key = path[path.length - 1]
  if (parent?.kind !== 'map' || typeof key !== 'string') return placeOf(root, path)
  return parent.entries.get(key)?.keyPlace ?? parent.place
}

/** `peers[2].asn`, with the index that the item has in its own file. */
export function formatPath(root: TreeNode, path: Path): string {
  let text = ''
  let node: TreeNode | undefined = root
  for (const step of path) {
    if (typeof step === 'string') text += text === '' ? step : `.${step}`
    else text += `[${node?.kind === 'list' ? (node.items[step]?.index ?? step) : step}]`
    node = node === undefined ? undefined : childOf(node, step)
  }
  return text
}

/** `over` laid over `base`: maps key by key, `peers` one after the other, all else replaced. */
export function mergeTrees(base: MapNode, over: MapNode): MapNode {
  return mergeMaps(base, over, true)
}

function mergeMaps(base: MapNode, over: MapNode, top: boolean): MapNode {
  const entries = new Map(base.entries)
  for (const [key, entry] of over.entries) {
    const below = entries.get(key)?.node
    let node = entry.node
    if (below?.kind === 'map' && node.kind === 'map') node = mergeMaps(below, node, false)
    if (top && key === 'peers' && below?.kind === 'list' && node.kind === 'list') {
      node = { ...node, items: [...below.items, ...node.items] }
    }
    entries.set(key, { keyPlace: entry.keyPlace, node })
  }
  return { kind: 'map', place: over.place, entries }
}

function childOf(node: TreeNode, step: string | number): TreeNode | undefined {
  if (node.kind === 'map') return node.entries.get(String(step))?.node
  if (node.kind === 'list' && typeof step === 'number') return node.items[step]?.node
  return undefined
}
