/**
 * All rules of this network namespace that packets meet, by the programs that print them: iptables-save of both
 * families, in its usual shape and in the legacy one, and nft. What a host has not got has no rules.
 */
import { readFileSync } from 'node:fs'
import {
  familyOfIptables,
  isIptables,
  isOverNftables,
  parseIptables,
  type Sets,
} from '../nat/iptables-rules.ts'
import { parseNft } from '../nat/nft-rules.ts'
import type { RuleSet, Table } from '../nat/rule-set.ts'
import { ProcessError, runProcess } from './process.ts'

/** The rules can't be read; the message says what helps. */
export class FirewallError extends Error {}

/** Of both families: the program, and where the kernel lists the tables of its legacy twin. */
const PROGRAMS = [
  { name: 'iptables', legacyTables: '/proc/self/net/ip_tables_names' },
  { name: 'ip6tables', legacyTables: '/proc/self/net/ip6_tables_names' },
] as const

export async function readFirewall(sets: Sets = new Map()): Promise<RuleSet> {
  const [listing, ...saved] = await Promise.all([
    output('nft', ['-j', 'list', 'ruleset']),
    ...PROGRAMS.map((it) => readIptables(it.name, hasTables(it.legacyTables), sets)),
  ])
  return joined(saved.flat(), listing === '' ? [] : parseNft(JSON.parse(listing)))
}

interface Saved {
  readonly tables: readonly Table[]
  readonly isOverNftables: boolean
}

async function readIptables(name: string, hasLegacy: boolean, sets: Sets): Promise<Saved[]> {
  const [usual, legacy] = await Promise.all([
    output(`${name}-save`),
    hasLegacy ? output(`${name}-legacy-save`) : '',
  ])
  // Whoever is not the usual one is called by its full name.
  if (usual === '' || isOverNftables(usual)) {
    return [saved(usual, name, sets), saved(legacy, `${name}-legacy`, sets)]
  }
  return [saved(usual, name, sets), saved(await output(`${name}-nft-save`), `${name}-nft`, sets)]
}

const saved = (text: string, program: string, sets: Sets): Saved => ({
  tables: parseIptables(text, { program, sets }),
  isOverNftables: isOverNftables(text),
})

/** What iptables keeps in nftables is listed by both, and iptables knows its own words better. */
export function joined(saved: readonly Saved[], listed: readonly Table[]): RuleSet {
  const known = saved.flatMap((it) => (it.isOverNftables ? it.tables : []))
  const isKnown = ({ family, name }: Table): boolean =>
    known.some((it) => it.family === family && it.name === name)
  return [...saved.flatMap(({ tables }) => tables), ...listed.filter((it) => !isKnown(it))]
}

/** Rules from files: what any of the programs has printed. Throws a SyntaxError. */
export function parseFirewall(texts: readonly string[], sets: Sets = new Map()): RuleSet {
  const isListing = (text: string): boolean => text.trimStart().startsWith('{')
  const saves = texts.filter((text) => !isListing(text) && text.trim() !== '')
  if (!saves.every(isIptables)) {
    throw new SyntaxError('not all of this is printed by iptables-save or `nft -j list ruleset`')
  }
  const listed = texts.filter(isListing).flatMap((text) => parseNft(JSON.parse(text)))
  return joined(
    saves.map((text) =>
      saved(text, familyOfIptables(text) === 'ipv4' ? 'iptables' : 'ip6tables', sets),
    ),
    listed,
  )
}

/** What the kernel has of the legacy kind; asking the program would do, but it costs a process. */
function hasTables(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').trim() !== ''
  } catch {
    return false // this kernel has none of that kind
  }
}

/** What a program prints; nothing where there is no such program. */
async function output(program: string, args: readonly string[] = []): Promise<string> {
  try {
    const { code, stdout, stderr, timedOut } = await runProcess(program, args)
    if (code === 0) return stdout
    const why = timedOut ? 'it does not answer' : (stderr.trim().split('\n').at(-1) ?? '')
    const remedy = /permitted|permission|root/i.test(stderr) ? '; run this as root' : ''
    throw new FirewallError(`can't read the rules of this host by ${program}: ${why}${remedy}`)
  } catch (error) {
    if (error instanceof ProcessError && error.missing) return ''
    throw error
  }
}
