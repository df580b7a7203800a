/**
 * Configuration files -> Config, or complaints with file, line and column. The only part of this room
 * that touches the disk; what it reads goes through document.ts (YAML, variables), tree.ts (includes
 * merged) and check.ts.
 *
 * Included files are read first, each once, relative to the file that names them; a circle is refused.
 */
import { readFileSync, statSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import { checkTree } from './check.ts'
import { isError, type Complaint } from './complaint.ts'
import type { Config } from './config.ts'
import { readDocument, type Variables } from './document.ts'
import { mergeTrees, type MapNode, type Place, type TreeNode } from './tree.ts'
import type { ReadText, World } from './world.ts'

/**
 * What is known of this host: its addresses, so that its own mesh node is skipped, and more. Leave it out
 * to check another host's file.
 */
export interface Environment extends Partial<Omit<World, 'readText' | 'tables'>> {
  /** What `${NAME}` stands for; HOSTNAME is known in any case. Default: the process's environment. */
  readonly variables?: Variables
}

export type Loaded =
  | { readonly config: Config; readonly warnings: readonly Complaint[] }
  | { readonly complaints: readonly Complaint[] }

/** The configuration in `path`, or all that is wrong with it (warnings among it). */
export function loadConfig(path: string, environment: Environment = {}): Loaded {
  return new Loading(environment).load(path)
}

/** As `loadConfig`, for text that is in no file: `name` stands in complaints, includes are beside it. */
export function loadText(text: string, name: string, environment: Environment = {}): Loaded {
  return new Loading(environment).load(name, text)
}

/** Errors and warnings of the file; none = `linnet run` would take it. */
export function checkFile(path: string, environment: Environment = {}): readonly Complaint[] {
  const loaded = loadConfig(path, environment)
  return 'config' in loaded ? loaded.warnings : loaded.complaints
}

class Loading {
  readonly #variables: Variables
  readonly #environment: Environment
  readonly #complaints: Complaint[] = []
  /** In the order of reading: the main file first. */
  readonly #files: string[] = []

  constructor(environment: Environment) {
    this.#environment = environment
    this.#variables = { HOSTNAME: hostname(), ...(environment.variables ?? process.env) }
  }

  load(file: string, text?: string): Loaded {
    const root = this.#read(file, [], undefined, text)
    const complaints = this.#complaints
    let config: Config | undefined
    if (root !== undefined) {
      const checked = checkTree(root, this.#world())
      const told = new Set(complaints.map(placeText))
      complaints.push(...checked.complaints.filter((it) => !told.has(placeText(it))))
      config = checked.config
    }
    complaints.sort(
      (a, b) => this.#order(a) - this.#order(b) || a.line - b.line || a.column - b.column,
    )
    if (config === undefined || complaints.some(isError)) return { complaints }
    return { config, warnings: complaints }
  }

  /** The tree of `file` laid over those that it includes; undefined when one of them is no YAML. */
  #read(file: string, from: readonly string[], at?: Place, given?: string): TreeNode | undefined {
    const here = at ?? { file, line: 0, column: 0 }
    const path = at === undefined ? '' : 'include'
    if (from.includes(resolve(file))) {
      this.#complain(here, path, `${file} includes itself`, 'break the circle')
      return undefined
    }
    if (this.#files.includes(file)) return { kind: 'map', place: here, entries: new Map() }
    this.#files.push(file)
    const read = given === undefined ? readText(file) : { text: given }
    if ('problem' in read) {
      const remedy =
        read.problem === 'permission denied'
          ? 'run this as a user who may, or change its rights'
          : 'check the name'
      this.#complain(here, path, `can't read ${file}: ${read.problem}`, remedy)
      return undefined
    }
    const { root, complaints } = readDocument(read.text, file, this.#variables)
    this.#complaints.push(...complaints)
    if (root?.kind !== 'map') return root
    return this.#withIncludes(root, file, [...from, resolve(file)])
  }

  #withIncludes(root: MapNode, file: string, from: readonly string[]): TreeNode | undefined {
    const list = root.entries.get('include')?.node
    let below: MapNode | undefined
    let broken = false
    for (const { node } of list?.kind === 'list' ? list.items : []) {
      if (node.kind !== 'scalar' || typeof node.value !== 'string') continue // check.ts complains
      const included = this.#read(beside(file, node.value), from, node.place)
      if (included === undefined) broken = true
      if (included?.kind !== 'map') continue
      below = below === undefined ? included : mergeTrees(below, included)
    }
    if (broken) return undefined
    return below === undefined ? root : mergeTrees(below, root)
  }

  #world(): World {
    const { variables: _, ...host } = this.#environment
    return {
      ...host,
      readText: (path, file) => readText(beside(file, path)),
      tables: routingTables(),
    }
  }

  #order(it: Complaint): number {
    return this.#files.indexOf(it.file)
  }

  #complain(place: Place, path: string, message: string, remedy: string): void {
    this.#complaints.push({ severity: 'error', ...place, path, message, remedy })
  }
}

const placeText = (it: Place): string => `${it.file}:${it.line}:${it.column}`

const beside = (file: string, path: string): string =>
  isAbsolute(path) ? path : join(dirname(file), path)

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}

const EVERYBODY_READS = 0o004

function readText(path: string): ReadText {
  try {
    const text = readFileSync(path, 'utf8')
    return { text, readableByAll: (statSync(path).mode & EVERYBODY_READS) !== 0 }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return { problem: PROBLEMS[code] ?? code }
  }
}

/** Names of routing tables, as iproute2 knows them; a host may have none of these files. */
function routingTables(): Map<string, number> {
  const tables = new Map([
    ['main', 254],
    ['default', 253],
    ['local', 255],
  ])
  for (const file of ['/usr/share/iproute2/rt_tables', '/etc/iproute2/rt_tables']) {
    const read = readText(file)
    for (const line of 'text' in read ? read.text.split('\n') : []) {
      const match = /^\s*(\d+)\s+(\S+)/.exec(line)
      if (match?.[2] !== undefined && Number(match[1]) > 0) tables.set(match[2], Number(match[1]))
    }
  }
  return tables
}
