/**
 * What people and editors read about the configuration, printed from the schema: the tables of
 * docs/configuration.md, and config/schema.json. A test holds the files to it.
 */
import { z } from 'zod'
import { stringify } from 'yaml'
import { bareOf, factsOf, innerOf, isOptional, mapOptionOf } from './advice.ts'
import { bfdAuthentication } from './bfd.ts'
import { EFFECTS } from './change.ts'
import { engineTls } from './docker.ts'
import { keyFacts } from './key.ts'
import { RUNGS } from '../rib/decision.ts'
import { ACTIONS } from '../policy/action/index.ts'
import { actionsSchema, matchSchema, ruleSchema } from './policy-schema.ts'
import { groupSchema, peerSchema, SESSION_DEFAULTS } from './peer-schema.ts'
import { overlaySchema } from './overlay.ts'
import { configSchema } from './schema.ts'

type Schema = z.core.$ZodType

/** One key, in words. */
export interface KeyRow {
  readonly key: string
  readonly value: string
  /** As YAML, or in words; empty for a key that is needed. */
  readonly otherwise: string
  readonly meaning: string
  /** As YAML. */
  readonly example: unknown
}

/** The keys of a map, in order. `defaults`: those that don't stand in the schema itself. */
export function keyRows(
  schema: Schema,
  defaults: Readonly<Record<string, unknown>> = {},
): KeyRow[] {
  return Object.entries(shapeOf(schema)).map(([key, value]) => {
    const facts = value instanceof z.ZodType ? keyFacts.get(value) : undefined
    if (facts === undefined) throw new Error(`the key ${key} has no words`)
    const fixed = defaults[key] ?? defaultOf(value)
    const nested = Object.keys(shapeOf(value)).length > 0 && !isChoice(value)
    return {
      key,
      value: nested ? 'a map, below' : factsOf(value).write,
      otherwise: facts.otherwise ?? (fixed === undefined ? '' : nested ? '' : code(inline(fixed))),
      meaning: facts.meaning,
      example: facts.example,
    }
  })
}

/** A map, or something shorter. */
const isChoice = (schema: Schema): boolean => bareOf(schema) instanceof z.core.$ZodUnion

/** A Markdown table of the keys of a map. */
export function keyTable(schema: Schema, defaults?: Readonly<Record<string, unknown>>): string {
  const head = ['key', 'what it means', 'write', 'default', 'example']
  const needed = (row: KeyRow, at: Schema | undefined): string =>
    row.otherwise === '' && at !== undefined && !isOptional(at) ? '(needed)' : row.otherwise
  const shape = shapeOf(schema)
  const rows = keyRows(schema, defaults).map((row) => [
    code(row.key),
    row.meaning,
    row.value === 'a map, below' ? row.value : code(row.value),
    needed(row, shape[row.key]),
    code(inline({ [row.key]: row.example }).slice(2, -2)),
  ])
  return table(head, rows)
}

