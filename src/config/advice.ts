/**
 * zod's issues -> complaints in our words: `0 is not an AS number; write 1..4294967295`, at the place
 * of the value, or `did you mean holdTime?` at the place of the key.
 */
import { z } from 'zod'
import { formatComplaint, type Complaint, type Severity } from './complaint.ts'
import { keyFacts } from './key.ts'
import { nearest } from './spelling.ts'
import {
  formatPath,
  keyPlaceOf,
  nodeAt,
  placeOf,
  plainOf,
  type Path,
  type Place,
  type TreeNode,
} from './tree.ts'
import { valueFacts, type ValueFacts } from './values.ts'

type Schema = z.core.$ZodType
type Issue = z.core.$ZodIssue

/** Collects complaints about one tree. */
export class Complaints {
  readonly all: Complaint[] = []
  readonly #lines = new Set<string>()
  readonly #root: TreeNode
  readonly #homes: ReadonlyMap<string, string>

  /** `homes`: in which map each key of the configuration belongs, for keys that stray. */
  constructor(root: TreeNode, homes: ReadonlyMap<string, string> = new Map()) {
    this.#root = root
    this.#homes = homes
  }

  error(path: Path, message: string, remedy: string): void {
    this.#add('error', placeOf(this.#root, path), path, message, remedy)
  }

  warning(path: Path, message: string, remedy: string): void {
    this.#add('warning', placeOf(this.#root, path), path, message, remedy)
  }

  errorAtKey(path: Path, message: string, remedy: string): void {
    this.#add('error', keyPlaceOf(this.#root, path), path, message, remedy)
  }

  /** Complains about the value at `path` for each of zod's issues with it. */
  issues(path: Path, schema: Schema, issues: readonly Issue[]): void {
    for (const issue of issues) this.#issue(path, schema, issue)
  }

  #issue(base: Path, schema: Schema, issue: Issue): void {
    const steps = stepsOf(issue)
    const path = [...base, ...steps]
    if (issue.code === 'unrecognized_keys') {
      const known = keysOf(schemaAt(schema, steps))
      for (const key of issue.keys) this.unknownKey([...path, key], known)
      return
    }
    const node = nodeAt(this.#root, path)
    if (issue.code === 'invalid_union' && (node?.kind === 'map' || node?.kind === 'list')) {
      const branch = issue.errors.find(
        (errors) => !errors.some((it) => it.path.length === 0 && it.code !== 'unrecognized_keys'),
      )
      const at = schemaAt(schema, steps)
      const bare = at === undefined ? undefined : bareOf(at)
      const option = node.kind === 'map' ? mapOptionOf(bare) : listOptionOf(bare)
      if (branch !== undefined && option !== undefined) return this.issues(path, option, branch)
    }
    if (node === undefined) return this.#missing(path, schemaAt(schema, steps))
    const { message, remedy } = adviceFor(node, schemaAt(schema, steps))
    this.error(path, message, remedy)
  }

  #missing(path: Path, schema: Schema | undefined): void {
    const key = String(path[path.length - 1])
    const example = schema === undefined ? undefined : keyFacts.get(schema)?.example
    const shown = typeof example === 'string' || typeof example === 'number' ? example : '...'
    this.error(path, 'is missing', `add ${key}: ${shown}`)
  }

  /** The key that ends `path` is none of `known`. */
  unknownKey(path: Path, known: readonly string[]): void {
    const key = String(path[path.length - 1])
    if (key === '<<') return this.errorAtKey(path, 'merge keys are not read', 'use peerGroups')
    this.errorAtKey(path, 'unknown key', this.#rightKey(key, known))
  }

  #rightKey(written: string, known: readonly string[]): string {
    const near = nearest(written, known)
    if (near !== undefined) return `did you mean ${near}?`
    const home = this.#homes.get(written)
    return home === undefined ? `the keys here are ${known.join(', ')}` : `it belongs into ${home}`
  }

  #add(severity: Severity, at: Place, path: Path, message: string, remedy: string): void {
    const it = { severity, ...at, path: formatPath(this.#root, path), message, remedy }
    const line = formatComplaint(it)
    if (this.#lines.has(line)) return
    this.#lines.add(line)
    this.all.push(it)
  }
}

/** Where an issue is, from where the schema began. */
export const stepsOf = (issue: Issue): (string | number)[] =>
  issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step))

