/**
 * Keys of the documented configuration whose rooms are not built yet. Using one is an error that says
 * so: a file must never promise what the daemon won't do. A key moves from here to the schema with the
 * change that brings it.
 */

/** Keys per map: '' is the document itself, `peers[]` and `peerGroups.*` share the settings of a peer. */
const SETTINGS = [
  'addPath',
  'announce',
  'asOverride',
  'bfd',
  'defaultOriginate',
  'extendedMessages',
  'extendedNextHop',
  'gracefulRestart',
  'maxPrefixes',
  'maxPrefixesOut',
  'removePrivateAsn',
  'role',
  'tcpAo',
]

const RESERVED: Readonly<Record<string, readonly string[]>> = {
  '': ['bmp', 'confederation', 'mrt', 'nat', 'overlay', 'policies', 'rpki', 'sets'],
  'peerGroups.*': SETTINGS,
  'peers[]': [...SETTINGS, 'interface', 'range', 'limit'],
  advertise: ['docker', 'hostRoutes', 'aggregates'],
}

const ANYWHERE = new Set(Object.values(RESERVED).flat())

/** True when `key` is documented but comes with a later version; also where it was put wrongly. */
export const isReserved = (key: string): boolean => ANYWHERE.has(key)

/** All of them, for the reference: `advertise.docker`. */
export function reservedKeys(): string[] {
  return Object.entries(RESERVED).flatMap(([where, keys]) =>
    keys.map((key) => (where === '' ? key : `${where}.${key}`)),
  )
}
