/**
 * What one key of a lab file can't see: links to nodes that aren't there, addresses that are used
 * twice, containers off their bridge's network. A document without such faults becomes a Lab.
 */
import type { Complaints } from '../config/advice.ts'
import { isError } from '../config/complaint.ts'
import { nearest } from '../config/spelling.ts'
import type { Path } from '../config/tree.ts'
import { parseAddress } from '../net/address.ts'
import { contains, parseAddressAndLength, parsePrefix, prefixOf } from '../net/prefix.ts'
import { isDockerHost } from './docker.ts'
import {
  EXPECTED_TABLES,
  type Expectation,
  type LabDocument,
  type NodeEntry,
  type TorKind,
} from './schema.ts'
import type {
  Lab,
  LabBridge,
  LabContainer,
  LabInterface,
  LabNode,
  ProofOrder,
  SpreadOrder,
} from './topology.ts'

/** Reads the file that a node's `config` names: linnet's keys or another daemon's text. */
export type ReadConfig = (
  node: string,
  entry: NodeEntry,
) => Readonly<Record<string, unknown>> | string | undefined

/** The lab that `document` means; undefined when there was something to complain about. */
export function checkLab(
  document: LabDocument,
  file: string,
  tor: TorKind,
  readConfig: ReadConfig,
  complaints: Complaints,
): Lab | undefined {
  const names = Object.keys(document.nodes)
  const interfaces = checkLinks(document, complaints)
  const nodes = Object.entries(document.nodes).map(([name, entry]): LabNode => {
    const config = readConfig(name, entry)
    const isTor = entry.kind === 'tor'
    const kind = entry.kind === 'tor' ? tor : entry.kind
    checkDaemon(name, entry, config, complaints)
    checkRuntime(name, entry, complaints)
    const given = typeof config === 'object' ? config['asn'] : undefined
    return {
      name,
      kind,
      isTor,
      runtime: entry.runtime,
      asn: entry.asn ?? (typeof given === 'number' ? given : undefined),
      routerId: entry.routerId?.text,
      config,
      interfaces: interfaces.filter((it) => it.node === name),
      bridges: bridgesOf(entry),
      containers: containersOf(name, entry, complaints),
      routes: routesOf(name, entry, complaints),
      sysctls: entry.sysctls,
    }
  })
  checkAddresses(document, complaints)
  const expect = checkExpectations(document, nodes, complaints)
  const proof = checkProof(document, nodes, complaints)
  if (names.length === 0) complaints.error(['nodes'], 'there are no nodes', 'add one')
  if (complaints.all.some(isError)) return undefined
  const links = document.links.map((link) => ({ ends: link.endpoints.map(endOf) }))
  return {
    name: document.name,
    file,
    within: document.defaults.within,
    nodes,
    links,
    expect,
    proof,
  }
}

function endOf(endpoint: string): { node: string; interface: string } {
  const colon = endpoint.indexOf(':')
  return { node: endpoint.slice(0, colon), interface: endpoint.slice(colon + 1) }
}

function splitAddress(text: string): { address: string; length: number; prefix: string } {
  const parsed = parseAddressAndLength(text)
  if (parsed === undefined) throw new RangeError(`the schema let ${text} pass`)
  const { address, length } = parsed
  return { address: address.text, length, prefix: prefixOf(address, length).text }
}

type PlacedInterface = LabInterface & { readonly node: string }

function checkLinks(document: LabDocument, complaints: Complaints): PlacedInterface[] {
  const names = Object.keys(document.nodes)
  const taken = new Set<string>()
  const placed: PlacedInterface[] = []
  for (const [i, link] of document.links.entries()) {
    const path = ['links', i]
    if (link.addresses.length !== link.endpoints.length) {
      const counts = `${link.endpoints.length} ends, ${link.addresses.length} addresses`
      complaints.error([...path, 'addresses'], counts, 'write an address for each end')
      continue
    }
    const networks = link.addresses.map((it) => splitAddress(it).prefix)
    for (const [j, endpoint] of link.endpoints.entries()) {
      const end = endOf(endpoint)
      const at = [...path, 'endpoints', j]
      if (!names.includes(end.node)) complainOfName(complaints, at, 'node', end.node, names)
      if (taken.has(endpoint)) {
        complaints.error(at, `${endpoint} is on a link already`, 'use another interface')
      }
      if (
        document.nodes[end.node]?.bridges[end.interface] !== undefined ||
        end.interface === 'lo'
      ) {
        complaints.error(at, `${endpoint} is no name for a cable`, 'use another interface')
      }
      if (networks[j] !== networks[0]) {
        const text = `${link.addresses[j]} is not on ${networks[0]}`
        complaints.error([...path, 'addresses', j], text, 'write an address on the same network')
      }
      taken.add(endpoint)
      const { address, length } = splitAddress(link.addresses[j] ?? '')
      placed.push({ node: end.node, name: end.interface, address, length, link: i })
    }
  }
  return placed
}

