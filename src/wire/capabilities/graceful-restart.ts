import type { AfiSafi, CapabilitySpec } from './capability.ts'

/** Forwarding goes on while the sender's BGP restarts. */
export interface GracefulRestart {
  readonly name: 'graceful-restart'
  /** The sender has restarted and waits for End-of-RIB. */
  readonly restarting: boolean
  /** RFC 8538: a NOTIFICATION, unless it is a hard reset, also keeps the routes. */
  readonly notification: boolean
  readonly restartTimeSeconds: number
  readonly families: readonly (AfiSafi & { readonly forwardingPreserved: boolean })[]
}

const RESTARTING = 0x8000
const NOTIFICATION = 0x4000
const TIME = 0x0fff
const FORWARDING = 0x80

export const gracefulRestart: CapabilitySpec<GracefulRestart> = {
  code: 64,
  name: 'graceful-restart',
  rfc: 'RFC 4724 section 3',
  onMalformed: 'ignore',
  decode(from) {
    const head = from.u16()
    const families = []
    while (from.left > 0) {
      const family = { afi: from.u16(), safi: from.u8() }
      families.push({ ...family, forwardingPreserved: (from.u8() & FORWARDING) !== 0 })
    }
    return {
      name: 'graceful-restart',
      restarting: (head & RESTARTING) !== 0,
      notification: (head & NOTIFICATION) !== 0,
      restartTimeSeconds: head & TIME,
      families,
    }
  },
  encode({ restarting, notification, restartTimeSeconds, families }, to) {
    const flags = (restarting ? RESTARTING : 0) | (notification ? NOTIFICATION : 0)
    to.u16(flags | Math.min(restartTimeSeconds, TIME))
    for (const { afi, safi, forwardingPreserved } of families) {
      to.u16(afi)
        .u8(safi)
        .u8(forwardingPreserved ? FORWARDING : 0)
    }
  },
}
