/**
 * A configuration that is written for people: plain values as YAML, with comments that say where each part
 * came from.
 */
import { Document, isScalar, YAMLMap, YAMLSeq, type Node } from 'yaml'

export type Written =
  | string
  | number
  | boolean
  | readonly Written[]
  | Noted
  | { readonly [key: string]: Written | undefined }

/** A value with a comment above it; above the key, where it has one. */
export class Noted {
  readonly comment: string
  readonly value: Written

  constructor(comment: string, value: Written) {
    this.comment = comment
    this.value = value
  }
}

export const noted = (comment: string, value: Written): Noted => new Noted(comment, value)

/** Longer maps and lists take a line for each part. */
const LONGEST_INLINE = 72

/** YAML with `head` as its first comment. A key without a value is left out. */
export function writeYaml(
  head: string,
  value: { readonly [key: string]: Written | undefined },
): string {
  const document = new Document()
  document.commentBefore = commentOf(head)
  const root = mapOf(value, document)
  root.flow = false
  for (const { key } of root.items.slice(1)) if (isScalar(key)) key.spaceBefore = true
  document.contents = root
  return document.toString({ lineWidth: 100, flowCollectionPadding: true, singleQuote: true })
}

function nodeOf(value: Written, document: Document): Node {
  if (value instanceof Noted) {
    const node = nodeOf(value.value, document)
    node.commentBefore = commentOf(value.comment)
    return node
  }
  if (Array.isArray(value)) return listOf(value as readonly Written[], document)
  if (typeof value === 'object') {
    return mapOf(value as { readonly [key: string]: Written | undefined }, document)
  }
  return document.createNode(value)
}

function listOf(values: readonly Written[], document: Document): YAMLSeq {
  const list = new YAMLSeq<Node>(document.schema)
  list.items = values.map((it) => nodeOf(it, document))
  list.flow = isShort(values)
  return list
}

function mapOf(
  value: { readonly [key: string]: Written | undefined },
  document: Document,
): YAMLMap<Node, Node> {
  const map = new YAMLMap<Node, Node>(document.schema)
  for (const [name, part] of Object.entries(value)) {
    if (part === undefined) continue
    const key = document.createNode(name)
    const bare = part instanceof Noted ? part.value : part
    if (part instanceof Noted) key.commentBefore = commentOf(part.comment)
    map.add({ key, value: nodeOf(bare, document) })
  }
  map.flow = isShort(value)
  return map
}

/** Fits into a line, and nothing in it has a comment. */
function isShort(value: Written): boolean {
  return !hasNotes(value) && JSON.stringify(value).length <= LONGEST_INLINE
}

function hasNotes(value: Written): boolean {
  if (value instanceof Noted) return true
  return typeof value === 'object' && Object.values(value).some((it) => it && hasNotes(it))
}

const commentOf = (text: string): string =>
  text
    .split('\n')
    .map((line) => (line === '' ? '' : ` ${line.replaceAll(/\p{Cc}+/gu, ' ')}`))
    .join('\n')
