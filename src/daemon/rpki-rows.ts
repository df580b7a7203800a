/** Rows of `show rpki`. */
import type { RpkiRow } from '../control/rows.ts'
import { IPV4, IPV6 } from '../net/family.ts'
import type { Speaker } from './speaker.ts'

export const rpkiRows = ({ rpkiCaches }: Speaker): RpkiRow[] =>
  rpkiCaches.values().map(({ name, client }) => {
    const { state, since, version, sessionId, serial, lastError } = client.snapshot()
    return {
      cache: name,
      state,
      used: client === rpkiCaches.rpki.believed,
      version,
      sessionId: sessionId ?? null,
      serial: serial ?? null,
      ipv4: client.vrps.sizeOf(IPV4),
      ipv6: client.vrps.sizeOf(IPV6),
      since: new Date(since).toISOString(),
      lastError: lastError === '' ? null : lastError,
    }
  })
