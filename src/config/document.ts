/**
 * YAML text -> a tree of values with places. Variables (`${HOSTNAME}`) are substituted here, in values
 * only; a plain value that came from a variable is typed anew, so that `asn: ${ASN}` is a number.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  parseDocument,
  type Document,
  type Pair,
  type Scalar,
} from 'yaml'
import type { Complaint } from './complaint.ts'
import type { ListItem, MapEntry, Place, ScalarNode, ScalarValue, TreeNode } from './tree.ts'

export type Variables = Readonly<Record<string, string | undefined>>

export interface ReadDocument {
  /** Absent when the text is no YAML. */
  readonly root?: TreeNode
  readonly complaints: readonly Complaint[]
}

/** Aliases may repeat what they name; this many values are more than any honest file has. */
const MOST_VALUES = 200_000

export function readDocument(text: string, file: string, variables: Variables): ReadDocument {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  return planted(document, lines, text, file, variables)
}

/** Others' files: documents one after the other, in which `$` means nothing. */
export function readDocuments(text: string, file: string): ReadDocument[] {
  const lines = new LineCounter()
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false })
  if ('empty' in documents) return []
  return documents.map((document) => planted(document, lines, text, file, undefined))
}

function planted(
  document: Document,
  lines: LineCounter,
  text: string,
  file: string,
  variables: Variables | undefined,
): ReadDocument {
  if (document.errors.length > 0) {
    const complaints = document.errors.map((error) => {
      const at = lines.linePos(error.pos[0])
      const { message, remedy } = wordsFor(error.code, error.message, text, error.pos[0])
      return complaint({ file, line: at.line, column: at.col }, '', message, remedy)
    })
    // One bare variable derails the parser for the rest of the line.
    const bare = complaints.filter((it) => it.message === BARE_VARIABLE)
    return { complaints: bare.length > 0 ? bare : complaints }
  }
  const planter = new Planter(file, lines, document, variables)
  const root = planter.plant(document.contents, '')
  return { root, complaints: planter.complaints }
}

class Planter {
  readonly complaints: Complaint[] = []
  readonly #file: string
  readonly #lines: LineCounter
  readonly #document: Document
  readonly #variables: Variables | undefined
  readonly #open = new Set<unknown>()
  #count = 0

  constructor(
    file: string,
    lines: LineCounter,
    document: Document,
    variables: Variables | undefined,
  ) {
    this.#file = file
    this.#lines = lines
    this.#document = document
    this.#variables = variables
  }

  plant(node: unknown, path: string): TreeNode {
    const target = isAlias(node) ? node.resolve(this.#document) : node
    const endless = this.#open.has(target) || ++this.#count > MOST_VALUES
    if (isAlias(node) && (target === undefined || endless)) {
      const at = this.#placeOf(node)
      if (endless) this.#complain(at, path, 'the aliases here never end', 'write the value itself')
      else {
        const message = `nothing above is called &${node.source}`
        this.#complain(at, path, message, 'name it there, or quote the *')
      }
      return nothing(at)
    }
    const place = this.#placeOf(target)
    if (isScalar(target)) return this.#scalar(target, place, path)
    if (!isMap(target) && !isSeq(target)) return nothing(place)
    this.#open.add(target)
    const planted: TreeNode = isMap(target)
      ? { kind: 'map', place, entries: this.#entries(target.items, path) }
      : { kind: 'list', place, items: this.#items(target.items, path) }
    this.#open.delete(target)
    return planted
  }

  #items(nodes: readonly unknown[], path: string): ListItem[] {
    return nodes.map((node, index) => ({ index, node: this.plant(node, `${path}[${index}]`) }))
  }

  #entries(pairs: readonly Pair[], path: string): Map<string, MapEntry> {
    const entries = new Map<string, MapEntry>()
    for (const pair of pairs) {
      const keyPlace = this.#placeOf(pair.key)
      if (!isScalar(pair.key)) {
        this.#complain(keyPlace, path, 'a key must be a word', 'write it as plain text')
        continue
      }
      const key = textOf(pair.key)
      const below = path === '' ? key : `${path}.${key}`
      const node = pair.value === null ? nothing(keyPlace) : this.plant(pair.value, below)
      entries.set(key, { keyPlace, node })
    }
    return entries
  }

  #scalar(scalar: Scalar, place: Place, path: string): ScalarNode {
    const value = isScalarValue(scalar.value) ? scalar.value : textOf(scalar)
    const plain = scalar.type === 'PLAIN' || scalar.type === undefined
    const variables = this.#variables
    if (variables === undefined || typeof value !== 'string' || !value.includes('$')) {
      const shown = plain ? textOf(scalar) : JSON.stringify(value)
      return { kind: 'scalar', place, value, shown }
    }
    const text = this.#substitute(value, variables, place, path)
    if (text === value) return { kind: 'scalar', place, value, shown: text }
    const shown = `${text === '' ? '""' : text} (from ${value})`
    const typed = retyped(text)
    if (typed === text) return { kind: 'scalar', place, value: text, shown }
    const [first, second] = plain ? [typed, text] : [text, typed]
    return { kind: 'scalar', place, value: first, alternative: second, shown }
  }

