/**
 * IP-in-IP (RFC 2003): a second IPv4 header to the BGP next hop, protocol 4.
 *
 * Our own device is an `external` one, which has no addresses and asks the route for the other end: so it may stand
 * beside a tunl0 or anybody's tunnels, and takes packets to any address of this host. A device that somebody else has
 * made is none, and takes the gateway for the other end.
 */
import type { Dataplane } from './dataplane.ts'

export const ipip: Dataplane = {
  mode: 'ipip',
  name: 'IP-in-IP',
  deviceName: 'linnet-ipip',
  device: () => ({ kind: 'ipip' }),
  overheadBytes: () => 20,
  leg: (nextHop, link, { device }) => ({
    via: nextHop,
    link,
    onLink: true,
    ...(device === undefined && { encap: { id: 0, to: nextHop } }),
  }),
  text: ({ via }) => `ipip ${via?.text ?? ''}`,
  outer: () => ({ protocol: 4 }),
  header: () => new Uint8Array(0),
  instead: 'write overlay.mode: vxlan on all hosts',
}

/** Ubuntu's Fan: the same, to the host that the address plan gives the prefix to, which is who may announce it. */
export const fan: Dataplane = {
  ...ipip,
  mode: 'fan',
  name: 'Fan',
  deviceName: 'linnet-fan',
  instead: 'let protocol 4 through',
}
