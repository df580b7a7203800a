/**
 * `policies:` and `sets:`: a part of schema.ts, made from the tables of matches and actions.
 *
 * Here only the shape is checked; the values are read in policies.ts, by the rows of the tables, so that each
 * complaint points to the very value.
 */
import { z } from 'zod'
import { ACTIONS } from '../policy/action/index.ts'
import type { ActionSpec } from '../policy/action/action.ts'
import type { ValueSpec } from '../policy/definition.ts'
import { MATCHES } from '../policy/match/index.ts'
import { key, list } from './key.ts'
import { choice, valueFacts, word } from './values.ts'

const scalar = z.union([z.string(), z.number()])

const oneValue = (spec: ValueSpec) =>
  z.union([z.string(), z.number()]).register(valueFacts, { noun: spec.noun, write: spec.write })

/** One value, or a list of them. */
const values = (spec: ValueSpec) =>
  z
    .union([z.string(), z.number(), z.array(scalar)])
    .register(valueFacts, { noun: spec.noun, write: `${spec.write}; or a list` })

const tests = Object.fromEntries(
  MATCHES.map(({ name, meaning, example, value }) => [
    name,
    key(values(value).optional(), meaning, example, 'any'),
  ]),
)

export const matchSchema = z.strictObject({
  ...tests,
  not: key(
    z.strictObject(tests).optional(),
    'The same again: what must not hold. None of them may.',
    { community: ['no-export'] },
    'none',
  ),
})

function actionValue({ fields }: ActionSpec) {
  const bare = fields['']
  if (bare !== undefined) return bare.many ? values(bare.value) : oneValue(bare.value)
  return z.strictObject(
    Object.fromEntries(
      Object.entries(fields).map(([name, { meaning, example, value, many, optional }]) => {
        const schema = many ? values(value) : oneValue(value)
        return [
          name,
          key(
            optional ? schema.optional() : schema,
            meaning,
            example,
            optional ? 'none' : undefined,
          ),
        ]
      }),
    ),
  )
}

export const actionsSchema = z.strictObject(
  Object.fromEntries(
    ACTIONS.map((spec) => [
      spec.name,
      key(actionValue(spec).optional(), spec.meaning, spec.example, 'unchanged'),
    ]),
  ),
)

export const ruleSchema = z.strictObject({
  match: key(
    matchSchema.optional(),
    'What must hold: all of it; of the values in a list, one.',
    { community: ['65001:100'] },
    'every route',
  ),
  set: key(actionsSchema.optional(), 'What to change.', { localPref: 200 }, 'nothing'),
  // oxlint-disable-next-line unicorn/no-thenable -- the word of the configuration
  then: key(
    choice('accept', 'reject', 'next').prefault('next'),
    '`accept` and `reject` end the matter, `next` goes on with the next rule, which sees what was changed.',
    'accept',
  ),
})

export const policyName = word('the name of a policy', 63, 'from-tor')

export const policySchema = list(ruleSchema, 'a list of rules', '- { then: accept }').min(1)

const named = (noun: string, write: string) =>
  z
    .record(z.string(), z.array(scalar))
    .register(valueFacts, { noun: `a map of lists of ${noun}`, write })

export const setsSchema = z.strictObject({
  prefixes: key(
    named('prefixes', 'pool: ["10.244.0.0/16 le 32"]').prefault({}),
    'Prefix patterns, for `prefix`.',
    { pool: ['10.244.0.0/16 le 32'] },
  ),
  communities: key(
    named('communities', 'customers: ["65001:100"]').prefault({}),
    'Communities of any kind, for `community`, `largeCommunity` and `extendedCommunity`.',
    { customers: ['65001:100', '65001:200..299'] },
  ),
  asns: key(
    named('AS numbers', 'customers: [65010, 65020..65029]').prefault({}),
    'AS numbers and spans of them, for `asPathFirst`, `asPathLast` and `asPathContains`.',
    { customers: [65010, '65020..65029'] },
  ),
})

export type RuleEntry = z.output<typeof ruleSchema>
export type SetsEntry = z.output<typeof setsSchema>
