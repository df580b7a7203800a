import type {
  MessageCounts,
  PeerDetail,
  PeerFamilyRow,
  PrefixLimitRow,
  SettingRow,
} from '../../control/rows.ts'
import { formatAge, paint } from '../style.ts'
import { formatProperties, formatTable, type Column, type Look } from '../table.ts'
import { bfdOf } from './bfd.ts'
import { stateOf, stateStyle } from './peers.ts'

const FAMILY_COLUMNS: readonly Column<PeerFamilyRow>[] = [
  { title: 'FAMILY', of: (row) => row.family },
  { title: 'RECEIVED', of: (row) => String(row.received), align: 'right' },
  { title: 'ACCEPTED', of: (row) => String(row.accepted), align: 'right' },
  { title: 'REJECTED', of: (row) => String(row.rejected), align: 'right' },
  { title: 'BLOCKED', of: (row) => String(row.blocked), align: 'right' },
  { title: 'ANNOUNCED', of: (row) => String(row.announced), align: 'right' },
  { title: 'STALE', of: staleOf },
  { title: 'END OF RIB', of: (row) => (row.endOfRib ? 'seen' : '') },
  { title: 'ADD-PATH', of: addPathOf },
]

/** `1200, the last choice, 42 s more` */
function staleOf({ stale, staleFor, longLived }: PeerFamilyRow): string {
  if (staleFor === null) return stale === 0 ? '' : `${stale}`
  return [`${stale}`, ...(longLived ? ['the last choice'] : []), `${staleFor} s more`].join(', ')
}

function addPathOf({ addPathReceive, addPathSend }: PeerFamilyRow): string {
  const send = addPathSend === null ? [] : [`send ${addPathSend}`]
  return [...(addPathReceive ? ['receive'] : []), ...send].join(', ')
}

interface MessageRow {
  readonly direction: string
  readonly counts: MessageCounts
}

const count =
  (of: (counts: MessageCounts) => number) =>
  ({ counts }: MessageRow): string =>
    String(of(counts))

const MESSAGE_COLUMNS: readonly Column<MessageRow>[] = [
  { title: 'MESSAGES', of: (row) => row.direction },
  { title: 'OPEN', of: count((it) => it.open), align: 'right' },
  { title: 'UPDATE', of: count((it) => it.update), align: 'right' },
  { title: 'KEEPALIVE', of: count((it) => it.keepalive), align: 'right' },
  { title: 'NOTIFICATION', of: count((it) => it.notification), align: 'right' },
  { title: 'REFRESH', of: count((it) => it.routeRefresh), align: 'right' },
  { title: 'BYTES', of: count((it) => it.bytes), align: 'right' },
]

export async function formatPeer(peer: PeerDetail, look: Look): Promise<string> {
  const notOffered = peer.capabilitiesSent.filter(
    (it) => !peer.capabilitiesReceived.includes(counterpartOf(it)),
  )
  const timers =
    peer.holdTime === null
      ? ''
      : peer.holdTime === 0
        ? 'none: no keepalives'
        : `${peer.holdTime} s, keepalive every ${peer.keepalive ?? 0} s`
  const role = [
    peer.type === 'confederation' ? 'in our confederation' : peer.type,
    ...(peer.routeReflectorClient ? ['route reflector client'] : []),
    ...(peer.passive ? ['passive'] : []),
  ]
  const properties = formatProperties(
    [
      ['peer', peer.group === null ? peer.name : `${peer.name}, of group ${peer.group}`],
      ['address', peer.address ?? `on ${peer.interface ?? '?'}`],
      ...(peer.range === null ? [] : [['range', peer.range] as const]),
      ['AS', `${peer.asn ?? 'any'} (${role.join(', ')}); we are ${peer.localAsn}`],
      ...(peer.role === null ? [] : [['our role', peer.role] as const]),
      ['state', paint(stateOf(peer, look.now), stateStyle(peer), look.colour)],
      ['flaps', String(peer.flaps)],
      ['last error', lastErrorOf(peer, look.now)],
      ['router id', peer.routerId ?? ''],
      ...(peer.hostname === null ? [] : [['host name', peer.hostname] as const]),
      ['connection', `${peer.localAddress ?? '-'} to ${peer.remoteAddress ?? '-'}`],
      ['hold time', timers],
      ['import', peer.importPolicy],
      ['export', peer.exportPolicy],
      ['queued', `${peer.queued} prefixes`],
      ...(peer.bfd === null ? [] : [['BFD', bfdOf(peer, look.now)] as const]),
      ...peer.prefixLimits.map((it): [string, string] => [LIMITS[it.direction], limitOf(it)]),
      ...(peer.withheld === 0
        ? []
        : [['withheld', `${peer.withheld} prefixes beyond max prefixes out`] as const]),
      ...restartOf(peer),
      ['capabilities', peer.capabilities.join(', ')],
      ['not offered', peer.state === 'Established' ? notOffered.join(', ') : ''],
    ],
    look,
  )
  const messages: MessageRow[] = [
    { direction: 'received', counts: peer.messagesReceived },
    { direction: 'sent', counts: peer.messagesSent },
  ]
  const families = formatTable(peer.perFamily, { columns: FAMILY_COLUMNS }, look)
  const counters = formatTable(messages, { columns: MESSAGE_COLUMNS }, look)
  return `${properties}\n${await whole(families)}\n${await whole(counters)}`
}

/** What the peer must be able to do so that we can: the receiver of paths needs a sender of them. */
function counterpartOf(capability: string): string {
  const [, what, direction] = /^(add-path .*) (receive|send)$/.exec(capability) ?? []
  return direction === undefined
    ? capability
    : `${what} ${direction === 'send' ? 'receive' : 'send'}`
}

/** `5,000,000 (default), block` */
const SETTING_COLUMNS: readonly Column<SettingRow>[] = [
  { title: 'KEY', of: (row) => row.key },
  { title: 'VALUE', of: (row) => row.value },
  { title: 'SET IN', of: placeOf },
]

function placeOf({ place, group }: SettingRow): string {
  if (place === null) return 'default'
  return group === null ? place : `${place} (group ${group})`
}

/** Every setting, with the line that has set it. */
export const formatSettings = (peer: PeerDetail, look: Look): Promise<string> =>
  whole(formatTable(peer.settings, { columns: SETTING_COLUMNS }, look))

const LIMITS = { in: 'max prefixes', out: 'max prefixes out' } as const

const limitOf = ({ limit, isDefault, action, after }: PrefixLimitRow): string =>
  [
    `${limit.toLocaleString('en-US')}${isDefault ? ' (default)' : ''}`,
    after === null ? action : `${action} after ${after} s`,
  ].join(', ')

function restartOf({ gracefulRestart: it, perFamily }: PeerDetail): [string, string][] {
  if (it === null) return []
  const kept = perFamily.filter((row) => row.forwardingPreserved).map(({ family }) => family)
  const words = [
    `asks for ${it.restartTime} s`,
    ...(it.restarting ? ['has restarted'] : []),
    ...(kept.length === 0 ? [] : [`forwarded ${kept.join(' and ')} meanwhile`]),
    ...(it.notification ? ['NOTIFICATIONs keep routes'] : []),
    ...(it.longLived ? ['long-lived'] : []),
  ]
  return [['graceful restart', words.join(', ')]]
}

const lastErrorOf = ({ lastError, lastErrorAt }: PeerDetail, now: number): string =>
  lastError === null
    ? 'none'
    : `${lastError}${lastErrorAt === null ? '' : `, ${formatAge(lastErrorAt, now)} ago`}`

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}
