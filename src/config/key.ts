/**
 * What a key of the configuration is beside its value's type: the words that the reference prints.
 */
import { z } from 'zod'
import { valueFacts } from './values.ts'

export interface KeyFacts {
  readonly meaning: string
  /** As it would be written in YAML. */
  readonly example: unknown
  /** In words, where the default is no fixed value. */
  readonly otherwise?: string
}

export const keyFacts = z.registry<KeyFacts>()

/** `schema` as the value of a key. */
export function key<S extends z.ZodType>(
  schema: S,
  meaning: string,
  example: unknown,
  otherwise?: string,
) {
  const described = schema.describe(meaning)
  keyFacts.add(described, { meaning, example, ...(otherwise === undefined ? {} : { otherwise }) })
  return described
}

export function list<S extends z.ZodType>(item: S, noun: string, write: string) {
  return z.array(item).register(valueFacts, { noun, write })
}