  /** Replaces `${NAME}`; `$${` stands for a plain `${`. */
  #substitute(text: string, variables: Variables, place: Place, path: string): string {
    return text.replaceAll(/\$\$\{|\$\{(\w*)(\})?/g, (whole, name: string | undefined, end) => {
      if (whole === '$${') return '${'
      if (name === undefined || name === '' || end === undefined) {
        this.#complain(
          place,
          path,
          "'${' begins no variable here",
          'write ${NAME}, or $${ for a plain ${',
        )
        return whole
      }
      const value = variables[name]
      if (value !== undefined) return value
      this.#complain(place, path, `the variable ${name} is not set`, 'set it in the environment')
      return whole
    })
  }

  #placeOf(node: unknown): Place {
    const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : null
    const at = this.#lines.linePos(range?.[0] ?? 0)
    return { file: this.#file, line: Math.max(1, at.line), column: Math.max(1, at.col) }
  }

  #complain(place: Place, path: string, message: string, remedy: string): void {
    this.complaints.push(complaint(place, path, message, remedy))
  }
}

function complaint(place: Place, path: string, message: string, remedy: string): Complaint {
  return { severity: 'error', ...place, path, message, remedy }
}

const nothing = (place: Place): ScalarNode => ({ kind: 'scalar', place, value: null, shown: '' })

const textOf = (scalar: Scalar): string => scalar.source ?? String(scalar.value)

const isScalarValue = (value: unknown): value is ScalarValue =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)

function retyped(text: string): string | number | boolean {
  if (/^-?\d+$/.test(text)) return Number(text)
  return text === 'true' ? true : text === 'false' ? false : text
}

const BARE_VARIABLE = 'a variable inside { } or [ ] must be quoted'

/** The parser's error at `text[at]` in our words, for the mistakes that people make most. */
function wordsFor(
  code: string,
  message: string,
  text: string,
  at: number,
): { message: string; remedy: string } {
  if (text[at - 1] === '$' && text[at] === '{') {
    return { message: BARE_VARIABLE, remedy: 'write "${NAME}"' }
  }
  if (code === 'DUPLICATE_KEY') {
    const key = /^[^:\n]*/.exec(text.slice(at))?.[0]
    return { message: `the key ${key} is here twice`, remedy: 'keep one of them' }
  }
  if (code === 'TAB_AS_INDENT') {
    return { message: 'a tab indents this line', remedy: 'indent with spaces' }
  }
  if (code === 'MULTIPLE_DOCS') {
    return { message: 'a second document begins here', remedy: 'keep one document (remove ---)' }
  }
  const said = message.split('\n')[0] ?? message
  return { message: `not YAML: ${said}`, remedy: 'mend the line, or quote the text' }
}
