/** The BFD session of a peer, on a line of `show peer`. */
import type { PeerDetail } from '../../control/rows.ts'
import { formatAge } from '../style.ts'

/**
 * `Up 10m (signed); we send every 300 ms, the peer every 300 ms, lost after 900 ms; longest silence 312 ms`, or
 * `Down 3s; the peer says Init; last: path down`; with the failures so far.
 */
export function bfdOf({ bfd, bfdFailures, bfdSession: it }: PeerDetail, now: number): string {
  if (it === null) return 'not started'
  const kind = [...(it.multihop ? ['multihop'] : []), ...(it.authenticated ? ['signed'] : [])]
  const state = `${bfd} ${formatAge(it.since, now)}`
  const failures = `${bfdFailures} ${bfdFailures === 1 ? 'failure' : 'failures'}`
  const facts =
    bfd === 'Up'
      ? [
          `we send every ${it.transmitInterval} ms, the peer every ${it.receiveInterval} ms, lost after ${it.detectionTime} ms`,
          `longest silence ${it.longestSilence} ms`,
        ]
      : [
          `the peer says ${it.remoteState}`,
          ...(it.diagnostic === 'none' ? [] : [`last: ${it.diagnostic}`]),
        ]
  const head = kind.length === 0 ? state : `${state} (${kind.join(', ')})`
  return [head, ...facts, failures].join('; ')
}
