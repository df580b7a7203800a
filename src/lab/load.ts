/**
 * A lab file -> a Lab, or complaints with file:line:col. Files that nodes name as their `config` are
 * read here too; `${NODE}` and `${HOSTNAME}` in them stand for the node's name, so that one file can
 * serve every host, as it would in production.
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Complaints } from '../config/advice.ts'
import { checkTree } from '../config/check.ts'
import { isError, type Complaint } from '../config/complaint.ts'
import { readDocument } from '../config/document.ts'
import { mergeTrees, nodeAt, plainOf, type TreeNode } from '../config/tree.ts'
import type { World } from '../config/world.ts'
import { parseAddressAndLength } from '../net/prefix.ts'
import { checkLab, type ReadConfig } from './check.ts'
import { labSchema, type LabDocument, type TorKind } from './schema.ts'
import type { Lab } from './topology.ts'

export interface LoadedLab {
  readonly lab?: Lab
  readonly complaints: readonly Complaint[]
}

/** Gives the text of a file, or throws as `readFileSync` does. */
export type ReadText = (path: string) => string

export interface LoadLabOptions {
  /** Overrides `defaults.tor`. */
  readonly tor?: TorKind | undefined
  readonly readText?: ReadText
}

export function loadLab(file: string, options: LoadLabOptions = {}): LoadedLab {
  const readText = options.readText ?? ((path: string): string => readFileSync(path, 'utf8'))
  const text = tryRead(readText, file)
  if ('problem' in text) return { complaints: [wholeFile(file, text.problem)] }
  const { root, complaints: told } = readDocument(text.text, file, process.env)
  if (root === undefined || told.some(isError)) return { complaints: told }
  const complaints = new Complaints(root, new Map())
  const parsed = labSchema.safeParse(plainOf(root))
  if (!parsed.success) {
    complaints.issues([], labSchema, parsed.error.issues)
    return { complaints: complaints.all }
  }
  const document = parsed.data
  const more: Complaint[] = []
  const readConfig: ReadConfig = (name, entry) => {
    const { kind, config, set } = entry
    const path = ['nodes', name, 'config']
    if (config === undefined) return undefined
    let tree = nodeAt(root, path)
    if (typeof config === 'string') {
      // FRR's and BIRD's own languages have many lines; a file's name has one.
      if (kind !== 'linnet' && config.includes('\n')) return config
      const named = resolve(dirname(file), config)
      const content = tryRead(readText, named)
      if ('problem' in content) {
        const message = `can't read ${config}: ${content.problem}`
        complaints.error(path, message, 'name a file, relative to this one')
        return undefined
      }
      if (kind !== 'linnet') return content.text
      const variables = { ...process.env, NODE: name, HOSTNAME: name }
      const read = readDocument(content.text, named, variables)
      more.push(...read.complaints)
      tree = read.root === undefined ? undefined : withAbsoluteIncludes(read.root, named)
    }
    const over = set === undefined ? undefined : nodeAt(root, ['nodes', name, 'set'])
    if (tree?.kind !== 'map') return undefined
    const merged = over?.kind === 'map' ? mergeTrees(tree, over) : tree
    // What is included is not at hand here: the daemon will check the whole.
    if (!merged.entries.has('include')) {
      more.push(...checkTree(merged, worldOf(name, document, dirname(file))).complaints)
    }
    const keys = plainOf(merged)
    return isKeys(keys) ? keys : undefined
  }
  const tor = options.tor ?? document.defaults.tor
  const lab = checkLab(document, file, tor, readConfig, complaints)
  const all = [...complaints.all, ...more]
  return lab === undefined || all.some(isError) ? { complaints: all } : { lab, complaints: all }
}

type Keys = Readonly<Record<string, unknown>>

const isKeys = (value: unknown): value is Keys =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The daemon's checks, as if made on the node itself. */
function worldOf(name: string, document: LabDocument, directory: string): World {
  const onLinks = document.links.flatMap((link) =>
    link.addresses.filter((_, i) => link.endpoints[i]?.startsWith(`${name}:`)),
  )
  const written = [...onLinks, ...Object.values(document.nodes[name]?.bridges ?? {})]
  return {
    readText: (path) => {
      const read = tryRead((it) => readFileSync(it, 'utf8'), resolve(directory, path))
      return 'text' in read ? { ...read, readableByAll: false } : read
    },
    ownAddresses: written.flatMap((it) => parseAddressAndLength(it)?.address ?? []),
    tables: new Map([
      ['main', 254],
      ['local', 255],
      ['default', 253],
    ]),
  }
}

/** The file will be written elsewhere: what it includes stays where it is. */
function withAbsoluteIncludes(config: TreeNode, file: string): TreeNode {
  if (config.kind !== 'map') return config
  const include = config.entries.get('include')
  if (include?.node.kind !== 'list') return config
  const items = include.node.items.map((item) => {
    const { node } = item
    if (node.kind !== 'scalar' || typeof node.value !== 'string') return item
    return { ...item, node: { ...node, value: resolve(dirname(file), node.value) } }
  })
  const entry = { ...include, node: { ...include.node, items } }
  return { ...config, entries: new Map(config.entries).set('include', entry) }
}

function tryRead(readText: ReadText, path: string): { text: string } | { problem: string } {
  try {
    return { text: readText(path) }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT') return { problem: 'no such file' }
    if (code === 'EACCES') return { problem: 'may not be read' }
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}

const wholeFile = (file: string, problem: string): Complaint => ({
  severity: 'error',
  file,
  line: 0,
  column: 0,
  path: '',
  message: problem,
  remedy: 'name a lab file, such as config/lab/two-tor.yaml',
})
