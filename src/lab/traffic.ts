/**
 * Steady traffic between containers, for measuring how long a failure interrupts it. Runs in a process
 * of its own (`linnet lab traffic`, hidden), because its only care is the clock.
 *
 * Every millisecond each stream sends one small UDP packet with its number. Between packets the thread
 * sleeps without an event loop; sending and receiving take turns, so that if the machine stalls us, the
 * queues stay short and nothing is lost by our own doing. Such stalls are counted and told.
 */
import { z } from 'zod'
import { address } from '../net/address.ts'
import { openDatagram, type DatagramSocket } from '../linux/datagram.ts'
import { inNamespace } from '../linux/netns.ts'
import { outagesOf, type Outage } from './outage.ts'

const streamEnd = z.object({ namespace: z.string(), address: z.string() })
const streamOrder = z.object({ from: streamEnd, to: streamEnd })
type StreamOrder = z.output<typeof streamOrder>

export const trafficOrderSchema = z.object({
  streams: z.array(streamOrder),
  packetsPerSecond: z.int().min(1).max(10_000),
})
export type TrafficOrder = z.output<typeof trafficOrderSchema>

export interface StreamReport {
  readonly sent: number
  readonly received: number
  readonly outages: readonly Outage[]
}

export interface TrafficReport {
  readonly streams: readonly StreamReport[]
  /** The longest that this process itself was kept from sending. */
  readonly longestStallMs: number
}

const FIRST_PORT = 40_000
const PACKET_BYTES = 64
/** Behind by more packets than this, the schedule moves: no bursts. */
const CATCH_UP = 10
const LONGEST_SECONDS = 600
/** Turns of the event loop, to hear the order to stop. */
const LISTEN_EVERY_MS = 10
const LAST_PACKETS_MS = 300

/** Milliseconds of CLOCK_MONOTONIC: the same for all processes. */
export const monotonicMs = (): number => Number(process.hrtime.bigint()) / 1e6

interface Stream {
  readonly out: DatagramSocket
  readonly in: DatagramSocket
  readonly sentAtMs: Float64Array
  readonly arrived: Uint8Array
}

/** Sends until `stopped` says so; `started` is called when the first packets are on their way. */
export async function runTraffic(
  order: TrafficOrder,
  stopped: () => boolean,
  started: () => void,
): Promise<TrafficReport> {
  const most = order.packetsPerSecond * LONGEST_SECONDS
  const streams = order.streams.map((it, i) => openStream(it, FIRST_PORT + i, most))
  const packet = new Uint8Array(PACKET_BYTES)
  const view = new DataView(packet.buffer)
  const cell = new Int32Array(new SharedArrayBuffer(4))
  const interval = 1000 / order.packetsPerSecond
  let origin = monotonicMs()
  let longestStallMs = 0
  let sent = 0
  let listenedAt = origin
  const drain = (): void => {
    for (const { in: socket, arrived } of streams) {
      socket.drain((bytes) => {
        const number = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0)
        if (number < arrived.length) arrived[number] = 1
      })
    }
  }
  while (sent < most) {
    const now = monotonicMs()
    const due = Math.floor((now - origin) / interval) + 1
    if (due - sent > CATCH_UP) {
      longestStallMs = Math.max(longestStallMs, (due - sent) * interval)
      origin = now - sent * interval
    }
    drain()
    for (; sent < due && sent < most && due - sent <= CATCH_UP; sent++) {
      view.setUint32(0, sent)
      for (const { out, sentAtMs } of streams) {
        sentAtMs[sent] = monotonicMs()
        out.send(packet)
      }
      if (sent === 0) started()
    }
    if (now - listenedAt >= LISTEN_EVERY_MS) {
      listenedAt = now
      await new Promise((resolve) => setImmediate(resolve))
      if (stopped()) break
    }
    const rest = origin + sent * interval - monotonicMs()
    if (rest > 0) Atomics.wait(cell, 0, 0, rest)
  }
  const end = monotonicMs() + LAST_PACKETS_MS
  while (monotonicMs() < end) {
    drain()
    Atomics.wait(cell, 0, 0, 5)
  }
  const reports = streams.map(({ sentAtMs, arrived }) => ({
    sent,
    received: arrived.subarray(0, sent).reduce((sum, it) => sum + it, 0),
    outages: outagesOf(sentAtMs, arrived, sent),
  }))
  for (const stream of streams) {
    stream.in.close()
    stream.out.close()
  }
  return { streams: reports, longestStallMs }
}

function openStream({ from, to }: StreamOrder, port: number, most: number): Stream {
  const sender = { address: address(from.address), port }
  const receiver = { address: address(to.address), port }
  return {
    out: inNamespace(from.namespace, () => openDatagram(sender, receiver)),
    in: inNamespace(to.namespace, () => openDatagram(receiver, sender)),
    sentAtMs: new Float64Array(most),
    arrived: new Uint8Array(most),
  }
}
