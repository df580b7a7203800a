/**
 * The walls of the house: which room may know which (DESIGN section 2). Read the table as the map of
 * src/, from the oldest and simplest to what holds everything together.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import { importsOf, violations, type House, type Tree } from '../support/architecture.ts'

const PURE = ['net', 'wire', 'session', 'bfd', 'policy', 'rib', 'fib', 'sources', 'nat']
const SIDE_PROTOCOLS = ['rpki', 'bmp', 'mrt']

const HOUSE: House = {
  // Pure rooms: no Node, no packages, no world. They get time, sockets and the kernel handed in.
  net: { imports: [], packages: ['ip-address'] },
  wire: { imports: ['net'], packages: [] },
  session: { imports: ['net', 'wire'], packages: [] },
  bfd: { imports: ['net'], packages: [] },
  policy: { imports: ['net', 'wire'], packages: [] },
  rib: { imports: ['net', 'wire', 'policy'], packages: [] },
  fib: { imports: ['net'], packages: [] },
  sources: { imports: ['net'], packages: [] },
  nat: { imports: ['net'], packages: [] },
  rpki: { imports: ['net', 'wire'], packages: [] },
  bmp: { imports: ['net', 'wire'], packages: [] },
  mrt: { imports: ['net', 'wire'], packages: [] },

  // Rooms that touch the world. linux implements interfaces that live with those who need them.
  linux: {
    imports: [
      'net',
      'session/transport',
      'session/neighbor-discovery',
      'bfd/transport',
      'fib/kernel',
      'fib/dataplanes/tunnel',
      'rib/next-hop',
      'sources/source',
      'sources/cni',
      'sources/docker-engine',
      'nat',
    ],
    packages: [
      'node:*',
      'node:net',
      'node:dgram',
      'node:child_process',
      'koffi',
      'netlink',
      'dockerode',
    ],
  },
  config: {
    imports: [...PURE, ...SIDE_PROTOCOLS],
    packages: ['node:fs', 'node:os', 'node:path', 'yaml', 'zod'],
  },
  control: {
    imports: ['net', ...[...PURE, ...SIDE_PROTOCOLS].map((room) => `types of ${room}`)],
    packages: ['node:*', 'fastify', 'prom-client', 'zod'],
  },
  web: { imports: ['net', 'types of control'], packages: [] },
  daemon: {
    imports: [...PURE, ...SIDE_PROTOCOLS, 'linux', 'config', 'control', 'web'],
    packages: ['node:*', 'pino'],
  },
  lab: {
    imports: ['net', 'linux', 'config', 'control'],
    packages: ['node:*', 'yaml', 'zod'],
  },
  cli: {
    imports: ['net', 'policy', 'config', 'control', 'lab', 'daemon'],
    packages: ['node:*', 'commander'],
  },
  main: { imports: ['cli'], packages: ['node:*'] },
}

/** What only linux/ may import, also of Node. */
const RESERVED = ['node:net', 'node:dgram', 'node:child_process', 'node:tls', 'node:cluster']

const SRC = join(import.meta.dirname, '../../src')

function sources(): Tree {
  const paths = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  const files = paths.filter((path) => path.endsWith('.ts'))
  return new Map(
    files.map((path) => [relative(SRC, join(SRC, path)), readFileSync(join(SRC, path), 'utf8')]),
  )
}

test('src/ keeps to the house rules', () => {
  const tree = sources()
  expect(tree.size).toBeGreaterThan(50)
  expect(violations(HOUSE, tree, RESERVED)).toEqual([])
})

test('the pure tsconfig covers exactly the pure rooms', () => {
  const config: unknown = JSON.parse(readFileSync(join(SRC, 'tsconfig.pure.json'), 'utf8'))
  expect(config).toHaveProperty('include')
  const rooms = (config as { include: string[] }).include
  expect(rooms.toSorted()).toEqual([...PURE, ...SIDE_PROTOCOLS].toSorted())
})