/** The generated part of docs/configuration.md. */
export function configurationReference(): string {
  const { shape } = configSchema
  const { name, address, interface: link, range, limit, removeAfter } = peerSchema.shape
  const { group, description } = peerSchema.shape
  const where = { name, address, interface: link, range, limit, removeAfter }
  const peerOnly = z.strictObject({ ...where, group, description })
  const sections: readonly (readonly [title: string, ...text: string[]])[] = [
    ['The document', keyTable(configSchema)],
    [
      'peers',
      'A list of maps. Beside these, each takes all the settings that follow.',
      keyTable(peerOnly),
    ],
    [
      'Settings of a peer, or of a group',
      'What a peer says itself goes before its group (`peerGroups`), and that before the default.',
      keyTable(groupSchema, SESSION_DEFAULTS),
      '`localAsn` is a number, or a map:',
      keyTable(groupSchema.shape.localAsn),
      '`role` is a word, or a map:',
      keyTable(groupSchema.shape.role),
    ],
    [
      'maxPrefixes and maxPrefixesOut',
      'A number, or a map. Of `maxPrefixes` the number is of each family, and of what the peer announces before `import` looks at it; with ADD-PATH (RFC 7911) every path counts. With `block`, changes and withdrawals of what was taken go on as ever, and when the number has fallen below the limit the peer is asked for its routes again (RFC 2918), so that nothing is missing for good.',
      'Of `maxPrefixesOut` it is of each family, and of what `export` lets out; what the peer announces itself and so never hears from us does not count. With `block`, what is beyond waits and is announced when others have been withdrawn; with `disconnect` and `restart` the session ends (Cease with a text, RFC 9003) before anything beyond is sent.',
      keyTable(shapeOf(groupSchema).maxPrefixes),
    ],
    [
      'bfd',
      '`true`, `false`, or a map; a map on the peer takes the place of that of its group. See [bfd.md](bfd.md).',
      keyTable(shapeOf(groupSchema).bfd),
      '`authentication`:',
      keyTable(bfdAuthentication),
    ],
    [
      'gracefulRestart',
      '`true`, `false`, or a map. While a peer restarts, what it has told stays in use here, as stale, if it offers graceful restart too; what we have told stays in use there while we restart. `bird` and `frr` keep our routes by default, and have theirs kept only where they are told to restart gracefully. See [restarts.md](restarts.md).',
      keyTable(shapeOf(groupSchema).gracefulRestart),
    ],
    [
      'tcpAo',
      'A map, or a list of maps while one key is replaced by another. The peer has the same keys, with the two ids the other way round. We ask it to sign with the first of the list, and sign with the one that it asks for. To replace a key while the session lives: add the new one, with ids of its own, below the old one on both sides; then put it first on both sides; then remove the old one.',
      keyTable(shapeOf(groupSchema).tcpAo),
    ],
    [
      'mesh',
      keyTable(shape.mesh),
      'A node is an address, or a map:',
      keyTable(elementOf(shape.mesh, 'nodes')),
    ],
    [
      'advertise',
      keyTable(shape.advertise),
      '`hostRoutes`, see [docker.md](docker.md#other-container-managers):',
      keyTable(shapeOf(shape.advertise).hostRoutes),
      '`cni`, likewise:',
      keyTable(shapeOf(shape.advertise).cni),
      '`docker` is `true`, `false`, or a map; see [docker.md](docker.md#discovery):',
      keyTable(shapeOf(shape.advertise).docker),
      '`tls`:',
      keyTable(engineTls),
      'A prefix is its text, or a map:',
      keyTable(elementOf(shape.advertise, 'prefixes')),
      'An aggregate is its text, or a map:',
      keyTable(elementOf(shape.advertise, 'aggregates')),
    ],
    [
      'policies',
      'A map of names, each with a list of rules. A rule is a map:',
      keyTable(ruleSchema),
      '`match`:',
      keyTable(matchSchema),
      '`set`, done in this order:',
      keyTable(actionsSchema),
      ...ACTIONS_WITH_FIELDS.flatMap((name) => [
        `\`${name}\` in \`set\`:`,
        keyTable(actionsSchema.shape[name] ?? z.never()),
      ]),
    ],
    ['sets', 'Maps of names, each with a list.', keyTable(shape.sets)],
    ['rpki', 'A list of maps.', keyTable(elementOf(configSchema, 'rpki'))],
    ['kernel', keyTable(shape.kernel)],
    [
      'overlay',
      'See [overlay.md](overlay.md).',
      keyTable(shape.overlay),
      '`vxlan`:',
      keyTable(overlaySchema.shape.vxlan),
      '`fan`:',
      keyTable(overlaySchema.shape.fan),
    ],
    ['nat', 'See [docker.md](docker.md#with-dockers-own-rules).', keyTable(shape.nat)],
    [
      'decision',
      `The paths of a prefix climb a ladder (RFC 4271 9.1.2.2), and the rung where one falls stands in \`show routes\`: ${RUNGS.join(', ')}. How long a path has been there is no rung: the same paths make the same choice, whichever came first.`,
      keyTable(shape.decision),
    ],
    ['confederation', keyTable(shape.confederation)],
    ['listen', 'A list of maps.', keyTable(elementOf(configSchema, 'listen'))],
    ['bmp', 'A list of maps, one a station (RFC 7854).', keyTable(elementOf(configSchema, 'bmp'))],
    ['mrt', 'Files for `bgpdump` and other readers of MRT (RFC 6396).', keyTable(shape.mrt)],
    ['api', keyTable(shape.api)],
    ['log', keyTable(shape.log)],
    ['What a reload does', ...effects()],
  ]
  return sections.map(([title, ...text]) => [`## ${title}`, ...text].join('\n\n')).join('\n\n')
}

const ACTIONS_WITH_FIELDS = ACTIONS.filter(({ fields }) => fields[''] === undefined).map(
  ({ name }) => name,
)

function effects(): string[] {
  const peer = Object.entries(EFFECTS.peer).filter(
    ([field]) => field !== 'name' && field !== 'type',
  )
  return [
    'Peers are told apart by their names. New ones are started, missing ones are stopped; a changed one is touched only as far as the change asks: `live` = the session stays, `nextSession` = it stays, and the new value counts from the next one on, `reset` = it ends and begins again.',
    table(
      ['setting of a peer', 'effect', 'because'],
      peer.map(([field, row]) => [code(yamlNameOf(field)), ...row]),
    ),
    'Beside the peers, what says `restart` is refused by a reload, which then changes nothing at all:',
    table(
      ['key', 'effect', 'because'],
      EFFECTS.global.map(([field, ...row]) => [code(field), ...row]),
    ),
  ]
}

/** `holdTimeSeconds` -> `holdTime`, `importPolicy` -> `import`: as it stands in the file. */
const yamlNameOf = (field: string): string => field.replace(/Seconds$|Policy$/, '')

/** config/schema.json: for editors, which check and complete by it. */
export function configurationJsonSchema(): unknown {
  const schema = z.toJSONSchema(configSchema, {
    io: 'input',
    target: 'draft-7',
    override: ({ zodSchema, jsonSchema }) => {
      const facts = zodSchema instanceof z.ZodType ? keyFacts.get(zodSchema) : undefined
      if (facts === undefined) return
      jsonSchema.description = facts.meaning
      jsonSchema.examples = [facts.example]
    },
  })
  return { title: 'The configuration of linnet', ...schema }
}

function shapeOf(schema: Schema): Readonly<Record<string, Schema>> {
  const bare = bareOf(schema)
  const map = mapOptionOf(bare) ?? bare
  return map instanceof z.core.$ZodObject ? map._zod.def.shape : {}
}

/** The schema of the items of the list at `key`. */
function elementOf(schema: Schema, key: string): Schema {
  const value = shapeOf(schema)[key]
  const bare = value === undefined ? undefined : bareOf(value)
  if (!(bare instanceof z.core.$ZodArray)) throw new Error(`${key} is no list`)
  return bare._zod.def.element
}

function defaultOf(schema: Schema): unknown {
  if (schema instanceof z.core.$ZodPrefault) return schema._zod.def.defaultValue
  const inner = innerOf(schema)
  return inner === undefined ? undefined : defaultOf(inner)
}

/** YAML on one line, as people write it: `[a, b]`, `{ a: 1 }`. */
const inline = (value: unknown): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0 })
    .trim()
    .replaceAll('[ ', '[')
    .replaceAll(' ]', ']')

const code = (text: string): string => (text === '' ? '' : '`' + text + '`')

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
