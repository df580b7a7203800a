/**
 * A host under test and the fabric it hangs on. The test's process lives in the fabric, where its own BGP
 * peers open their sockets; each host is a namespace of its own, with a link to the fabric for each ToR.
 */
import { ip, ipBatch } from './box.ts'
import { enterNetworkNamespace, type NetworkNamespace } from './network-namespace.ts'
import { until } from './until.ts'

export interface Host extends NetworkNamespace {
  /** Runs `ip COMMAND` there. */
  ip(command: string): string
  /** `ip -j COMMAND` there. */
  json(command: string): readonly HostRow[]
}

/** A row of `ip -j`, as far as these tests look. */
export interface HostRow {
  readonly dst?: string
  readonly type?: string
  readonly protocol?: string
  readonly metric?: number
  readonly nhid?: number
  readonly gateway?: string
  readonly dev?: string
  readonly id?: number
  readonly prefsrc?: string
  readonly group?: readonly GroupMember[]
  readonly nexthops?: readonly {
    readonly gateway?: string
    readonly dev: string
    readonly weight?: number
  }[]
}

interface GroupMember {
  readonly id: number
  readonly weight?: number
}

export interface Wire {
  /** Name of the host's end. */
  readonly link: string
  /** `10.0.1.1/24`: the host's addresses. */
  readonly host: readonly string[]
  /** The fabric's addresses: where peers speak from. */
  readonly fabric: readonly string[]
}

const asHost = (namespace: NetworkNamespace): Host => ({
  ...namespace,
  ip: (command) => namespace.within(() => ip(command)),
  json: (command) => {
    const output = namespace.within(() => ip(`-j -N ${command}`))
    return output.trim() === '' ? [] : (JSON.parse(output) as HostRow[])
  },
})

/** Makes hosts, and enters the fabric. Once per test file, in `beforeAll`. */
export function enterFabric(count = 1): readonly Host[] {
  const hosts = Array.from({ length: count }, () => asHost(enterNetworkNamespace()))
  enterNetworkNamespace()
  return hosts
}

let wires = 0

/** A link between a host and the fabric; resolves when it carries packets. */
export async function wire(host: Host, { link, host: near, fabric }: Wire): Promise<string> {
  const far = `tor${wires++}`
  ip(`link add ${far} type veth peer name ${link} netns ${host.path}`)
  const add = (device: string) => (it: string) =>
    `addr add ${it} dev ${device}${it.includes(':') ? ' nodad' : ''}`
  ipBatch([...fabric.map(add(far)), `link set ${far} up`])
  host.within(() => ipBatch([...near.map(add(link)), `link set ${link} up`]))
  const isUp = (): boolean => host.ip(`-br link show dev ${link}`).includes(' UP ')
  await until(`${link} is up`, isUp)
  return far
}

/** Our routes in the host's kernel by prefix, of both families. */
export function ourRoutes(host: Host): Map<string, HostRow> {
  const rows = host.json('route show table all proto 179')
  return new Map(rows.map((row) => [row.dst ?? '', row]))
}

/** The gateways that a packet to `prefix` can take, however the kernel keeps them, sorted. */
export function gatewaysOf(host: Host, prefix: string): string[] {
  const [route] = host.json(`route show ${prefix} proto 179`)
  if (route === undefined) return []
  if (route.nhid === undefined) {
    const hops = route.nexthops ?? [route]
    return hops.map((hop) => hop.gateway ?? hop.dev ?? '').toSorted()
  }
  return objectGateways(host, route.nhid).toSorted()
}

/** The same with the weight of each: `10.0.1.2*4`. */
export function weightsOf(host: Host, prefix: string): string[] {
  const [route] = host.json(`route show ${prefix} proto 179`)
  if (route === undefined) return []
  const object = route.nhid === undefined ? undefined : nextHopObject(host, route.nhid)
  const legs =
    route.nexthops ??
    object?.group?.map(({ id, weight }) => ({
      gateway: objectGateways(host, id).join(),
      weight,
    })) ??
    gatewaysOf(host, prefix).map((gateway) => ({ gateway, weight: undefined }))
  return legs.map(({ gateway, weight = 1 }) => `${gateway}*${weight}`).toSorted()
}

/** The members of a group that packets go by: not the standby of a resilient one, which has weight 1. */
function serving({ group = [], type }: HostRow): readonly GroupMember[] {
  const heavy = group.filter(({ weight = 1 }) => weight > 1)
  return type === 'resilient' && heavy.length > 0 ? heavy : group
}

function nextHopObject(host: Host, id: number): HostRow | undefined {
  try {
    return host.json(`nexthop show id ${id}`)[0]
  } catch {
    return undefined // it went after its route or group was read
  }
}

function objectGateways(host: Host, id: number): string[] {
  const object = nextHopObject(host, id)
  if (object === undefined) return []
  if (object.group !== undefined) {
    return serving(object).flatMap((it) => objectGateways(host, it.id))
  }
  return [object.gateway ?? object.dev ?? '']
}
