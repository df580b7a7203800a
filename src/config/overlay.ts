/** The `overlay` section: which destinations are reached through a tunnel, and how. */
import { z } from 'zod'
import { DATAPLANES } from '../fib/dataplanes/index.ts'
import { fanProblem } from '../net/fan.ts'
import { contains, covers } from '../net/prefix.ts'
import type { Complaints } from './advice.ts'
import type { OverlayConfig, ResolvedPeer } from './config.ts'
import { key, list } from './key.ts'
import { ownPrefix } from './address-values.ts'
import { choice, flag, integer, linkName, valueFacts } from './values.ts'

const vxlanSchema = z.strictObject({
  vni: key(
    integer(0, 0xffffff, 'a VXLAN network identifier').prefault(10),
    'Network identifier.',
    7,
  ),
  port: key(
    integer(1, 65535, 'a UDP port').optional(),
    'UDP port, the same on all hosts.',
    8472,
    '4790, or 4789 without `gpe`',
  ),
  gpe: key(
    flag.prefault(true),
    'IP inside (VXLAN-GPE): 14 bytes less, and no ARP. `false`: Ethernet, for hosts that know only that.',
    false,
  ),
})

const fanSchema = z.strictObject({
  overlay: key(ownPrefix, 'Where all slices are.', '10.0.0.0/8'),
  underlay: key(
    ownPrefix,
    'Where the hosts have their addresses; what of an address is behind this says which slice the host has.',
    '172.16.0.0/16',
  ),
  learn: key(
    choice('bgp', 'static').prefault('bgp'),
    '`bgp`: each host announces its slice. `static`: nobody is asked; there is a route for the slice of every address that the underlay has, so it must be a /16 or longer.',
    'static',
  ),
  validate: key(
    choice('strict', 'none').prefault('strict'),
    '`strict`: a prefix of the overlay is taken in only with the next hop that it belongs to.',
    'none',
  ),
  bridge: key(
    z.union([flag, linkName]).prefault(false).register(valueFacts, {
      noun: 'true, false or the name of a link',
      write: 'true, false or a name such as br-fan',
    }),
    "Make a bridge for this host's slice, with its first address: `true` names it after the slice (`fan-10-3-4`).",
    true,
  ),
})

export const overlaySchema = z.strictObject({
  mode: key(
    choice('none', 'ipip', 'vxlan', 'fan').prefault('none'),
    'What is put around packets: nothing, a second IP header (IP-in-IP, RFC 2003, protocol 4), or UDP (VXLAN, RFC 7348) where networks drop that. `fan` is IP-in-IP by the address plan of Ubuntu Fan.',
    'ipip',
  ),
  when: key(
    choice('always', 'crossSubnet').prefault('always'),
    '`crossSubnet`: only to next hops that are not on a link of this host; the others are reached directly.',
    'crossSubnet',
  ),
  prefixes: key(
    list(ownPrefix, 'a list of prefixes', '[10.244.0.0/16]').prefault([]),
    'Which destinations. Nothing that is in them ever leaves in the clear: without a device, or a route, they are unreachable.',
    ['10.244.0.0/16'],
  ),
  device: key(
    linkName.optional(),
    "Somebody else's device to use, such as `tunl0`; it is left as it is.",
    'tunl0',
    'one of our own, made and removed by linnet',
  ),
  mtu: key(
    integer(68, 65535, 'an MTU').optional(),
    'Of our device.',
    1400,
    'what the links to the next hops take, less the outer header',
  ),
  acceptFrom: key(
    list(ownPrefix, 'a list of prefixes', '[10.0.1.0/24]').prefault([]),
    'Who may send wrapped packets to this host beside peers and next hops; `[0.0.0.0/0]` = anybody.',
    ['10.0.1.0/24'],
  ),
  vxlan: key(vxlanSchema.prefault({}), 'Of the mode `vxlan`.', { vni: 7 }),
  fan: key(
    fanSchema.optional(),
    'Of the mode `fan`.',
    { overlay: '10.0.0.0/8', underlay: '172.16.0.0/16' },
    'none',
  ),
})

export type OverlayEntry = z.output<typeof overlaySchema>
type FanEntry = z.output<typeof fanSchema>

export function resolveOverlay(
  entry: OverlayEntry | undefined,
  peers: readonly ResolvedPeer[],
  complaints: Complaints,
): OverlayConfig | undefined {
  if (entry === undefined) return undefined
  const { mode, device, mtu, vxlan, fan, ...rest } = entry
  if (mode === 'none') return undefined
  if (mode === 'fan') checkFan(entry, peers, complaints)
  else checkPrefixes(entry, peers, complaints)
  checkAcceptFrom(entry, complaints)
  checkDevice(entry, complaints)
  const port = vxlan.port ?? (vxlan.gpe ? 4790 : 4789)
  return {
    mode,
    ...rest,
    vxlan: { ...vxlan, port },
    ...(device !== undefined && { device }),
    ...(mtu !== undefined && { mtu }),
    ...(mode === 'fan' && fan !== undefined && fanOf(fan)),
  }
}