/** Small trees with one thing wrong, and the sentence that must come of it. */
const planted: { title: string; tree: Record<string, string>; found: string[] }[] = [
  {
    title: 'rib knows session',
    tree: { 'rib/a.ts': `import { x } from '../session/b.ts'`, 'session/b.ts': '' },
    found: ["rib/a.ts: rib imports session/b.ts, which the table doesn't allow"],
  },
  {
    title: 'even by its types',
    tree: { 'net/a.ts': `import type { X } from '../wire/b.ts'`, 'wire/b.ts': '' },
    found: ["net/a.ts: net imports types of wire/b.ts, which the table doesn't allow"],
  },
  {
    title: 'control calls what it may only describe',
    tree: {
      'control/a.ts': `import { type X, y } from '../rib/b.ts'\nimport type { Z } from '../rib/b.ts'`,
      'rib/b.ts': '',
    },
    found: ["control/a.ts: control imports rib/b.ts, which the table doesn't allow"],
  },
  {
    title: 'linux knows more of a session than its transport',
    tree: {
      'linux/a.ts': `import type { T } from '../session/transport.ts'\nexport * from '../session/fsm.ts'`,
      'session/transport.ts': '',
      'session/fsm.ts': '',
    },
    found: ["linux/a.ts: linux imports session/fsm.ts, which the table doesn't allow"],
  },
  {
    title: 'an import over several lines',
    tree: { 'wire/a.ts': "import {\n  a,\n  b,\n} from '../rib/b.ts'\n", 'rib/b.ts': '' },
    found: ["wire/a.ts: wire imports rib/b.ts, which the table doesn't allow"],
  },
  {
    title: 'a dynamic import',
    tree: { 'wire/a.ts': `const late = await import('../rib/b.ts')`, 'rib/b.ts': '' },
    found: ["wire/a.ts: wire imports rib/b.ts, which the table doesn't allow"],
  },
  {
    title: 'a worker of another room',
    tree: {
      'cli/a.ts': `new Worker(new URL('../linux/b.js', import.meta.url))`,
      'linux/b.ts': '',
    },
    found: ["cli/a.ts: cli imports linux/b.ts, which the table doesn't allow"],
  },
  {
    title: 'Node in a pure room',
    tree: { 'session/a.ts': `import { readFileSync } from 'node:fs'` },
    found: ['session/a.ts: session may not import node:fs'],
  },
  {
    title: 'a package in a pure room',
    tree: {
      'rib/a.ts': `import 'lodash/merge.js'`,
      'net/b.ts': `import { Address4 } from 'ip-address'`,
    },
    found: ['rib/a.ts: rib may not import lodash'],
  },
  {
    title: 'sockets outside of linux',
    tree: {
      'control/a.ts': `import { connect } from 'node:net'\nimport { request } from 'node:http'`,
      'daemon/b.ts': `import { spawn } from 'node:child_process'`,
      'linux/c.ts': `import { connect } from 'node:net'`,
    },
    found: [
      'control/a.ts: control may not import node:net',
      'daemon/b.ts: daemon may not import node:child_process',
    ],
  },
  {
    title: 'koffi outside of linux',
    tree: { 'daemon/a.ts': `import koffi from 'koffi'`, 'linux/b.ts': `import koffi from 'koffi'` },
    found: ['daemon/a.ts: daemon may not import koffi'],
  },
  {
    title: 'a circle through two rooms',
    tree: {
      'net/a.ts': `import '../wire/b.ts'`,
      'wire/b.ts': `import '../net/a.ts'`,
    },
    found: [
      "net/a.ts: net imports wire/b.ts, which the table doesn't allow",
      'a circle of imports: net/a.ts -> wire/b.ts -> net/a.ts',
    ],
  },
  {
    title: 'a room of its own',
    tree: { 'shed/a.ts': '' },
    found: ['shed/a.ts: there is no room shed in the table'],
  },
  {
    title: 'an import without its ending',
    tree: { 'net/a.ts': `import './b'` },
    found: ["net/a.ts: the import of ./b doesn't end in .ts"],
  },
  {
    title: 'a file that grew too long',
    tree: { 'net/a.ts': '\n'.repeat(401), 'net/b.ts': '\n'.repeat(400) },
    found: ['net/a.ts: 401 lines, 400 are the most'],
  },
  {
    title: 'default exports',
    tree: { 'net/a.ts': 'export default 1', 'net/b.ts': 'export { x as default }' },
    found: ['net/a.ts: a default export', 'net/b.ts: a default export'],
  },
  {
    title: 'names that say nothing',
    tree: { 'net/utils.ts': '', 'net/FooBar.ts': '' },
    found: [
      'net/utils.ts: a name that says nothing about what is in the file',
      'net/FooBar.ts: not in kebab-case',
    ],
  },
]

describe('a planted violation is found', () => {
  test.each(planted)('$title', ({ tree, found }) => {
    expect(violations(HOUSE, new Map(Object.entries(tree)), RESERVED)).toEqual(found)
  })
})

describe('imports are found in the source, and only there', () => {
  test.each([
    {
      title: 'a comment',
      source: `// import 'a'\n/*\nimport 'b'\n*/\n/** import('c') */`,
      found: [],
    },
    { title: 'a text', source: "const a = `\nimport 'b'\n`", found: [] },
    {
      title: 'a text that looks like a comment',
      source: `const a = '/*'\nimport 'b'\n'*/'`,
      found: ['b'],
    },
    { title: 'a URL', source: `const a = 'http://x'; const b = import('c')`, found: ['c'] },
    { title: 'an export of its own', source: `export const from = 'b'`, found: [] },
    { title: 'a star', source: `export * from 'b'\nimport * as c from "d"`, found: ['b', 'd'] },
  ])('$title', ({ source, found }) => {
    expect(importsOf(source).map((it) => it.target)).toEqual(found)
  })

  test.each([
    { source: `import type { A } from 'a'`, typeOnly: true },
    { source: `import type * as A from 'a'`, typeOnly: true },
    { source: `export type { A } from 'a'`, typeOnly: true },
    { source: `import { type A, type B } from 'a'`, typeOnly: true },
    { source: `import { type A, b } from 'a'`, typeOnly: false },
    { source: `import { a } from 'a'`, typeOnly: false },
    { source: `import type from 'a'`, typeOnly: true }, // nobody names a default import so
  ])('types only: $source is $typeOnly', ({ source, typeOnly }) => {
    expect(importsOf(source)).toEqual([{ target: 'a', typeOnly }])
  })
})
