/**
 * What a node announces to every peer when no filter has decided: the policy `calico-export`, in the order of
 * Calico's own function calico_export_to_bgp_peers. Pools that are not exported are rejected; communities are
 * added; of the node's own blocks the block goes out and nothing inside it; a route reflector passes on the ranges
 * of services; whatever lies in a pool goes out, and nothing else.
 */
import { factsOf } from '../../../net/family.ts'
import type { Prefix } from '../../../net/prefix.ts'
import { noted, type Written } from '../noted.ts'
import { additions, type WrittenRule } from './filters.ts'
import { isCommunity } from './kinds.ts'
import { configurationOf, type CalicoNode } from './nodes.ts'
import type { Report } from './report.ts'
import type { Resource, Resources } from './resources.ts'
import { tellOfSettings } from './settings.ts'

/** A block of addresses that is a node's own. */
export interface Block {
  readonly prefix: Prefix
  readonly title: string
}

/** The blocks of a node that Calico has confirmed. */
export function blocksOf(resources: Resources, node: CalicoNode, report: Report): Block[] {
  const seen = new Set<string>()
  return resources.BlockAffinity.flatMap((it) => {
    const { cidr, node: owner, state, deleted } = it.spec
    if (owner !== node.name) return []
    tellOfSettings(it, report)
    if (deleted === true || deleted === 'true') {
      report.tell(it, ['deleted'], 'the block is being given up', 'nothing is to be done')
      return []
    }
    if (state !== undefined && state !== '' && state !== 'confirmed') {
      const why = `the block is ${state}, not confirmed, and is left out`
      report.tell(it, ['state'], why, 'import anew once it is confirmed')
      return []
    }
    if (seen.has(cidr.text)) return []
    seen.add(cidr.text)
    return [{ prefix: cidr, title: `BlockAffinity ${it.name}` }]
  })
}

const isSingle = ({ family, length }: Prefix): boolean => length === factsOf(family).bits

/** The blocks, to be announced; what no container takes is dropped here. */
export const advertised = (blocks: readonly Block[]): Written[] =>
  blocks.map(({ prefix, title }) =>
    noted(title, {
      prefix: prefix.text,
      ...(isSingle(prefix) ? {} : { blackhole: true }),
    }),
  )

const orLonger = ({ text }: Prefix): string => `${text} orlonger`

/** The rules, none of which Calico leaves out; an empty list rejects all. */
export function exportRules(
  resources: Resources,
  node: CalicoNode,
  blocks: readonly Block[],
): Written[] {
  const pools = resources.IPPool
  const titles = (list: readonly Resource<'IPPool'>[]): string =>
    list.map(({ name }) => `IPPool ${name}`).join(', ')
  const kept = pools.filter(({ spec }) => spec.disableBGPExport === true)
  const open = pools.filter(({ spec }) => spec.disableBGPExport !== true)
  const prefixes = (list: readonly Resource<'IPPool'>[]) => list.map(({ spec }) => spec.cidr)
  const larger = blocks.filter(({ prefix }) => !isSingle(prefix))
  const services = servicesOf(resources, node)
  return [
    ...ruleFor(`${titles(kept)}: disableBGPExport`, prefixes(kept), orLonger, 'reject'),
    ...communityRules(resources, node),
    ...ruleFor(
      'our own blocks',
      blocks.map(({ prefix }) => prefix),
      ({ text }) => text,
      'accept',
    ),
    ...ruleFor(
      'what is inside them stays here',
      larger.map(({ prefix }) => prefix),
      ({ text }) => `${text} longer`,
      'reject',
    ),
    ...ruleFor('BGPConfiguration default: services', services, orLonger, 'accept'),
    ...ruleFor(titles(open), prefixes(open), orLonger, 'accept'),
  ]
}

function ruleFor(
  comment: string,
  prefixes: readonly Prefix[],
  pattern: (prefix: Prefix) => string,
  then: 'accept' | 'reject',
): Written[] {
  if (prefixes.length === 0) return []
  const patterns = [...new Set(prefixes.map(pattern))]
  const rule: WrittenRule = {
    match: { prefix: patterns },
    // oxlint-disable-next-line unicorn/no-thenable -- the word of the configuration
    then,
  }
  return [noted(comment, { ...rule })]
}

/** `prefixAdvertisements` of the node, or else of all nodes. */
function communityRules(resources: Resources, node: CalicoNode): Written[] {
  const own = configurationOf(resources, `node.${node.name}`)
  const common = configurationOf(resources, 'default')
  const configuration = own?.spec.prefixAdvertisements === undefined ? common : own
  if (configuration === undefined) return []
  const { name, path, complaints, spec } = configuration
  const named = new Map((spec.communities ?? []).map((it) => [it.name, it.value]))
  return (spec.prefixAdvertisements ?? []).flatMap(({ cidr, communities = [] }, i) => {
    const values = communities.flatMap((text, k) => {
      const value = isCommunity(text) ? text : named.get(text)
      if (value !== undefined) return [value]
      const at = [...path, 'spec', 'prefixAdvertisements', i, 'communities', k]
      complaints.error(at, `there is no community ${text}`, `add ${text} to communities`)
      return []
    })
    if (values.length === 0) return []
    const rule = { match: { prefix: orLonger(cidr) }, set: additions([...new Set(values)]) }
    return [noted(`BGPConfiguration ${name}: prefixAdvertisements`, rule)]
  })
}

/** What a route reflector passes on beside pools. */
function servicesOf(resources: Resources, { clusterId }: CalicoNode): Prefix[] {
  const spec = configurationOf(resources, 'default')?.spec
  if (clusterId === undefined || spec === undefined) return []
  const blocks = [...(spec.serviceLoadBalancerIPs ?? []), ...(spec.serviceExternalIPs ?? [])]
  return blocks.flatMap(({ cidr }) => cidr ?? [])
}
