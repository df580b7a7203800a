/**
 * Reads the imports of a source tree and holds them against the house rules of DESIGN: who may import
 * whom. A tree is a map from path below src/ to source text, so planted violations are plain data.
 *
 * No parser: comments and template texts are blanked, then imports are found at the start of a line.
 * That can't be fooled by anything that people write in earnest.
 */
export interface Room {
  /**
   * What it may import besides itself: `net` a room, `session/transport` one file of it, and with
   * `types of` before it only by `import type`.
   */
  readonly imports: readonly string[]
  /** npm packages and `node:` modules; `node:*` is all of Node but the reserved modules. */
  readonly packages: readonly string[]
}

export type House = Readonly<Record<string, Room>>
export type Tree = ReadonlyMap<string, string>

export interface Import {
  readonly target: string
  readonly typeOnly: boolean
}

/** Names that say nothing about what is in the file. */
const EMPTY_NAMES = [
  'utils',
  'util',
  'helpers',
  'helper',
  'types',
  'common',
  'manager',
  'misc',
  'lib',
]
const MOST_LINES = 400

/** Every broken rule of the tree, in a sentence each. */
export function violations(house: House, tree: Tree, reserved: readonly string[]): string[] {
  return [
    ...[...tree].flatMap(([path, source]) => [
      ...importViolations(house, reserved, path, importsOf(source)),
      ...fileViolations(path, source),
    ]),
    ...cycles(tree),
  ]
}

/** The imports, re-exports, dynamic imports and worker files in a source text. */
export function importsOf(source: string): Import[] {
  const code = withoutComments(source)
  const found: Import[] = []
  const statements = /^[ \t]*(?:import|export)\b([^'";=]*?\bfrom\s*|\s*)(['"])([^'"\n]+)\2/gm
  for (const [, clause = '', , target = ''] of code.matchAll(statements))
    found.push({ target, typeOnly: isTypeOnly(clause) })
  for (const [, , target = ''] of code.matchAll(/\b(?:import|require)\(\s*(['"])([^'"\n]+)\1/g))
    found.push({ target, typeOnly: false })
  // Workers are started from the built file; other URLs are data.
  const workers = /\bnew URL\(\s*(['"])(\.[^'"\n]+)\.[jt]s\1\s*,\s*import\.meta/g
  for (const [, , target = ''] of code.matchAll(workers))
    found.push({ target: `${target}.ts`, typeOnly: false })
  return found
}

/** `import type { A }`, or each name in the braces has a `type` of its own. */
function isTypeOnly(clause: string): boolean {
  if (/^\s*type\b/.test(clause)) return true
  const names = /^\s*\{([\s\S]*)\}\s*from\s*$/.exec(clause)?.[1]?.split(',') ?? []
  const given = names.map((name) => name.trim()).filter((name) => name !== '')
  return given.length > 0 && given.every((name) => name.startsWith('type '))
}

function importViolations(
  house: House,
  reserved: readonly string[],
  path: string,
  imports: readonly Import[],
): string[] {
  const room = roomOf(path)
  const rules = house[room]
  if (rules === undefined) return [`${path}: there is no room ${room} in the table`]
  return imports.flatMap((it) => {
    if (!it.target.startsWith('.')) return packageViolations(rules, reserved, path, it.target)
    if (!it.target.endsWith('.ts') && !it.target.endsWith('.json'))
      return [`${path}: the import of ${it.target} doesn't end in .ts`]
    const file = resolve(path, it.target)
    if (roomOf(file) === room || isAllowed(rules, file, it.typeOnly)) return []
    const how = it.typeOnly ? 'imports types of' : 'imports'
    return [`${path}: ${room} ${how} ${file}, which the table doesn't allow`]
  })
}

function packageViolations(
  rules: Room,
  reserved: readonly string[],
  path: string,
  target: string,
): string[] {
  const name = packageOf(target)
  const anyOfNode = name.startsWith('node:') && rules.packages.includes('node:*')
  if (rules.packages.includes(name) || (anyOfNode && !reserved.includes(name))) return []
  return [`${path}: ${roomOf(path)} may not import ${name}`]
}

function isAllowed(rules: Room, file: string, typeOnly: boolean): boolean {
  const names = [roomOf(file), file.replace(/\.ts$/, '')]
  return names.some(
    (name) =>
      rules.imports.includes(name) || (typeOnly && rules.imports.includes(`types of ${name}`)),
  )
}

function fileViolations(path: string, source: string): string[] {
  const name = path.split('/').at(-1) ?? ''
  const lines = source.split('\n').length - (source.endsWith('\n') ? 1 : 0)
  const broken: string[] = []
  if (lines > MOST_LINES) broken.push(`${path}: ${lines} lines, ${MOST_LINES} are the most`)
  if (!/^[a-z0-9]+(-[a-z0-9]+)*\.(ts|json)$/.test(name)) broken.push(`${path}: not in kebab-case`)
  if (EMPTY_NAMES.includes(name.replace(/\.ts$/, '')))
    broken.push(`${path}: a name that says nothing about what is in the file`)
  if (/^[ \t]*export\s+(default\b|\{[^}]*\bas\s+default\b)/m.test(withoutComments(source)))
    broken.push(`${path}: a default export`)
  return broken
}

/** Circles of files that cross a wall; within a room it is the room's own business. */
function cycles(tree: Tree): string[] {
  const found: string[] = []
  const done = new Set<string>()
  const trail: string[] = []
  const visit = (path: string): void => {
    const at = trail.indexOf(path)
    if (at >= 0) {
      const circle = trail.slice(at)
      if (new Set(circle.map(roomOf)).size > 1)
        found.push(`a circle of imports: ${[...circle, path].join(' -> ')}`)
      return
    }
    if (done.has(path)) return
    trail.push(path)
    for (const { target } of importsOf(tree.get(path) ?? ''))
      if (target.startsWith('.')) visit(resolve(path, target))
    trail.pop()
    done.add(path)
  }
  for (const path of tree.keys()) visit(path)
  return found
}

/** `wire` for `wire/attributes/index.ts`, `main` for `main.ts`. */
const roomOf = (path: string): string => path.split('/')[0]?.replace(/\.ts$/, '') ?? ''

/** `@fastify/x` for `@fastify/x/y`, `node:fs` for `node:fs/promises`. */
function packageOf(target: string): string {
  const [first = '', second = ''] = target.split('/')
  return first.startsWith('@') ? `${first}/${second}` : first
}

function resolve(from: string, target: string): string {
  const parts = from.split('/').slice(0, -1)
  for (const part of target.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop()
    else if (part !== '.') parts.push(part)
  }
  return parts.join('/')
}

/** Blanks comments and template texts; leaves strings, of which a URL may look like a comment. */
function withoutComments(source: string): string {
  const tokens =
    /('(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")|\/\*[\s\S]*?\*\/|\/\/[^\n]*|`(?:\\[\s\S]|[^`\\])*`/g
  return source.replace(tokens, (_, quoted: string | undefined) => quoted ?? ' ')
}
