/** The `overlay` section: which destinations are reached through a tunnel, and how. */
import { z } from 'zod'
import { DATAPLANES } from '../fib/dataplanes/index.ts'
import { contains, covers } from '../net/prefix.ts'
import type { Complaints } from './advice.ts'
import type { OverlayConfig, ResolvedPeer } from './config.ts'
import { key, list } from './key.ts'
import { choice, flag, integer, linkName, ownPrefix } from './values.ts'

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

export const overlaySchema = z.strictObject({
  mode: key(
    choice('none', 'ipip', 'vxlan').prefault('none'),
    'What is put around packets: nothing, a second IP header (IP-in-IP, RFC 2003, protocol 4), or UDP (VXLAN, RFC 7348) where networks drop that.',
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
})

export type OverlayEntry = z.output<typeof overlaySchema>

export function resolveOverlay(
  entry: OverlayEntry | undefined,
  peers: readonly ResolvedPeer[],
  complaints: Complaints,
): OverlayConfig | undefined {
  if (entry === undefined) return undefined
  const { mode, device, mtu, vxlan, ...rest } = entry
  if (mode === 'none') return undefined
  checkPrefixes(entry, peers, complaints)
  const own = DATAPLANES.find(({ deviceName }) => deviceName === device)
  if (own !== undefined) {
    complaints.error(['overlay', 'device'], `${device} is linnet's own`, 'remove the key')
  }
  if (device !== undefined && mode === 'vxlan') {
    const message = 'VXLAN goes through a device of our own'
    complaints.error(['overlay', 'device'], message, 'remove the key')
  }
  if (device !== undefined && mtu !== undefined) {
    const message = `${device} is somebody else's, and its MTU stays as it is`
    complaints.error(['overlay', 'mtu'], message, `remove it, and set it there`)
  }
  const port = vxlan.port ?? (vxlan.gpe ? 4790 : 4789)
  return {
    mode,
    ...rest,
    vxlan: { ...vxlan, port },
    ...(device !== undefined && { device }),
    ...(mtu !== undefined && { mtu }),
  }
}

function checkPrefixes(
  { prefixes, acceptFrom }: OverlayEntry,
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
  acceptFrom.forEach(({ family }, i) => {
    if (family === 'ipv4') return
    complaints.error(['overlay', 'acceptFrom', i], 'outer addresses are IPv4', 'remove it')
  })
}
