/**
 * A small Calico cluster as data: node-1 and node-2 with a pool, a block of node-1's, and no mesh. Cases change
 * what they are about. Whatever comes of an import is loaded, on no host and on node-1: there is never a complaint.
 */
import { expect } from 'vitest'
import { parse, stringify } from 'yaml'
import { importCalico } from '../../../../src/config/import/calico/calico.ts'
import { formatComplaint } from '../../../../src/config/complaint.ts'
import type { Config } from '../../../../src/config/config.ts'
import { loadText } from '../../../../src/config/load.ts'
import { address } from '../../../../src/net/address.ts'
import { linesOf, NOWHERE } from '../loading.ts'

export interface Manifest {
  readonly apiVersion?: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: Readonly<Record<string, unknown>>
}

/** A setting, what becomes of it, and what is told. */
export interface Case {
  /** `BGPPeer.password`; several where the one means nothing without the other. */
  readonly of: string | readonly string[]
  readonly to?: string
  readonly change: readonly Manifest[]
  readonly node?: string
  /** A part of the configuration. */
  readonly written?: Readonly<Record<string, unknown>>
  readonly told?: readonly string[]
}

type Labels = Readonly<Record<string, string>>

export const manifest = (
  kind: string,
  name: string,
  spec: Readonly<Record<string, unknown>>,
  labels: Labels = {},
): Manifest => ({
  apiVersion: 'projectcalico.org/v3',
  kind,
  metadata: { name, labels },
  spec,
})

export const configuration = (spec: Readonly<Record<string, unknown>>, name = 'default') =>
  manifest('BGPConfiguration', name, { nodeToNodeMeshEnabled: false, ...spec })
export const peer = (name: string, spec: Readonly<Record<string, unknown>>) =>
  manifest('BGPPeer', name, spec)
export const filter = (name: string, spec: Readonly<Record<string, unknown>>) =>
  manifest('BGPFilter', name, spec)
export const pool = (name: string, spec: Readonly<Record<string, unknown>>) =>
  manifest('IPPool', name, spec)
export const node = (name: string, bgp: Readonly<Record<string, unknown>>, labels?: Labels) =>
  manifest('Node', name, { bgp }, labels)
export const block = (name: string, spec: Readonly<Record<string, unknown>>) =>
  manifest('BlockAffinity', name, { node: 'node-1', state: 'confirmed', ...spec })

export const BASE: readonly Manifest[] = [
  configuration({}),
  node('node-1', { ipv4Address: '10.0.1.11/24', ipv6Address: 'fd00::11/64' }, { rack: 'r1' }),
  node('node-2', { ipv4Address: '10.0.1.12/24' }, { rack: 'r2' }),
  pool('pool', { cidr: '10.244.0.0/16' }),
  block('block', { cidr: '10.244.7.0/26' }),
]

/** The base with these added, or put in place of those of the same kind and name. */
export function cluster(...changes: readonly Manifest[]): Manifest[] {
  const title = ({ kind, metadata }: Manifest): string => `${kind} ${metadata.name}`
  const changed = new Set(changes.map(title))
  return [...BASE.filter((it) => !changed.has(title(it))), ...changes]
}

export const documents = (resources: readonly Manifest[]): string =>
  resources.map((it) => stringify(it)).join('---\n')

export interface Carried {
  readonly yaml: string
  /** The same as data. */
  readonly written: Readonly<Record<string, unknown>>
  readonly config: Config
  /** Without the places. */
  readonly told: readonly string[]
}

/** Their addresses, for whoever is asked what it thinks of its own configuration. */
const HOSTS: Readonly<Record<string, readonly string[]>> = {
  'node-1': ['10.0.1.11', 'fd00::11'],
  'node-2': ['10.0.1.12', 'fd00::12'],
  'node-3': ['10.0.2.13'],
  'rr-1': ['10.0.1.2'],
  'six-1': ['fd00::21'],
}

/** What comes of an import that goes well. */
export function carried(text: string, nodeName = 'node-1'): Carried {
  const imported = importCalico([{ name: 'calico.yaml', text }], nodeName)
  if ('complaints' in imported) {
    throw new Error(imported.complaints.map(formatComplaint).join('\n'))
  }
  const { yaml, told } = imported
  const own = [...(HOSTS[nodeName] ?? []), '127.0.0.1'].map(address)
  expect(linesOf(loadText(yaml, 'c.yaml', { ...NOWHERE, ownAddresses: own }))).toEqual([])
  const loaded = loadText(yaml, 'c.yaml', NOWHERE)
  if (!('config' in loaded)) throw new Error(linesOf(loaded).join('\n'))
  expect(linesOf(loaded)).toEqual([])
  return {
    yaml,
    written: parse(yaml) as Record<string, unknown>,
    config: loaded.config,
    told: told.map((it) => formatComplaint(it).replace(/^.*?: warning: /, '')),
  }
}

/** What is said of an import that does not. */
export function refusal(text: string, nodeName = 'node-1'): readonly string[] {
  const imported = importCalico([{ name: 'calico.yaml', text }], nodeName)
  if ('yaml' in imported) throw new Error(`this was imported:\n${imported.yaml}`)
  return imported.complaints.map(formatComplaint)
}
