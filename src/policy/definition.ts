/**
 * A policy as it is configured: plain data that can be compared, with named sets filled in. All values are
 * texts, each as `match/` and `action/` read them.
 */
import type { Malformed } from './malformed.ts'

export type RuleEnd = 'accept' | 'reject' | 'next'

/** By the name of a match: one of these must hold, and all of the map. */
export type MatchDefinition = Readonly<Record<string, readonly string[]>>

/** By the name of an action: its fields, where a value without a name is the field ''. */
export type ActionDefinition = Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>

export interface RuleDefinition {
  readonly match: MatchDefinition
  /** None of which may hold. */
  readonly not: MatchDefinition
  readonly set: ActionDefinition
  /** `then` in the configuration. */
  readonly end: RuleEnd
}

export interface PolicyDefinition {
  readonly name: string
  /** Empty for one of the standard policies. */
  readonly rules: readonly RuleDefinition[]
}

/** The named sets that values of policies can be replaced by. */
export const SET_KINDS = ['prefixes', 'communities', 'asns'] as const
export type SetKind = (typeof SET_KINDS)[number]

/** One value of a match or an action, in words and as it is read. */
export interface ValueSpec {
  /** Completes `x is not ...`. */
  readonly noun: string
  /** Completes `write ...`. */
  readonly write: string
  readonly good: (text: string) => boolean
  /** Better words for what is not good. */
  readonly explain?: (text: string) => Malformed | undefined
  /** A set of this kind may stand for several values. */
  readonly setKind?: SetKind
}
