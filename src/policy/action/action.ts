/** A row of the table of actions: one thing that a rule may change about a route. */
import type { AttributeDraft } from '../attribute-draft.ts'
import type { ValueSpec } from '../definition.ts'
import type { Route } from '../policy.ts'

/** One of the values that an action takes. */
export interface FieldSpec {
  readonly meaning: string
  readonly example: unknown
  readonly value: ValueSpec
  /** How many: exactly one, or a list. */
  readonly many: boolean
  readonly optional: boolean
}

export interface ActionSpec {
  readonly name: string
  readonly meaning: string
  readonly example: unknown
  /** By name; a value that stands for itself has the name ''. */
  readonly fields: Readonly<Record<string, FieldSpec>>
  /** Texts by field, all of which are good. */
  compile(texts: Readonly<Record<string, readonly string[]>>): Change
}

export type Change = (draft: AttributeDraft, route: Route) => void

/** An action with one value. */
export const single = (value: ValueSpec, many = false): ActionSpec['fields'] => ({
  '': { meaning: '', example: '', value, many, optional: false },
})
