/**
 * A tree as written -> the Config that the daemon runs, or everything that is wrong with it.
 *
 * Each section, each peer and each group is checked by itself, so that one mistake hides no other: what
 * is good goes on to the checks that look across (here, in peer-list.ts and peers.ts), what is wrong is left out of
 * them. Warnings don't stop anything.
 */
import type { z } from 'zod'
import { isUnspecified } from '../net/address.ts'
import type { Endpoint } from '../session/transport.ts'
import { resolveAdvertise } from './advertise.ts'
import { Complaints } from './advice.ts'
import { isError, type Complaint } from './complaint.ts'
import type { Confederation, Config, ResolvedPeer } from './config.ts'
import { resolveKernel } from './kernel.ts'
import { mrtSchema, resolveBmp, resolveMrt } from './monitors.ts'
import { groupSchema } from './peer-schema.ts'
import { overlaySchema, resolveOverlay } from './overlay.ts'
import { parse, type Section } from './parse.ts'
import { resolvePeers } from './peer-list.ts'
import { readPolicies } from './policies.ts'
import {
  advertiseSchema,
  apiSchema,
  configSchema,
  decisionSchema,
  kernelSchema,
  logSchema,
  natSchema,
} from './schema.ts'
import type { TreeNode } from './tree.ts'
import { mayBeOwn, type World } from './world.ts'

export interface Checked {
  /** Absent when there are errors. */
  readonly config?: Config
  readonly complaints: readonly Complaint[]
}

/** Where keys belong that people write one level too high or too low. */
const HOMES: ReadonlyMap<string, string> = new Map([
  ...Object.keys(configSchema.shape).map((key) => [key, 'the top level'] as const),
  ...Object.keys(groupSchema.shape).map((key) => [key, 'peers or peerGroups'] as const),
  ...Object.keys(kernelSchema.shape).map((key) => [key, 'kernel'] as const),
  ...Object.keys(advertiseSchema.shape).map((key) => [key, 'advertise'] as const),
  ...Object.keys(apiSchema.shape).map((key) => [key, 'api'] as const),
  ...Object.keys(logSchema.shape).map((key) => [key, 'log'] as const),
  ...Object.keys(mrtSchema.shape).map((key) => [key, 'mrt'] as const),
  ...Object.keys(decisionSchema.shape).map((key) => [key, 'decision'] as const),
  ...Object.keys(natSchema.shape).map((key) => [key, 'nat'] as const),
  ...Object.keys(overlaySchema.shape).map((key) => [key, 'overlay'] as const),
  ['members', 'confederation'],
])

export function checkTree(root: TreeNode, world: World): Checked {
  const complaints = new Complaints(root, HOMES)
  const context: Section = { root, world, complaints }
  if (root.kind === 'map') {
    const known = Object.keys(configSchema.shape)
    for (const key of root.entries.keys()) {
      if (!known.includes(key)) complaints.unknownKey([key], known)
    }
    const config = resolve(context)
    if (config !== undefined && !complaints.all.some(isError))
      return { config, complaints: complaints.all }
  } else {
    const empty = root.kind === 'scalar' && root.value === null
    const message = empty ? 'there is nothing in it' : 'this is no map of keys'
    complaints.error([], message, 'write at least asn: 65101')
  }
  return { complaints: complaints.all }
}

