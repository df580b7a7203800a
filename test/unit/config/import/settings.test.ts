/** Each setting of Calico, what becomes of it, and what is told. */
import { expect, test } from 'vitest'
import { SETTINGS } from '../../../../src/config/import/calico/settings.ts'
import { ADDRESS_CASES } from './cases-of-addresses.ts'
import { FILTER_RULES } from './cases-of-filters.ts'
import { SESSION_CASES } from './cases-of-sessions.ts'
import { carried, cluster, documents, filter, peer } from './cluster.ts'

const tor = { peerIP: '10.0.1.1', asNumber: 65001 }

const LINK =
  'Calico looks at the link that the route leaves by; linnet at the link of the session, or of our own prefix; compare with linnet show routes once it runs'

const tried = [...SESSION_CASES, ...ADDRESS_CASES].map((it) => ({
  ...it,
  title: `${[it.of].flat().join(', ')} ${it.to ?? ''}`.trim(),
}))

test.each(tried)('$title', ({ change, node: name, written: expected, told }) => {
  const got = carried(documents(cluster(...change)), name)
  expect(got.written).toMatchObject(expected ?? {})
  expect(got.told.toSorted()).toEqual((told ?? []).toSorted())
})

test('without a source address the kernel chooses', () => {
  const { written: got } = carried(
    documents(cluster(peer('tor-a', { ...tor, sourceAddress: 'None' }))),
  )
  expect(JSON.stringify(got)).not.toContain('localAddress')
})

const titled = FILTER_RULES.map((it) => ({ title: `${it[0]} ${JSON.stringify(it[1])}`, it }))

test.each(titled)('BGPFilter: $title', ({ it: [, rule, imported, exported] }) => {
  const all = [{ action: 'Accept', ...rule }]
  const { written: got, told } = carried(
    documents(
      cluster(
        filter('f', { importV4: all, exportV4: all }),
        peer('tor-a', { ...tor, filters: ['f'] }),
      ),
    ),
  )
  const policies = got['policies'] as Record<string, unknown[]>
  const made = (direction: string) =>
    Object.entries(policies).find(([name]) => name.startsWith(`f-${direction}V4`))?.[1]
  if (imported === undefined)
    expect([made('import'), made('export')]).toEqual([undefined, undefined])
  else {
    expect(made('import')).toMatchObject([imported])
    expect(made('export')).toMatchObject([exported ?? imported])
  }
  const lost =
    'interface' in rule
      ? ['interface', LINK]
      : imported === undefined && !('peerType' in rule)
        ? [
            'prefixLength',
            'no prefix has these lengths, so the rule never matches, and is left out; nothing is to be done',
          ]
        : []
  const [field, words] = lost
  const lines = ['importV4', 'exportV4'].map((it) => `BGPFilter f spec.${it}[0].${field}: ${words}`)
  expect(told).toEqual(field === undefined ? [] : lines)
})

test('every setting is tried here', () => {
  const seen = new Set([
    ...tried.flatMap((it) => it.of),
    ...FILTER_RULES.flatMap(([fields]) => fields.split(' ').map((it) => `BGPFilter.rule.${it}`)),
    ...['importV4', 'importV6', 'exportV4', 'exportV6'].map((it) => `BGPFilter.${it}`),
  ])
  const all = Object.entries(SETTINGS).flatMap(([kind, list]) =>
    list.map(({ field }) => `${kind}.${field}`),
  )
  expect(all.length).toBeGreaterThan(60)
  expect(all.filter((it) => !seen.has(it))).toEqual([])
  expect([...seen].filter((it) => !all.includes(it))).toEqual([])
})
