/** Messages and bytes of a peer, each way, over all its sessions. */
export type MessageKind = 'open' | 'update' | 'notification' | 'keepalive' | 'routeRefresh'
export type Traffic = Record<MessageKind | 'bytes', number>

export interface Counters {
  readonly received: Traffic
  readonly sent: Traffic
}

const none = (): Traffic => ({
  open: 0,
  update: 0,
  notification: 0,
  keepalive: 0,
  routeRefresh: 0,
  bytes: 0,
})

export const newCounters = (): Counters => ({ received: none(), sent: none() })

export const copyOf = ({ received, sent }: Counters): Counters => ({
  received: { ...received },
  sent: { ...sent },
})

/** Starts counting anew. */
export function clearCounters({ received, sent }: Counters): void {
  Object.assign(received, none())
  Object.assign(sent, none())
}

/** Where the length stands in a message, after the marker (RFC 4271 4.1). */
const LENGTH_AT = 16
const HEADER_BYTES = 19

/** How many messages `bytes` holds, which must be whole ones. */
export function messagesIn(bytes: Uint8Array): number {
  let count = 0
  for (let at = 0; at + HEADER_BYTES <= bytes.length; count++) {
    at += Math.max(HEADER_BYTES, (bytes[at + LENGTH_AT] << 8) | bytes[at + LENGTH_AT + 1])
  }
  return count
}
