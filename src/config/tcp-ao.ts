/**
 * `tcpAo`: the keys that a session is signed with (RFC 5925), one alone or several in a list while one is
 * replaced by another.
 */
import { z } from 'zod'
import { TCP_AO_ALGORITHMS } from '../session/transport.ts'
import type { Complaints } from './advice.ts'
import type { TcpAoConfig } from './config.ts'
import { key, list } from './key.ts'
import type { Secret } from './secret.ts'
import type { Path } from './tree.ts'
import { choice, integer, path, signingKey, valueFacts } from './values.ts'

const keyId = integer(0, 255, 'the id of a key')

const tcpAoKeySchema = z
  .strictObject({
    sendId: key(keyId, "The key's id in the segments that we send: `receiveId` at the peer.", 1),
    receiveId: key(keyId, "Its id in the peer's segments: `sendId` there.", 1),
    algorithm: key(
      choice(...TCP_AO_ALGORITHMS).optional(),
      'What it signs with: `hmac-sha1` and `cmac-aes128` are those of RFC 5926.',
      'cmac-aes128',
      '`hmac-sha1`',
    ),
    key: key(
      signingKey.optional(),
      'The key, up to 80 bytes. Never printed, never logged. Or `keyFile`.',
      'correct horse',
      'needed where there is no `keyFile`',
    ),
    keyFile: key(
      path.optional(),
      'File whose first line is the key, as for `passwordFile`.',
      '/etc/linnet/tor.key',
      'needed where there is no `key`',
    ),
  })
  .register(valueFacts, {
    noun: 'a key of TCP-AO',
    write: '{ sendId: 1, receiveId: 1, key: "..." }',
    secret: true,
  })

export const tcpAoSchema = z
  .union([
    tcpAoKeySchema,
    list(tcpAoKeySchema, 'a list of keys', '[{ sendId: 1, receiveId: 1, key: "..." }]').min(1),
  ])
  .register(valueFacts, {
    noun: 'a key of TCP-AO',
    write: '{ sendId: 1, receiveId: 1, key: "..." }, or a list of them',
    secret: true,
  })

type TcpAoEntry = z.output<typeof tcpAoSchema>

/** One by one, with where each is written. */
function keysOf(at: Path, entry: TcpAoEntry) {
  return Array.isArray(entry)
    ? entry.map((it, i) => ({ it, path: [...at, i] }))
    : [{ it: entry, path: at }]
}

export function checkTcpAo(at: Path, entry: TcpAoEntry | undefined, complaints: Complaints): void {
  if (entry === undefined) return
  const keys = keysOf(at, entry)
  for (const [i, { it, path }] of keys.entries()) {
    if (it.key === undefined && it.keyFile === undefined) {
      complaints.error([...path, 'key'], 'is missing', 'add key: "...", or keyFile: FILE')
    }
    if (it.key !== undefined && it.keyFile !== undefined) {
      const message = 'key stands beside it, and only one can count'
      complaints.error([...path, 'keyFile'], message, 'remove one of them')
    }
    for (const id of ['sendId', 'receiveId'] as const) {
      // RFC 5925 section 3.1: keys of a connection differ in both of their ids.
      if (!keys.slice(0, i).some((other) => other.it[id] === it[id])) continue
      const message = `${it[id]} is the ${id} of a key above`
      complaints.error([...path, id], message, 'give each key ids of its own')
    }
  }
}

/** `read`: the key in a file; undefined when it was complained of. */
export function resolveTcpAo(
  at: Path,
  entry: TcpAoEntry,
  read: (file: string, path: Path) => Secret | undefined,
): TcpAoConfig[] {
  return keysOf(at, entry).flatMap(({ it, path }) => {
    const { sendId, receiveId, algorithm = 'hmac-sha1', keyFile } = it
    const secret = keyFile === undefined ? it.key : read(keyFile, [...path, 'keyFile'])
    return secret === undefined ? [] : [{ sendId, receiveId, algorithm, key: secret }]
  })
}