/** The prefixes of a Fan are its overlay; where nobody tells who its hosts are, all of the underlay may be. */
function fanOf({ bridge, ...fan }: FanEntry): Partial<OverlayConfig> {
  const made = bridge === false ? undefined : { name: bridge === true ? undefined : bridge }
  return {
    prefixes: [fan.overlay],
    ...(fan.learn === 'static' && { acceptFrom: [fan.underlay] }),
    fan: { ...fan, ...(made !== undefined && { bridge: made }) },
  }
}

/** Hosts that `learn: static` makes a route for. */
const SHORTEST_STATIC_UNDERLAY = 16

function checkFan(
  { fan, prefixes }: OverlayEntry,
  peers: readonly ResolvedPeer[],
  complaints: Complaints,
): void {
  if (fan === undefined) {
    const remedy = 'write fan: { overlay: 10.0.0.0/8, underlay: 172.16.0.0/16 }'
    return complaints.error(['overlay', 'mode'], 'there is no address plan', remedy)
  }
  const path = ['overlay', 'fan']
  const [problem, remedy = 'write another'] = fanProblem(fan)?.split('; ') ?? []
  if (problem !== undefined) complaints.error([...path, 'overlay'], problem, remedy)
  else if (covers(fan.overlay, fan.underlay) || covers(fan.underlay, fan.overlay)) {
    const message = `the hosts themselves are inside: ${fan.underlay.text}`
    complaints.error([...path, 'overlay'], message, 'write an overlay that is elsewhere')
  }
  if (fan.learn === 'static' && fan.underlay.length < SHORTEST_STATIC_UNDERLAY) {
    const message = `${fan.underlay.text} has ${2 ** (32 - fan.underlay.length)} hosts, and each would get a route`
    complaints.error([...path, 'learn'], message, 'write bgp, or a longer underlay')
  }
  if (prefixes.length > 0) {
    const message = 'a Fan carries what is in its overlay'
    complaints.error(['overlay', 'prefixes'], message, 'remove the key')
  }
  const peer = peers.find(({ address }) => contains(fan.overlay, address))
  if (peer === undefined) return
  const message = `the peer ${peer.name} is inside: packets to it would be wrapped`
  complaints.warning([...path, 'overlay'], message, 'reach it by its address in the underlay')
}

function checkDevice({ mode, device, mtu }: OverlayEntry, complaints: Complaints): void {
  if (device === undefined) return
  const path = ['overlay', 'device']
  if (DATAPLANES.some(({ deviceName }) => deviceName === device)) {
    complaints.error(path, `${device} is linnet's own`, 'remove the key')
  }
  if (mode === 'vxlan') {
    complaints.error(path, 'VXLAN goes through a device of our own', 'remove the key')
  }
  if (mtu !== undefined) {
    const message = `${device} is somebody else's, and its MTU stays as it is`
    complaints.error(['overlay', 'mtu'], message, `remove it, and set it there`)
  }
}

function checkPrefixes(
  { prefixes }: OverlayEntry,
  peers: readonly ResolvedPeer[],
  complaints: Complaints,
): void {
  if (prefixes.length === 0) {
    const message = 'no destination is reached through the overlay'
    complaints.error(['overlay', 'prefixes'], message, 'write those of the containers of all hosts')
  }
  prefixes.forEach((prefix, i) => {
    const path = ['overlay', 'prefixes', i]
    if (prefix.family === 'ipv6') {
      return complaints.error(path, 'the overlay carries IPv4 only', 'remove it')
    }
    if (
      prefixes.some((it, j) => j !== i && covers(it, prefix) && (j < i || it.text !== prefix.text))
    ) {
      complaints.warning(path, `${prefix.text} is inside another one`, 'remove it')
    }
    const peer = peers.find(({ address }) => contains(prefix, address))
    if (peer === undefined) return
    const message = `the peer ${peer.name} is inside: packets to it would be wrapped, unless it is on a link of this host`
    complaints.warning(path, message, 'write the prefixes of containers alone')
  })
}

function checkAcceptFrom({ acceptFrom }: OverlayEntry, complaints: Complaints): void {
  acceptFrom.forEach(({ family }, i) => {
    if (family === 'ipv4') return
    complaints.error(['overlay', 'acceptFrom', i], 'outer addresses are IPv4', 'remove it')
  })
}
