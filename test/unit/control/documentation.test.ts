import { expect, test } from 'vitest'
import { z } from 'zod'
import { ENDPOINTS, type Endpoint } from '../../../src/control/endpoints.ts'
import { openApi } from '../../../src/control/openapi.ts'
import { generatedDocument } from '../../support/generated-document.ts'
import { apiReference } from './api-reference.ts'

const endpoints: readonly Endpoint[] = Object.values(ENDPOINTS)

test('docs/api.md says what is served (UPDATE_GOLDEN=1 rewrites it)', async () => {
  const { found, wanted } = await generatedDocument('docs/api.md', apiReference())
  expect(found).toBe(wanted)
})

test('every field of every shape and input is described', () => {
  const schemas = endpoints.flatMap((it) => [
    ...(it.shape ? [{ name: it.shape.name, schema: it.shape.schema }] : []),
    ...(it.input ? [{ name: it.path, schema: it.input }] : []),
  ])
  expect(schemas.length).toBeGreaterThan(20)
  const silent = schemas.flatMap(({ name, schema }) =>
    undescribed(z.toJSONSchema(schema) as Node, name),
  )
  expect(silent).toEqual([])
})

interface Node {
  readonly description?: string
  readonly items?: Node
  readonly properties?: Readonly<Record<string, Node>>
}

function undescribed(node: Node, path: string): string[] {
  const inner = node.properties ?? node.items?.properties ?? {}
  return Object.entries(inner).flatMap(([name, it]) => [
    ...(it.description === undefined ? [`${path}.${name}`] : []),
    ...undescribed(it, `${path}.${name}`),
  ])
}

test('the fields that scripts rely on are there', () => {
  const promised: Record<string, string> = {
    Route:
      'prefix family peer source best valid installed nextHops asPath origin localPref med communities largeCommunities extendedCommunities originatorId clusterList pathId since reason',
    Peer: 'name address asn state since families received accepted announced holdTime keepalive flaps lastError capabilities',
    FibRoute: 'prefix family nextHops nexthopId table metric protocol state error since',
    Source: 'prefix source interface network container announced since',
    NextHop: 'id members routes backup resolvedBy since',
  }
  for (const [name, fields] of Object.entries(promised)) {
    const shape = endpoints.find((it) => it.shape?.name === name)?.shape
    expect(Object.keys(shape?.schema.shape ?? {})).toEqual(
      expect.arrayContaining(fields.split(' ')),
    )
  }
})

test('the OpenAPI document has every endpoint, and every reference in it leads somewhere', () => {
  const document = openApi('1.2.3')
  const text = JSON.stringify(document)
  const paths = document['paths'] as Record<string, Record<string, unknown>>
  for (const { path, method } of endpoints) {
    const key = path.replace(':name', '{name}')
    expect(Object.keys(paths[key] ?? {})).toContain(method.toLowerCase())
  }
  const { schemas } = document['components'] as { readonly schemas: Record<string, unknown> }
  const referred = [...text.matchAll(/#\/components\/schemas\/(\w+)/g)].map(
    ([, name]) => name ?? '',
  )
  expect(referred.length).toBeGreaterThan(10)
  for (const name of referred) expect(schemas).toHaveProperty(name)
})
