/** The OpenAPI 3.1 document of the control API, made from the endpoint rows. */
import { z } from 'zod'
import { ENDPOINTS, type Endpoint } from './endpoints.ts'
import { errorReport } from './reports.ts'

type Json = Record<string, unknown>

const jsonSchema = (schema: z.ZodType): Json => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema)
  return rest
}

const ref = (name: string): Json => ({ $ref: `#/components/schemas/${name}` })

/** The document as a plain object; `version` is linnet's. */
export function openApi(version: string): Json {
  const endpoints: readonly Endpoint[] = Object.values(ENDPOINTS)
  const paths: Record<string, Json> = {}
  const schemas: Json = { Error: jsonSchema(errorReport) }
  for (const it of endpoints) {
    const path = it.path.replaceAll(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [it.method.toLowerCase()]: operation(it) }
    if (it.shape !== undefined) schemas[it.shape.name] = jsonSchema(it.shape.schema)
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'linnet control API',
      version,
      description: 'HTTP on the unix socket; questions also on api.http when configured.',
    },
    paths,
    components: { schemas },
  }
}

function operation(it: Endpoint): Json {
  const inPath = [...it.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }))
  const fields = Object.entries(it.input?.shape ?? {})
  const inQuery = it.method === 'POST' ? [] : fields.map(([name, field]) => queryOf(name, field))
  const body = { required: true, content: { 'application/json': { schema: jsonSchemaOf(it) } } }
  return {
    summary: it.summary,
    ...(inPath.length + inQuery.length > 0 ? { parameters: [...inPath, ...inQuery] } : {}),
    ...(it.method === 'POST' && fields.length > 0 ? { requestBody: body } : {}),
    responses: {
      '200': { description: 'The answer.', content: contentOf(it) },
      default: {
        description: 'What is wrong and what to do.',
        content: { 'application/json': { schema: ref('Error') } },
      },
    },
  }
}

const jsonSchemaOf = (it: Endpoint): Json => (it.input === undefined ? {} : jsonSchema(it.input))

function queryOf(name: string, field: z.core.$ZodType): Json {
  const schema = jsonSchema(field as z.ZodType)
  return { name, in: 'query', required: false, schema }
}

function contentOf(it: Endpoint): Json {
  const schema = it.shape === undefined ? { type: 'object' } : ref(it.shape.name)
  switch (it.answers) {
    case 'object':
      return { 'application/json': { schema } }
    case 'rows':
      return {
        'application/json': { schema: { type: 'array', items: schema } },
        'application/x-ndjson': { schema },
      }
    case 'events':
      return { 'text/event-stream': { schema } }
    case 'text':
      return { 'text/plain': { schema: { type: 'string' } } }
  }
}