function checkDaemon(
  name: string,
  entry: NodeEntry,
  config: unknown,
  complaints: Complaints,
): void {
  const path = ['nodes', name]
  if (entry.kind === 'host') {
    for (const key of ['config', 'asn', 'routerId', 'set'] as const) {
      if (entry[key] === undefined) continue
      complaints.errorAtKey([...path, key], 'no daemon runs on a host', 'remove it')
    }
    return
  }
  if (entry.kind === 'tor' && entry.config !== undefined) {
    const remedy = 'remove it, or write kind: linnet, frr or bird'
    complaints.errorAtKey([...path, 'config'], "a tor's configuration is made", remedy)
  }
  if (entry.set !== undefined && (entry.kind !== 'linnet' || typeof config !== 'object')) {
    const remedy = 'remove it, or add config'
    complaints.errorAtKey([...path, 'set'], 'there is no configuration of linnet here', remedy)
  }
  if (config === undefined && entry.config === undefined && entry.asn === undefined) {
    complaints.error([...path, 'asn'], 'is missing', 'add asn: 65001')
  }
}

function checkRuntime(name: string, entry: NodeEntry, complaints: Complaints): void {
  if (entry.runtime !== 'docker') return
  const path = ['nodes', name]
  if (entry.kind === 'tor') {
    const remedy = 'remove it, or write kind: linnet'
    complaints.errorAtKey([...path, 'runtime'], 'no containers run on a router', remedy)
  }
  for (const [bridge, written] of Object.entries(entry.bridges)) {
    if (parseAddressAndLength(written)?.address.family !== 'ipv6') continue
    const text = `${written}: networks of Docker are IPv4 here`
    complaints.error([...path, 'bridges', bridge], text, 'write an IPv4 address')
  }
}

const bridgesOf = (entry: NodeEntry): LabBridge[] =>
  Object.entries(entry.bridges).map(([name, address]) => ({ name, ...splitAddress(address) }))

function routesOf(
  node: string,
  { routes }: NodeEntry,
  complaints: Complaints,
): Readonly<Record<string, string>> {
  for (const prefix of Object.keys(routes)) {
    if (parsePrefix(prefix) !== undefined) continue
    const path = ['nodes', node, 'routes', prefix]
    complaints.errorAtKey(path, `${prefix} is not a prefix`, 'write one such as 10.2.0.0/24')
  }
  return routes
}

function containersOf(node: string, entry: NodeEntry, complaints: Complaints): LabContainer[] {
  const containers: LabContainer[] = []
  for (const [short, { bridge, address, anycast }] of Object.entries(entry.containers)) {
    const path = ['nodes', node, 'containers', short]
    const written = entry.bridges[bridge]
    if (written === undefined) {
      complainOfName(complaints, [...path, 'bridge'], 'bridge', bridge, Object.keys(entry.bridges))
      continue
    }
    const { address: gateway, length, prefix } = splitAddress(written)
    const parsed = parseAddress(address)
    const network = parsePrefix(prefix)
    if (parsed === undefined || network === undefined || !contains(network, parsed)) {
      const text = `${address} is not on ${bridge} (${prefix})`
      complaints.error([...path, 'address'], text, 'write an address on the network of its bridge')
      continue
    }
    const name = `${node}.${short}`
    containers.push({ name, node, bridge, address: parsed.text, length, gateway, anycast })
  }
  return containers
}

/** An address belongs to one place only. */
function checkAddresses(document: LabDocument, complaints: Complaints): void {
  const seen = new Map<string, string>()
  const see = (text: string, path: Path, owner: string): void => {
    const address = (parseAddressAndLength(text)?.address ?? parseAddress(text))?.text ?? text
    const before = seen.get(address)
    seen.set(address, before ?? owner)
    if (before === undefined) return
    complaints.error(path, `${address} is ${before}'s already`, 'write another address')
  }
  for (const [i, link] of document.links.entries()) {
    for (const [j, address] of link.addresses.entries()) {
      see(address, ['links', i, 'addresses', j], link.endpoints[j] ?? `links[${i}]`)
    }
  }
  for (const [name, node] of Object.entries(document.nodes)) {
    for (const [bridge, address] of Object.entries(node.bridges)) {
      see(address, ['nodes', name, 'bridges', bridge], `${name}:${bridge}`)
    }
    for (const [short, { address }] of Object.entries(node.containers)) {
      see(address, ['nodes', name, 'containers', short, 'address'], `${name}.${short}`)
    }
  }
  // Several containers may share one; then it is nobody's own.
  for (const [name, { containers }] of Object.entries(document.nodes)) {
    for (const [short, { anycast }] of Object.entries(containers)) {
      for (const [i, text] of anycast.entries()) {
        const owner = seen.get(parseAddress(text)?.text ?? text)
        if (owner === undefined) continue
        const path = ['nodes', name, 'containers', short, 'anycast', i]
        complaints.error(path, `${text} is ${owner}'s own`, 'write another address')
      }
    }
  }
}

