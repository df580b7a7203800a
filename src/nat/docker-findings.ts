/**
 * What `linnet doctor docker` has to say: problems with their remedy, and notes. The same thing in the way of several
 * networks is said once.
 */
import { FAMILIES, type Family } from '../net/family.ts'
import { addressFindings, linkFindings } from './address-findings.ts'
import { all } from './condition.ts'
import { reachOf, type Host, type Keeper, type Obstacle, type Reach } from './docker-reach.ts'
import { ruleText, type Finding, type Kernel } from './finding.ts'
import { localFindings } from './local-findings.ts'
import type { Decider } from './packet-walk.ts'
import { poolsSetting } from './remedy.ts'

export interface Diagnosis {
  readonly rows: readonly Reach[]
  readonly findings: readonly Finding[]
  /** Containers of all hosts reach each other by their own addresses, as far as this host is concerned. */
  readonly healthy: boolean
}

export function diagnose(host: Host, kernel: Kernel): Diagnosis {
  const { rows, obstacles, keepers, locals } = reachOf(host)
  const findings = joined([
    ...forwardingOff(rows, kernel),
    ...nowhere(rows),
    ...obstacles.map(findingOf),
    ...addressFindings(host, kernel),
    ...linkFindings(host, kernel),
    ...keepers.flatMap((it) => passingNote(host, it)),
    ...localFindings(host, locals, kernel),
    ...notesOf(rows),
  ])
  return { rows, findings, healthy: !findings.some(({ severity }) => severity === 'problem') }
}

const PARAMETERS: Readonly<Record<Family, string>> = {
  ipv4: 'net.ipv4.ip_forward',
  ipv6: 'net.ipv6.conf.all.forwarding',
}

function forwardingOff(rows: readonly Reach[], { sysctl }: Kernel): Finding[] {
  return FAMILIES.flatMap(({ name }) => {
    const concerned = rows.filter(({ family, pooled }) => pooled && family === name)
    if (concerned.length === 0 || sysctl(PARAMETERS[name]) !== '0') return []
    return [
      {
        severity: 'problem' as const,
        networks: distinct(concerned.map(({ network }) => network)),
        rules: [],
        text: `the kernel forwards no ${name === 'ipv4' ? 'IPv4' : 'IPv6'} packets`,
        command: `sysctl -w ${PARAMETERS[name]}=1`,
      },
    ]
  })
}

/** The doctor has nobody to ask about. */
function nowhere(rows: readonly Reach[]): Finding[] {
  const lonely = rows.filter(
    ({ pooled, internal, bridge, fromOtherHosts }) =>
      pooled && !internal && bridge !== undefined && fromOtherHosts === 'none',
  )
  return lonely.map(({ network, family }) => ({
    severity: 'problem' as const,
    networks: [network],
    rules: [],
    text: `no ${family === 'ipv4' ? 'IPv4' : 'IPv6'} route of this host leads to containers of others`,
    setting: 'linnet, or a default route',
  }))
}

function findingOf({ network, direction, passage, remedy }: Obstacle): Finding {
  const { answer, leg, by } = passage
  const text = {
    no: `${WHO[direction]}: ${leg === 'question' ? 'packets' : 'the answers'} are dropped`,
    hidden: 'containers of other hosts see the address of this host instead of theirs',
    unclear: `${WHO[direction]}, perhaps: that depends on a rule which linnet does not understand`,
    yes: '',
  }[answer]
  const behind = answer === 'hidden' && by !== undefined ? acceptBehind(by, passage.packet) : ''
  const helpless = remedy === undefined && answer === 'no' ? '; change or delete the rule' : ''
  return {
    severity: answer === 'unclear' ? 'note' : 'problem',
    networks: [network],
    text: `${text}${behind}${helpless}`,
    rules: by === undefined ? [] : [ruleText(by)],
    ...(remedy?.command === undefined ? {} : { command: remedy.command }),
    ...(remedy?.setting === undefined ? {} : { setting: remedy.setting }),
    ...(remedy?.instead === undefined ? {} : { instead: remedy.instead }),
  }
}

const WHO: Readonly<Record<Obstacle['direction'], string>> = {
  fromOtherHosts: "containers of other hosts don't get in",
  toOtherHosts: "containers don't reach those of other hosts",
}

/** With each new network, Docker puts a rule in front of those that somebody wrote to keep sources. */
function acceptBehind(
  { table, chain, rule }: Decider,
  packet: Obstacle['passage']['packet'],
): string {
  const rules = table.chains.find(({ name }) => name === chain)?.rules ?? []
  const late = rules
    .slice(rules.findIndex((it) => it === rule) + 1)
    .find(
      ({ actions, conditions }) => actions[0]?.do === 'accept' && all(conditions, packet) === true,
    )
  return late === undefined
    ? ''
    : `; \`${late.text}\` stands behind the rule that does it, too late`
}

/** Findings that say the same about several networks, once. */
function joined(findings: readonly Finding[]): Finding[] {
  const byWords = new Map<string, Finding>()
  for (const it of findings) {
    const remedy = it.command ?? it.setting ?? it.rules.join()
    const words = JSON.stringify([it.severity, it.text, remedy])
    const known = byWords.get(words)
    const networks = distinct([...(known?.networks ?? []), ...it.networks])
    const rules = distinct([...(known?.rules ?? []), ...it.rules])
    byWords.set(words, { ...(known ?? it), networks, rules })
  }
  return [...byWords.values()]
}

/** A rule that somebody wrote keeps sources, until Docker puts one in front of it. */
function passingNote({ pools }: Host, { network, passage: { by, packet } }: Keeper): Finding[] {
  if (by?.rule === undefined || by.table.program === 'nft') return []
  const rules = by.table.chains.find(({ name }) => name === by.chain)?.rules ?? []
  const hides = rules.some(
    ({ actions: [action], conditions }) =>
      action?.do === 'snat' && !action.keeps && all(conditions, packet) === true,
  )
  if (!hides) return []
  return [
    {
      severity: 'note',
      networks: [network],
      text: 'a rule keeps its sources, until `docker network create` puts one that hides them in front of it; linnet has a table for that',
      rules: [ruleText(by)],
      setting: poolsSetting(pools),
    },
  ]
}

function notesOf(rows: readonly Reach[]): Finding[] {
  const pooled = rows.filter((it) => it.pooled)
  if (pooled.length === 0) {
    const text = 'no network of this host lies in the pools: nobody was asked about'
    return [{ severity: 'note', networks: [], rules: [], text }]
  }
  return pooled.flatMap(({ network, internal, bridge, driver }): Finding[] => {
    const text = internal
      ? 'internal: nobody but its own containers, as it was made to be'
      : bridge === undefined
        ? (DRIVERS[driver] ?? `linnet does not know the ways of the driver ${driver}`)
        : undefined
    return text === undefined ? [] : [{ severity: 'note', networks: [network], rules: [], text }]
  })
}

const DRIVERS: Readonly<Record<string, string>> = {
  macvlan:
    'macvlan: its containers are on the link itself, and no rule of this host is asked about them',
  ipvlan:
    'ipvlan: its containers are on the link itself, and no rule of this host but those of l3s is asked about them',
  overlay: "overlay: Docker's own tunnels, which nobody routes to",
}

const distinct = (names: readonly string[]): string[] => [...new Set(names)]
