/** Who watches: the sections `mrt` and `bmp`. */
import type { Complaints } from './advice.ts'
import type { MrtConfig } from './config.ts'
import type { MrtEntry } from './schema.ts'

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
