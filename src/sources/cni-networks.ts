/**
 * The networks in a file of CNI configuration (the container network interface's specification, section 1), as
 * far as they are ours to announce.
 *
 * A `.conflist` is a chain of plugins, a `.conf` or `.json` one plugin. Ranges count where `host-local` gives out the
 * addresses: they are then this host's alone. And only where this host routes to them: by a bridge that is
 * the containers' gateway, by `ptp` (a route to each container), by `ipvlan` in its modes l3 and l3s.
 */
import { parseAddressAndLength, prefixOf, type Prefix } from '../net/prefix.ts'

export interface CniNetwork {
  readonly name: string
  /** Must be there and up; undefined where no link stands for all containers. */
  readonly link: string | undefined
  readonly prefixes: readonly Prefix[]
}

/** What is wrong with the text, for people. */
export class NotCni extends Error {}

/** The bridge plugin's default. */
const DEFAULT_BRIDGE = 'cni0'

type Facts = Readonly<Record<string, unknown>>

/** Throws NotCni. */
export function readCniNetworks(text: string): readonly CniNetwork[] {
  const file = parse(text)
  const { name, plugins } = file
  if (typeof name !== 'string' || name === '') throw new NotCni('it has no "name"')
  if (plugins !== undefined && !Array.isArray(plugins)) throw new NotCni('"plugins" is no list')
  const chain: readonly unknown[] = Array.isArray(plugins) ? plugins : [file]
  return chain.flatMap((plugin) => {
    if (!isFacts(plugin)) throw new NotCni('a plugin is no object')
    const prefixes = prefixesOf(plugin['ipam'])
    const where = prefixes.length === 0 ? undefined : whereOf(plugin)
    return where === undefined ? [] : [{ name, link: where.link, prefixes }]
  })
}

function parse(text: string): Facts {
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch {
    throw new NotCni('it is no JSON')
  }
  if (!isFacts(parsed)) throw new NotCni('it is no JSON object')
  return parsed
}

const isFacts = (it: unknown): it is Facts =>
  typeof it === 'object' && it !== null && !Array.isArray(it)

/** Undefined where this host has no way to the containers, or shares their network with others. */
function whereOf(plugin: Facts): { link: string | undefined } | undefined {
  switch (plugin['type']) {
    case 'bridge': {
      const isGateway = plugin['isGateway'] === true || plugin['isDefaultGateway'] === true
      return isGateway ? { link: textOf(plugin['bridge']) ?? DEFAULT_BRIDGE } : undefined
    }
    case 'ptp':
      return { link: undefined }
    case 'ipvlan': {
      const { mode, master } = plugin
      return mode === 'l3' || mode === 'l3s' ? { link: textOf(master) } : undefined
    }
    default:
      return undefined
  }
}

const textOf = (it: unknown): string | undefined =>
  typeof it === 'string' && it !== '' ? it : undefined

/** `ranges` is a list of sets; before them there was one `subnet`, which still counts. */
function prefixesOf(ipam: unknown): readonly Prefix[] {
  if (!isFacts(ipam) || ipam['type'] !== 'host-local') return []
  const { ranges = [], subnet } = ipam
  if (!Array.isArray(ranges)) throw new NotCni('"ranges" is no list')
  const subnets = ranges.flat().map((range: unknown) => (isFacts(range) ? range['subnet'] : range))
  return [...(subnet === undefined ? [] : [subnet]), ...subnets].map(prefixFrom)
}

function prefixFrom(subnet: unknown): Prefix {
  const parsed = typeof subnet === 'string' ? parseAddressAndLength(subnet) : undefined
  if (parsed === undefined) throw new NotCni(`${JSON.stringify(subnet)} is no subnet`)
  return prefixOf(parsed.address, parsed.length)
}
