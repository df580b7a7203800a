/** docs/api.md as the endpoint rows have it. */
import { z } from 'zod'
import { ENDPOINTS, type Endpoint } from '../../../src/control/endpoints.ts'
import { METRICS } from '../../../src/control/metrics.ts'

const endpoints: readonly Endpoint[] = Object.values(ENDPOINTS)

export function apiReference(): string {
  const shapes = new Map(
    endpoints.flatMap((it) => (it.shape ? [[it.shape.name, it.shape.schema]] : [])),
  )
  return [
    '# Control API',
    '',
    'HTTP/1.1 on the unix socket of the daemon (`api.socket`, default `/run/linnet/linnet.sock`, mode 0660).',
    'With `api.http` questions (GET) are served over TCP as well; orders (POST) never are.',
    '',
    '```sh',
    'curl --unix-socket /run/linnet/linnet.sock http://linnet/v1/peers',
    '```',
    '',
    'Tables stream: a JSON array with a row per line, or with `format=ndjson` a row per line and no array.',
    'A field is always there, and null when it has nothing to say. Times are ISO 8601 in UTC.',
    'What goes wrong is answered with a 4xx or 5xx status and `{"error": "...", "remedy": "..."}`.',
    'Orders take their input as a JSON body. The same as a machine reads it: `GET /v1/openapi.json`.',
    '',
    '## Endpoints',
    '',
    ...endpoints.flatMap(endpointText),
    '## Shapes',
    '',
    ...[...shapes].flatMap(([name, schema]) => [`### ${name}`, '', ...fieldsOf(schema), '']),
    '## Metrics',
    '',
    '| metric | type | labels | meaning |',
    '|---|---|---|---|',
    ...METRICS.map(
      (it) => `| \`${it.name}\` | ${it.type} | ${it.labels.join(', ')} | ${it.help} |`,
    ),
    '',
  ].join('\n')
}

function endpointText(it: Endpoint): string[] {
  const fields = it.input === undefined ? [] : fieldsOf(it.input)
  return [
    `### ${it.method} ${it.path}`,
    '',
    it.summary,
    `Answers with ${answerOf(it)}.`,
    '',
    ...(Object.keys(it.input?.shape ?? {}).length === 0 ? [] : [...fields, '']),
  ]
}

function answerOf(it: Endpoint): string {
  const link = it.shape === undefined ? '' : `[${it.shape.name}](#${it.shape.name.toLowerCase()})`
  switch (it.answers) {
    case 'object':
      return link === '' ? 'one object' : `one ${link}`
    case 'rows':
      return `rows of ${link}`
    case 'events':
      return `server-sent events, each with a ${link} as its data`
    case 'text':
      return 'plain text'
  }
}

interface JsonSchema {
  readonly type?: string
  readonly format?: string
  readonly description?: string
  readonly enum?: readonly string[]
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly additionalProperties?: JsonSchema | boolean
  readonly properties?: Readonly<Record<string, JsonSchema>>
}

function fieldsOf(schema: z.ZodObject): string[] {
  const { properties = {} } = z.toJSONSchema(schema) as JsonSchema
  return [
    '| field | type | meaning |',
    '|---|---|---|',
    ...rowsOf(properties, '').map((row) => `| ${row.join(' | ')} |`),
  ]
}

function rowsOf(properties: Readonly<Record<string, JsonSchema>>, under: string): string[][] {
  return Object.entries(properties).flatMap(([name, it]) => {
    const path = under + name
    const inner = it.properties ?? it.items?.properties
    const below = it.properties === undefined ? `${path}[].` : `${path}.`
    const description = (it.description ?? '').replaceAll('|', '\\|')
    return [
      [`\`${path}\``, typeOf(it), description],
      ...(inner === undefined ? [] : rowsOf(inner, below)),
    ]
  })
}

function typeOf(it: JsonSchema): string {
  if (it.anyOf !== undefined) return it.anyOf.map(typeOf).join(' or ')
  if (it.enum !== undefined) return it.enum.map((value) => `\`${value}\``).join(', ')
  if (it.items !== undefined) return it.items.properties ? 'array' : `array of ${typeOf(it.items)}`
  return it.format === 'date-time' ? 'time' : (it.type ?? 'any')
}
