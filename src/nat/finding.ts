/** One thing that the doctor has to say, and what it has to be told for that. */
import type { Prefix } from '../net/prefix.ts'
import type { Decider } from './packet-walk.ts'

/** What is to be known of the kernel beside its rules. */
export interface Kernel {
  /** The value of a kernel parameter; undefined when there is none, or nobody knows. */
  readonly sysctl: (name: string) => string | undefined
  /** Routes to other hosts, as they were learned. */
  readonly learned: readonly { readonly prefix: Prefix; readonly link: string }[]
  /** Networks that the host's own addresses are in. */
  readonly connected: readonly { readonly prefix: Prefix; readonly link: string }[]
}

export interface Finding {
  readonly severity: 'problem' | 'note'
  readonly networks: readonly string[]
  readonly text: string
  /** Who decides: rules, with their tables. */
  readonly rules: readonly string[]
  /** A command for a shell. */
  readonly command?: string
  /** A line for a configuration: needed as well, or `instead`. */
  readonly setting?: string
  readonly instead?: boolean
}

/** Where it stands, and what it says. */
export function ruleText({ table, chain, rule }: Decider): string {
  const where = `${table.program}, table ${table.name}`
  if (rule === undefined) return `${where}: policy of ${chain}`
  return rule.text.startsWith('-A ') ? `${where}: ${rule.text}` : `${where}: ${chain}: ${rule.text}`
}
