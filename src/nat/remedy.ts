/**
 * What would let a packet pass that a rule stops, or keep the source that a rule changes: an exact command or a line of
 * a configuration, together with the rules as they would be then. So whoever prints it has tried it on the model before.
 */
import type { Family } from '../net/family.ts'
import { covers, hostPrefix, type Prefix } from '../net/prefix.ts'
import { exemptionRules } from './exemption.ts'
import { parseIptablesRule } from './iptables-rules.ts'
import { parseNft } from './nft-rules.ts'
import type { Passage } from './passage.ts'
import type { Decider } from './packet-walk.ts'
import { withChain, withFirst, type Packet, type RuleSet } from './rule-set.ts'

export interface Remedy {
  /** For a shell; it lasts until the next boot. */
  readonly command?: string
  /** To be written somewhere, which lasts; beside a command without `instead` both are needed. */
  readonly setting?: string
  /** The setting alone would do as well. */
  readonly instead?: boolean
  readonly apply: (rules: RuleSet) => RuleSet
}

const DOCKER_USER = 'DOCKER-USER'
const DOCKER_TABLE = 'docker-bridges'
/** Marks what Docker's nftables shall let pass; any number that nobody else uses. */
const PASS_MARK = '0x4c4e'

/** The likeliest first; none when nothing of that kind could help. `link` is the one towards the other hosts. */
export function remediesFor(
  { answer, packet, by }: Passage,
  pools: readonly Prefix[],
  link: string,
): readonly Remedy[] {
  if (by === undefined || answer === 'yes') return []
  if (answer === 'hidden') return [keepSource(pools)]
  const flow = flowWords(packet, pools, link)
  if (by.table.program !== 'nft') return iptablesRemedies(by, flow)
  return by.table.name === DOCKER_TABLE ? dockerRemedies(by, flow) : [nftRemedy(by, flow)]
}

const keepSource = (pools: readonly Prefix[]): Remedy => ({
  setting: poolsSetting(pools),
  apply: (rules) => [
    ...rules.filter(({ program, name }) => program !== 'nft' || name !== 'linnet'),
    ...parseNft({ nftables: exemptionRules(pools) }),
  ],
})

/** What makes linnet keep sources. */
export const poolsSetting = (pools: readonly Prefix[]): string =>
  `nat: { pools: [${pools.map(({ text }) => yamlOf(text)).join(', ')}] } in the configuration of linnet`

/** A colon would make it something else in YAML's lists. */
const yamlOf = (text: string): string => (text.includes(':') ? `"${text}"` : text)

/** The packets of this kind, for a rule that lets them pass. */
interface FlowWords {
  readonly family: Family
  readonly way: 'i' | 'o'
  readonly link: string
  readonly source: string
  readonly destination: string
}

function flowWords(packet: Packet, pools: readonly Prefix[], link: string): FlowWords {
  const poolOf = (end: 'source' | 'destination'): string => {
    const host = hostPrefix(packet[end])
    return (pools.find((pool) => covers(pool, host)) ?? host).text
  }
  const { family } = packet
  const way = packet.input === link ? 'i' : 'o'
  return { family, way, link, source: poolOf('source'), destination: poolOf('destination') }
}

function iptablesRemedies({ table, base, rule }: Decider, flow: FlowWords): Remedy[] {
  const user = table.chains.find(({ name }) => name === DOCKER_USER)
  const chains = user === undefined || base !== 'FORWARD' ? [base] : [DOCKER_USER, base]
  return chains.map((chain) => {
    const { way, link, source, destination } = flow
    const words = `${chain} -${way} ${link} -s ${source} -d ${destination} -j ACCEPT`
    const where = table.name === 'filter' ? '' : ` -t ${table.name}`
    const isDirectAccess =
      table.name === 'raw' && rule !== undefined && / ! -i \S+ -j DROP$/.test(rule.text)
    return {
      command: `${table.program}${where} -I ${words}`,
      ...(isDirectAccess ? { setting: ALLOW_DIRECT_ROUTING, instead: true } : {}),
      apply: (rules) => withFirst(rules, table, chain, parseIptablesRule(`-A ${words}`)),
    }
  })
}

const ALLOW_DIRECT_ROUTING =
  '"allow-direct-routing": true in /etc/docker/daemon.json (Engine 28.2 or newer), and restart Docker'

const nftFamily = (family: Family): string => (family === 'ipv4' ? 'ip' : 'ip6')

function nftMatch({ family, way, link, source, destination }: FlowWords): string {
  const ip = nftFamily(family)
  return `${way}ifname "${link}" ${ip} saddr ${source} ${ip} daddr ${destination}`
}

/** The same match, for the model. */
function modelOf(flow: FlowWords, action: string): string {
  const { way, link, source, destination } = flow
  return `-A X -${way} ${link} -s ${source} -d ${destination} -j ${action}`
}

/** A rule in front of all others, in a table of somebody else's. */
function nftRemedy({ table, base }: Decider, flow: FlowWords): Remedy {
  const family = table.family === 'inet' ? 'inet' : nftFamily(table.family)
  return {
    command: `nft insert rule ${family} ${table.name} ${base} ${nftMatch(flow)} accept`,
    apply: (rules) => withFirst(rules, table, base, parseIptablesRule(modelOf(flow, 'ACCEPT'))),
  }
}

/** Docker's own nftables: no rule of another table can overrule its drops, only Docker's settings can. */
function dockerRemedies({ table, hook, chain, base }: Decider, flow: FlowWords): Remedy[] {
  if (hook === 'prerouting') {
    return [
      {
        setting: ALLOW_DIRECT_ROUTING,
        apply: (rules) => withChain(rules, table, chain, (it) => ({ ...it, rules: [] })),
      },
    ]
  }
  const marking = `table ${nftFamily(flow.family)} linnet-pass { chain prerouting { type filter hook prerouting priority mangle; ${nftMatch(flow)} meta mark set ${PASS_MARK}; }; }`
  return [
    {
      command: `nft '${marking}'`,
      setting: `"bridge-accept-fwmark": "${PASS_MARK}" in /etc/docker/daemon.json, and restart Docker`,
      // What both come to: whatever is marked passes Docker's chain.
      apply: (rules) => withFirst(rules, table, base, parseIptablesRule(modelOf(flow, 'ACCEPT'))),
    },
  ]
}
