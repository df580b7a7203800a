import type { PeerRow } from '../../control/rows.ts'
import { formatAge, type Style } from '../style.ts'
import type { TableView } from './view.ts'

const isUp = (peer: PeerRow): boolean => peer.state === 'Established'

/** Counts mean something only while the session is up. */
const whenUp =
  (count: (peer: PeerRow) => number) =>
  (peer: PeerRow): string =>
    isUp(peer) ? String(count(peer)) : ''

/** `Established 10m`, or `Active: trying again in 4 s`. */
export function stateOf(peer: PeerRow, now: number): string {
  if (isUp(peer)) return `Established ${formatAge(peer.since, now)}`
  return peer.reason === '' ? peer.state : `${peer.state}: ${peer.reason}`
}

/** A dynamic peer's name is its address. */
const placeOf = ({ range, address, interface: link }: PeerRow): string =>
  range === null ? (address ?? link ?? '') : `dynamic (${range})`

export const stateStyle = (peer: PeerRow): Style => (isUp(peer) ? 'good' : 'bad')

export const peersView: TableView<PeerRow> = {
  path: '/v1/peers',
  topic: 'peers',
  columns: [
    { title: 'NAME', of: (peer) => peer.name },
    { title: 'ADDRESS', of: placeOf },
    { title: 'AS', of: (peer) => String(peer.asn ?? ''), align: 'right' },
    { title: 'STATE', of: stateOf, style: stateStyle },
    { title: 'RECEIVED', of: whenUp((peer) => peer.received), align: 'right' },
    { title: 'ACCEPTED', of: whenUp((peer) => peer.accepted), align: 'right' },
    { title: 'ANNOUNCED', of: whenUp((peer) => peer.announced), align: 'right' },
  ],
  notes: (peer) =>
    isUp(peer)
      ? peer.bfd === null || peer.bfd === 'Up'
        ? []
        : [`BFD is ${peer.bfd}: the path is not watched`]
      : peer.lastError === null
        ? []
        : [`last error: ${peer.lastError}`],
  nothing: ({ configFile }) => `no peers: add some under peers: in ${configFile}`,
}
