/** Whatever the resources say: it is refused with a remedy, or imported into what loads without a complaint. */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { importCalico } from '../../../../src/config/import/calico/calico.ts'
import { KINDS } from '../../../../src/config/import/calico/kinds.ts'
import { SETTINGS } from '../../../../src/config/import/calico/settings.ts'
import { loadText } from '../../../../src/config/load.ts'
import { linesOf, NOWHERE } from '../loading.ts'
import { BASE, documents } from './cluster.ts'

/** Good and bad ones, for any field. */
const VALUES: readonly unknown[] = [
  null,
  '',
  true,
  'false',
  0,
  1,
  255,
  23456,
  64512,
  '65001',
  4294967296,
  -1,
  1.5,
  '1.10',
  '10.0.1.12',
  '10.0.1.11/24',
  '10.0.0.0/8',
  '10.244.7.0/26',
  '127.0.0.0/8',
  '224.0.0.1',
  '0.0.0.0',
  '::',
  'fd00::12',
  'fe80::1',
  'fe80::1%eth0',
  '::ffff:10.0.0.1',
  '[fd00::1]:1790',
  '10.0.1.1:179',
  '65001:1',
  '65001:1:2',
  'all()',
  'rack == "r1"',
  'has(',
  'node-1',
  'node-2',
  'x,y',
  '${HOME}',
  '5s',
  '1h',
  [],
  [{}],
  ['f'],
  ['65001:1'],
  {},
]

const fields = Object.values(SETTINGS)
  .flat()
  .map(({ field }) => field)

/** Without these every one would be refused. */
const NEEDED: Readonly<Partial<Record<string, Readonly<Record<string, unknown>>>>> = {
  BGPPeer: { peerIP: '10.0.1.12', asNumber: 65001 },
  IPPool: { cidr: '10.244.128.0/17' },
  BlockAffinity: { cidr: '10.244.8.0/26', node: 'node-1' },
}

/** A spec with fields of any kind, most of them as they should be. */
const spec = (kind: (typeof KINDS)[number]) =>
  fc.array(
    fc.oneof(
      {
        weight: 9,
        arbitrary: fc.constantFrom(
          ...SETTINGS[kind].map(({ field, example }) => [field, example] as const),
        ),
      },
      fc.tuple(
        fc.constantFrom(...SETTINGS[kind].map(({ field }) => field), ...fields),
        fc.constantFrom(...VALUES),
      ),
    ),
    { maxLength: 6 },
  )

/** A filter's rules, with fields as they should be and one that may not be. */
const rules = fc.array(
  spec('BGPFilter').map((list) => ({
    action: 'Accept',
    ...Object.fromEntries(
      list.flatMap(([field, value]) =>
        field.startsWith('rule.') ? [[field.slice('rule.'.length), value]] : [],
      ),
    ),
  })),
  { maxLength: 3 },
)

function nested(list: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const bgp = list.flatMap(([field, value]) =>
    field.startsWith('bgp.') ? [[field.slice('bgp.'.length), value]] : [],
  )
  const plain = list.filter(([field]) => !field.includes('.'))
  return {
    ...Object.fromEntries(plain),
    ...(bgp.length === 0 ? {} : { bgp: Object.fromEntries(bgp) }),
  }
}

const resource = fc.constantFrom(...KINDS).chain((kind) =>
  fc
    .record({
      name: fc.constantFrom(
        'default',
        'node-1',
        'node-3',
        'node.node-1',
        'f',
        'no-default',
        'block',
      ),
      list: spec(kind),
      importV4: rules,
      exportV6: rules,
    })
    .map(({ name, list, importV4, exportV6 }) => ({
      apiVersion: 'projectcalico.org/v3',
      kind,
      metadata: { name },
      spec: kind === 'BGPFilter' ? { importV4, exportV6 } : { ...NEEDED[kind], ...nested(list) },
    })),
)

test('resources of any kind with fields of any value', () => {
  const count = { imported: 0, refused: 0 }
  fc.assert(
    fc.property(fc.array(resource, { minLength: 1, maxLength: 4 }), (added) => {
      const names = new Set(added.map(({ kind, metadata }) => `${kind} ${metadata.name}`))
      const kept = BASE.filter(({ kind, metadata }) => !names.has(`${kind} ${metadata.name}`))
      const text = documents([...kept, ...added])
      const imported = importCalico([{ name: 'calico.yaml', text }], 'node-1')
      if ('complaints' in imported) {
        count.refused++
        expect(imported.complaints.length).toBeGreaterThan(0)
        for (const { message, remedy } of imported.complaints) {
          expect([message, remedy]).not.toContain('')
        }
        return
      }
      count.imported++
      expect(linesOf(loadText(imported.yaml, 'c.yaml', NOWHERE)), text).toEqual([])
    }),
    { numRuns: 100, seed: 4271 },
  )
  expect(count.imported).toBeGreaterThan(20)
  expect(count.refused).toBeGreaterThan(20)
})

test('any YAML at all', () => {
  fc.assert(
    fc.property(fc.array(fc.object(), { maxLength: 3 }), fc.string(), (objects, noise) => {
      const text = [...objects.map((it) => stringify(it)), noise].join('\n---\n')
      const imported = importCalico([{ name: 'calico.yaml', text }], 'node-1')
      expect('complaints' in imported && imported.complaints.length).toBeGreaterThan(0)
    }),
    { numRuns: 200, seed: 4271 },
  )
})
