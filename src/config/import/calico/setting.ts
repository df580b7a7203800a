/** A row of settings.ts. */
export interface Setting {
  /** Below `spec`; the fields of a BGPFilter's rules begin with `rule.`. */
  readonly field: string
  /** As somebody would write it. */
  readonly example: unknown
  /** What says the same, in Markdown. */
  readonly becomes?: string
  /** Why it has no effect on routes, so that nothing is lost without it. */
  readonly nothing?: string
  /** Why nothing says the same. */
  readonly told?: ToldRow
}

export interface ToldRow {
  readonly why: string
  readonly instead: string
  /** Values that ask for what linnet does in any case. */
  readonly except?: readonly unknown[]
}
