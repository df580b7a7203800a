/** Who watches: the sections `mrt` and `bmp`. */
import type { Complaints } from './advice.ts'
import type { BmpConfig, MrtConfig } from './config.ts'
import type { BmpEntry, MrtEntry } from './schema.ts'

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
