/**
 * `bfd`: whether, how often and how surely the path to a peer is watched (RFC 5880, RFC 5882). `true` is a map
 * with everything as it is by default.
 */
import { z } from 'zod'
import type { Complaints } from './advice.ts'
import type { BfdConfig } from './config.ts'
import { key } from './key.ts'
import type { Secret } from './secret.ts'
import type { Path } from './tree.ts'
import { bfdInterval, bfdKey, flag, integer, path, valueFacts } from './values.ts'

const DEFAULT_INTERVAL_SECONDS = 0.3
const DEFAULT_MULTIPLIER = 3
const DEFAULT_KEY_ID = 1

const authentication = z
  .strictObject({
    key: key(
      bfdKey.optional(),
      'The key, up to 20 bytes, the same at both ends. Never printed, never logged. Or `keyFile`.',
      'correct horse',
      'needed where there is no `keyFile`',
    ),
    keyFile: key(
      path.optional(),
      'File whose first line is the key, as for `passwordFile`.',
      '/etc/linnet/bfd.key',
      'needed where there is no `key`',
    ),
    keyId: key(
      integer(0, 255, 'the id of a key').optional(),
      'The id of the key in the packets.',
      7,
      `\`${DEFAULT_KEY_ID}\``,
    ),
    meticulous: key(
      flag.optional(),
      'Expect a new sequence number in each packet (meticulous keyed SHA1); the peer must do the same.',
      true,
      '`false`',
    ),
  })
  .register(valueFacts, { noun: 'a key of BFD', write: '{ key: "..." }', secret: true })

const bfdMap = z.strictObject({
  interval: key(
    bfdInterval.optional(),
    'How often we send, unless the peer wants fewer. Before the session is up, once a second at most.',
    '100ms',
    '`300ms`',
  ),
  minReceive: key(bfdInterval.optional(), 'How often the peer may send.', '50ms', 'as `interval`'),
  multiplier: key(
    integer(1, 255, 'a number of packets').optional(),
    'Of our packets that must be missing before the peer gives us up; how long we wait for it, it tells by its own.',
    5,
    `\`${DEFAULT_MULTIPLIER}\``,
  ),
  multihop: key(
    flag.optional(),
    'Whether routers lie between: port 4784 instead of 3784 (RFC 5883). Both ends must agree; BIRD takes internal peers for far ones unless it is told `direct`.',
    true,
    'as `multihop` or `ttlSecurity` say; else an internal peer on none of our subnets is far',
  ),
  strict: key(
    flag.optional(),
    'The BGP session does not begin before BFD is up, and ends where the peer switches BFD off.',
    true,
    '`false`',
  ),
  authentication: key(
    authentication.optional(),
    'Keyed SHA1 (RFC 5880 section 4.4): a map, below.',
    { key: 'correct horse' },
    'none',
  ),
})

export const bfdSchema = z.union([flag, bfdMap]).register(valueFacts, {
  noun: 'true, false or a map',
  write: 'true, false, or { interval: 300ms, multiplier: 3 }',
})

/** The schema of `authentication`, for the reference. */
export const bfdAuthentication = authentication

type BfdEntry = z.output<typeof bfdSchema>

export function checkBfd(at: Path, entry: BfdEntry | undefined, complaints: Complaints): void {
  if (typeof entry !== 'object' || entry.authentication === undefined) return
  const { key: secret, keyFile } = entry.authentication
  const path = [...at, 'authentication']
  if (secret === undefined && keyFile === undefined) {
    complaints.error([...path, 'key'], 'is missing', 'add key: "...", or keyFile: FILE')
  }
  if (secret !== undefined && keyFile !== undefined) {
    const message = 'key stands beside it, and only one can count'
    complaints.error([...path, 'keyFile'], message, 'remove one of them')
  }
}

/** `read`: the key in a file; undefined when it was complained of. */
export function resolveBfd(
  at: Path,
  entry: BfdEntry,
  read: (file: string, path: Path) => Secret | undefined,
): BfdConfig | undefined {
  if (entry === false) return undefined
  const given = entry === true ? {} : entry
  const { interval = DEFAULT_INTERVAL_SECONDS, multiplier = DEFAULT_MULTIPLIER, multihop } = given
  const {
    keyFile,
    key: written,
    keyId = DEFAULT_KEY_ID,
    meticulous = false,
  } = given.authentication ?? {}
  const secret =
    keyFile === undefined ? written : read(keyFile, [...at, 'authentication', 'keyFile'])
  return {
    intervalMs: milliseconds(interval),
    minReceiveMs: milliseconds(given.minReceive ?? interval),
    multiplier,
    strict: given.strict ?? false,
    ...(multihop === undefined ? {} : { multihop }),
    ...(secret === undefined ? {} : { authentication: { key: secret, keyId, meticulous } }),
  }
}

const milliseconds = (seconds: number): number => Math.round(seconds * 1000)
