/** Who watches: the sections `mrt` and `bmp`. */
import { z } from 'zod'
import type { Complaints } from './advice.ts'
import type { BmpConfig, MrtConfig } from './config.ts'
import { key, list } from './key.ts'
import { port } from './peer-schema.ts'
import { peerAddress } from './address-values.ts'
import { choice, interval, limit, path, pause } from './values.ts'

export const bmpSchema = z.strictObject({
  address: key(peerAddress, 'The station.', '192.0.2.8'),
  port: key(port.prefault(11019), 'Its TCP port.', 1790),
  monitor: key(
    list(choice('prePolicy', 'postPolicy', 'locRib'), 'a list of views', '[prePolicy, locRib]')
      .min(1)
      .prefault(['prePolicy', 'postPolicy', 'locRib']),
    'What it is told of: what peers announce before import policy, what is left of it after, and the chosen routes (RFC 9069).',
    ['postPolicy', 'locRib'],
  ),
  statistics: key(limit.prefault('60s'), 'Time from one report of numbers to the next.', '5m'),
  connectRetry: key(
    pause.prefault('30s'),
    'Wait before connecting again; it doubles with each failure, up to a minute.',
    '5s',
  ),
  sendHoldTime: key(
    interval.prefault('2m'),
    'How long the station may take no bytes before it is dropped and told everything anew.',
    '30s',
  ),
})

export const mrtSchema = z.strictObject({
  updates: key(
    path.optional(),
    'File to append every UPDATE received and every change of a session to, as MRT records; opened anew on each reload, for logrotate.',
    '/var/lib/linnet/updates.mrt',
    'none',
  ),
  rib: key(
    path.optional(),
    'File to dump all accepted routes to, as MRT records, from time to time; replaced as a whole.',
    '/var/lib/linnet/rib.mrt',
    'none',
  ),
  every: key(interval.prefault('1h'), 'Time from one dump of `rib` to the next.', '15m'),
})

type BmpEntry = z.output<typeof bmpSchema>
type MrtEntry = z.output<typeof mrtSchema>

export function resolveMrt(
  entry: MrtEntry | undefined,
  complaints: Complaints,
): MrtConfig | undefined {
  if (entry === undefined) return undefined
  const { updates, rib, every } = entry
  if (updates === undefined && rib === undefined) {
    complaints.error(['mrt'], 'names no file', 'write updates: or rib: with a file, or remove it')
  }
  if (updates !== undefined && updates === rib) {
    complaints.error(['mrt', 'rib'], `${rib} is the file for updates`, 'write another one')
  }
  return {
    ...(updates === undefined ? {} : { updates }),
    ...(rib === undefined ? {} : { rib }),
    everySeconds: every,
  }
}

export function resolveBmp(entries: readonly BmpEntry[], complaints: Complaints): BmpConfig[] {
  const seen = new Set<string>()
  return entries.map(({ statistics, connectRetry, sendHoldTime, ...station }, i) => {
    const text = `${station.address.text} port ${station.port}`
    if (seen.has(text)) complaints.error(['bmp', i], `${text} is here twice`, 'remove one')
    seen.add(text)
    return {
      ...station,
      statisticsSeconds: statistics,
      connectRetrySeconds: connectRetry,
      sendHoldTimeSeconds: sendHoldTime,
    }
  })
}
