import type { AfiSafi, CapabilitySpec } from './capability.ts'

/** After the time of `graceful-restart`, which it is told with, routes may live on as the last choice. */
export interface LongLivedGracefulRestart {
  readonly name: 'long-lived-graceful-restart'
  readonly families: readonly (AfiSafi & {
    readonly forwardingPreserved: boolean
    /** 24 bits. */
    readonly staleTimeSeconds: number
  })[]
}

const TIME = 0xffffff
const FORWARDING = 0x80

export const longLivedGracefulRestart: CapabilitySpec<LongLivedGracefulRestart> = {
  code: 71,
  name: 'long-lived-graceful-restart',
  rfc: 'RFC 9494 section 3.1',
  onMalformed: 'ignore',
  decode(from) {
    const families = []
    while (from.left > 0) {
      const family = { afi: from.u16(), safi: from.u8() }
      const word = from.u32()
      const forwardingPreserved = ((word >>> 24) & FORWARDING) !== 0
      families.push({ ...family, forwardingPreserved, staleTimeSeconds: word & TIME })
    }
    return { name: 'long-lived-graceful-restart', families }
  },
  encode({ families }, to) {
    for (const { afi, safi, forwardingPreserved, staleTimeSeconds } of families) {
      const flags = forwardingPreserved ? FORWARDING : 0
      to.u16(afi)
        .u8(safi)
        .u32(((flags << 24) | Math.min(staleTimeSeconds, TIME)) >>> 0)
    }
  },
}