function adviceFor(
  node: TreeNode,
  schema: Schema | undefined,
): { message: string; remedy: string } {
  const facts = factsOf(schema)
  if (node.kind === 'scalar' && node.value === null) {
    const remedy = `write ${facts.write}${isOptional(schema) ? ', or remove the key' : ''}`
    return { message: 'has no value', remedy }
  }
  const shown = facts.secret === true ? 'this' : shownOf(node)
  for (const explain of explainersOf(schema)) {
    const better = explain(plainOf(node), shown)
    if (better !== undefined) return better
  }
  return { message: `${shown} is not ${facts.noun}`, remedy: `write ${remedyFor(shown, facts)}` }
}

/** The explanations of a schema; of each choice, where it is a union. */
function explainersOf(schema: Schema | undefined): NonNullable<ValueFacts['explain']>[] {
  const own = factsOf(schema).explain
  if (own !== undefined) return [own]
  const bare = schema === undefined ? undefined : bareOf(schema)
  return bare instanceof z.core.$ZodUnion ? bare._zod.def.options.flatMap(explainersOf) : []
}

/** The one of a few words that was meant, or all of them. */
function remedyFor(shown: string, facts: ValueFacts): string {
  const words = facts.noun === facts.write ? facts.write.split(/, | or /) : []
  return nearest(shown.replaceAll('"', ''), words) ?? facts.write
}

const LONGEST_SHOWN = 60

function shownOf(node: TreeNode): string {
  if (node.kind === 'map') return 'a map'
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list'
  const { shown } = node
  return shown.length > LONGEST_SHOWN ? `${shown.slice(0, LONGEST_SHOWN)}...` : shown
}

/** The words for a schema, looked for from the outside in. */
export function factsOf(schema: Schema | undefined): ValueFacts {
  for (let it = schema; it !== undefined; it = innerOf(it)) {
    const facts = it instanceof z.ZodType ? valueFacts.get(it) : undefined
    if (facts !== undefined) return facts
    if (it instanceof z.core.$ZodObject) {
      const keys = keysOf(it)
      const more = keys.length > 4 ? '...' : ''
      return { noun: 'a map', write: `a map of ${keys.slice(0, 4).join(', ')}${more}` }
    }
  }
  return { noun: 'what belongs here', write: 'another value' }
}

/** What `.optional()`, `.prefault()` and `.transform()` were put around. */
export function innerOf(schema: Schema): Schema | undefined {
  if (schema instanceof z.core.$ZodOptional) return schema._zod.def.innerType
  if (schema instanceof z.core.$ZodPrefault) return schema._zod.def.innerType
  if (schema instanceof z.core.$ZodPipe) return schema._zod.def.in
  return undefined
}

/** True when the key may be left out. */
export const isOptional = (schema: Schema | undefined): boolean =>
  schema instanceof z.core.$ZodOptional || schema instanceof z.core.$ZodPrefault

function schemaAt(schema: Schema, path: Path): Schema | undefined {
  let at: Schema | undefined = schema
  for (const step of path) at = at === undefined ? undefined : childOf(at, step)
  return at
}

function childOf(schema: Schema, step: string | number): Schema | undefined {
  const bare = bareOf(schema)
  if (bare instanceof z.core.$ZodObject) return bare._zod.def.shape[step]
  if (bare instanceof z.core.$ZodArray) return bare._zod.def.element
  if (bare instanceof z.core.$ZodRecord) return bare._zod.def.valueType
  const option = typeof step === 'number' ? listOptionOf(bare) : mapOptionOf(bare)
  return option === undefined ? undefined : childOf(option, step)
}

/** Without the wrappers. */
export function bareOf(schema: Schema): Schema {
  let bare = schema
  for (let inner = innerOf(bare); inner !== undefined; inner = innerOf(bare)) bare = inner
  return bare
}

/** Of `10.0.0.0/8 or { prefix: ... }`, the map. */
export function mapOptionOf(schema: Schema | undefined): Schema | undefined {
  if (!(schema instanceof z.core.$ZodUnion)) return undefined
  return schema._zod.def.options.find((it) => it instanceof z.core.$ZodObject)
}

/** Of `a key, or a list of them`, the list. */
function listOptionOf(schema: Schema | undefined): Schema | undefined {
  if (!(schema instanceof z.core.$ZodUnion)) return undefined
  return schema._zod.def.options.find((it) => it instanceof z.core.$ZodArray)
}

function keysOf(schema: Schema | undefined): string[] {
  const bare = schema === undefined ? undefined : (mapOptionOf(bareOf(schema)) ?? bareOf(schema))
  return bare instanceof z.core.$ZodObject ? Object.keys(bare._zod.def.shape) : []
}