function checkExpectations(
  document: LabDocument,
  nodes: readonly LabNode[],
  complaints: Complaints,
): Expectation[] {
  const names = nodes.map((node) => node.name)
  return document.expect.map((it, i) => {
    const path = ['expect', i]
    const node = nodes.find((candidate) => candidate.name === it.on)
    if (node === undefined) complainOfName(complaints, [...path, 'on'], 'node', it.on, names)
    for (const prefix of Object.keys(it.kernel ?? {})) {
      if (parsePrefix(prefix) !== undefined) continue
      const text = `${prefix} is not a prefix`
      complaints.errorAtKey([...path, 'kernel', prefix], text, 'write one such as 172.18.2.0/24')
    }
    const tables = EXPECTED_TABLES.filter((table) => it[table] !== undefined)
    if (node !== undefined && !node.isTor && node.kind !== 'linnet') {
      for (const table of tables) {
        complaints.errorAtKey(
          [...path, table],
          `no linnet runs on ${it.on}`,
          'expect kernel routes',
        )
      }
    }
    if (tables.length === 0 && it.kernel === undefined) {
      complaints.error(path, 'nothing is expected here', 'add kernel: { ... } or remove it')
    }
    // A ToR of another kind has no tables of ours: what its kernel does still counts.
    return node?.isTor === true && node.kind !== 'linnet' ? kernelOnly(it) : it
  })
}

const kernelOnly = ({ on, within, kernel }: Expectation): Expectation => ({ on, within, kernel })

function checkProof(
  document: LabDocument,
  nodes: readonly LabNode[],
  complaints: Complaints,
): ProofOrder {
  const { pairs: wanted, fail, restart, drain, maxLossMs } = document.proof
  const path = ['proof']
  const routers = nodes.filter((node) => node.kind !== 'host').map((node) => node.name)
  for (const key of ['fail', 'remove', 'restart', 'drain'] as const) {
    const name = document.proof[key]
    if (name === undefined || routers.includes(name)) continue
    complainOfName(complaints, [...path, key], 'router', name, routers)
  }
  const docker = nodes.find((node) => node.name === document.proof.remove && isDockerHost(node))
  if (docker !== undefined) {
    const text = `${docker.name} is a Docker host, which can't be made anew`
    complaints.error([...path, 'remove'], text, 'name a router')
  }
  const other = nodes.find((node) => node.isTor && node.name !== fail)
  const remove = document.proof.remove ?? (fail === undefined ? undefined : other?.name)
  if (remove !== undefined && remove === fail) {
    complaints.error([...path, 'remove'], `${fail} fails already`, 'name the other router')
  }
  const containers = nodes.flatMap((node) => node.containers)
  const pairs: [string, string][] = []
  if (wanted === 'all') {
    for (const [i, a] of containers.entries()) {
      for (const b of containers.slice(i + 1)) if (a.node !== b.node) pairs.push([a.name, b.name])
    }
  } else {
    const names = containers.map((it) => it.name)
    for (const [i, pair] of wanted.entries()) {
      const at = [...path, 'pairs', i]
      const [a = '', b = ''] = pair
      for (const [j, name] of pair.entries()) {
        if (names.includes(name)) continue
        complainOfName(complaints, [...at, j], 'container', name, names)
      }
      const hosts = pair.map((name) => containers.find((it) => it.name === name)?.node)
      if (hosts[0] !== undefined && hosts[0] === hosts[1]) {
        complaints.error(at, `both are on ${hosts[0]}`, 'name containers of different hosts')
      }
      pairs.push([a, b])
    }
  }
  const spread = checkSpread(document, containers, complaints)
  const { wrapped } = document.proof
  for (const [i, ends] of (wrapped === undefined || wrapped.between === 'all'
    ? []
    : wrapped.between
  ).entries()) {
    for (const [j, name] of ends.entries()) {
      if (nodes.some((node) => node.name === name)) continue
      const at = [...path, 'wrapped', 'between', i, j]
      complainOfName(
        complaints,
        at,
        'node',
        name,
        nodes.map((node) => node.name),
      )
    }
  }
  return { pairs, fail, remove, restart, drain, spread, wrapped, maxLossMs }
}

function checkSpread(
  document: LabDocument,
  containers: readonly LabContainer[],
  complaints: Complaints,
): SpreadOrder[] {
  return document.proof.spread.map(({ from, to }, i) => {
    const path = ['proof', 'spread', i]
    const names = containers.map((it) => it.name)
    if (!names.includes(from)) {
      complainOfName(complaints, [...path, 'from'], 'container', from, names)
    }
    const over = containers.filter((it) => it.anycast.includes(to)).map((it) => it.name)
    if (over.length < 2) {
      const text = `${to} is shared by ${over.length === 0 ? 'no container' : 'one container only'}`
      complaints.error([...path, 'to'], text, `write anycast: [${to}] at two containers`)
    }
    return { from, to, over }
  })
}

function complainOfName(
  complaints: Complaints,
  path: Path,
  noun: string,
  name: string,
  known: readonly string[],
): void {
  const near = nearest(name, known)
  const list = known.length === 0 ? `there is no ${noun}` : `write one of ${known.join(', ')}`
  const remedy = near === undefined ? list : `did you mean ${near}?`
  complaints.error(path, `there is no ${noun} ${name}`, remedy)
}