/** Undefined only where something was complained of. */
function resolve(context: Section): Config | undefined {
  const { shape } = configSchema
  const section = <T>(key: keyof typeof shape, schema: z.ZodType<T>) =>
    parse(schema, [key], context)
  const asn = section('asn', shape.asn)
  const routerId = section('routerId', shape.routerId)
  const clusterId = section('clusterId', shape.clusterId)
  const confederation = section('confederation', shape.confederation)
  const listen = section('listen', shape.listen)
  const decision = section('decision', shape.decision)
  const advertise = section('advertise', shape.advertise)
  const kernel = section('kernel', shape.kernel)
  const bmp = resolveBmp(section('bmp', shape.bmp) ?? [], context.complaints)
  const mrt = resolveMrt(section('mrt', shape.mrt), context.complaints)
  const nat = section('nat', shape.nat)
  const rpki = section('rpki', shape.rpki)
  const api = section('api', shape.api)
  const log = section('log', shape.log)
  section('include', shape.include)
  const policies = readPolicies(section('sets', shape.sets), context)
  if (confederation !== undefined && asn !== undefined) {
    checkConfederation(asn, confederation, context)
  }
  const mesh = section('mesh', shape.mesh)
  const install = kernel?.install !== false
  const own = { asn, confederation, install }
  const { peers, ranges, settings } = resolvePeers(own, policies, mesh, context)
  if (listen !== undefined) checkListen(listen, [...peers, ...ranges.map((it) => it.peer)], context)
  const overlay = resolveOverlay(section('overlay', shape.overlay), peers, context.complaints)
  const advertised = advertise === undefined ? undefined : resolveAdvertise(advertise, context)
  const kernelConfig =
    kernel === undefined ? undefined : resolveKernel(kernel, context.world, context.complaints)
  if (asn === undefined || listen === undefined || decision === undefined) return undefined
  if (advertised === undefined || kernelConfig === undefined) return undefined
  if (api === undefined || log === undefined || rpki === undefined) return undefined
  checkCaches(rpki, context)
  return {
    asn,
    ...(routerId === undefined ? {} : { routerId }),
    ...(clusterId === undefined ? {} : { clusterId }),
    ...(confederation === undefined ? {} : { confederation }),
    listen,
    decision,
    peers,
    ranges,
    settings,
    rpki,
    policies: [...policies.values()].filter((it) => it !== undefined),
    advertise: advertised,
    kernel: kernelConfig,
    bmp,
    ...(overlay === undefined ? {} : { overlay }),
    ...(nat === undefined ? {} : { nat }),
    ...(mrt === undefined ? {} : { mrt }),
    api: { socket: api.socket, ...(api.http === undefined ? {} : { http: api.http }) },
    log,
  }
}

/** The numbers of a confederation and its members are apart (RFC 5065 section 4). */
function checkConfederation(
  asn: number,
  { asn: whole, members }: Confederation,
  { complaints }: Section,
): void {
  if (whole === asn) {
    const message = `${whole} is the AS number of this host, which is a member`
    complaints.error(['confederation', 'asn'], message, 'write the number that the outside knows')
  }
  members.forEach((member, i) => {
    const path = ['confederation', 'members', i]
    if (member === whole) {
      complaints.error(path, `${member} is the confederation itself`, 'remove it')
    } else if (members.indexOf(member) !== i) {
      complaints.error(path, `${member} is here twice`, 'remove one')
    }
  })
}

function checkCaches(caches: readonly Endpoint[], { complaints }: Section): void {
  const seen = new Set<string>()
  caches.forEach(({ address, port }, i) => {
    const text = `${address.text} port ${port}`
    if (seen.has(text)) complaints.error(['rpki', i], `${text} is here twice`, 'remove one')
    seen.add(text)
  })
}

function checkListen(
  listen: readonly Endpoint[],
  peers: readonly ResolvedPeer[],
  { complaints, world }: Section,
): void {
  if (listen.length === 0) {
    const message = 'nobody can connect to this host'
    return complaints.error(['listen'], message, 'write an address, or remove the key')
  }
  const seen = new Set<string>()
  listen.forEach(({ address, port }, i) => {
    const text = `${address.text} port ${port}`
    if (seen.has(text)) complaints.error(['listen', i], `${text} is here twice`, 'remove one')
    seen.add(text)
    const all = listen.find(
      (it) => it.port === port && it.address.family === address.family && isUnspecified(it.address),
    )
    if (all !== undefined && !isUnspecified(address)) {
      const message = `${all.address.text} port ${port} covers ${address.text} already`
      complaints.error(['listen', i], message, 'remove one')
    }
    if (!isUnspecified(address) && !mayBeOwn(world, address)) {
      const message = `${address.text} is not an address of this host`
      complaints.error(['listen', i, 'address'], message, 'write one that is, or 0.0.0.0')
    }
  })
  for (const peer of peers) {
    if (!peer.passive || listen.some((it) => it.address.family === peer.address.family)) continue
    const family = peer.address.family === 'ipv4' ? 'IPv4' : 'IPv6'
    const message = `the passive peer ${peer.name} can't connect: there is no ${family} address`
    complaints.error(['listen'], message, `add ${family === 'IPv4' ? '0.0.0.0' : '"::"'}`)
  }
}
