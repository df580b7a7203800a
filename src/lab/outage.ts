/**
 * From what was sent and what arrived: how many packets were lost, and for how long nothing got
 * through. An outage lasts from the sending of its first lost packet to the sending of the next one
 * that arrived; no clock of the receiver is needed, and a late packet is no lost one.
 */
export interface Outage {
  /** When its first packet was sent, in the sender's milliseconds. */
  readonly startMs: number
  readonly lengthMs: number
  readonly lost: number
}

/** Packets in a row that end an outage: fewer are luck, not recovery. */
const RECOVERED = 5

/** The outages among the first `count` packets; `arrived[i]` is not 0 when packet i did. */
export function outagesOf(
  sentAtMs: Float64Array,
  arrived: Uint8Array,
  count: number,
): readonly Outage[] {
  const outages: Outage[] = []
  for (let i = 0; i < count; i++) {
    if (arrived[i] !== 0) continue
    const first = i
    let lost = 0
    let good = 0
    let end = count
    for (; i < count && good < RECOVERED; i++) {
      if (arrived[i] === 0) {
        lost++
        good = 0
        end = count
      } else {
        if (good === 0) end = i
        good++
      }
    }
    i--
    const startMs = sentAtMs[first]
    const endMs = end < count ? sentAtMs[end] : sentAtMs[count - 1]
    outages.push({ startMs, lengthMs: Math.max(0, endMs - startMs), lost })
  }
  return outages
}
