/**
 * GET /v1/events: the event stream as server-sent events (WHATWG HTML 9.2).
 *
 * Events are pushed to a reader that may be slow. What a reader has not taken is bounded: beyond that,
 * events are dropped and counted, and `event: lost` with the count follows when there is room again.
 */
import type { ServerResponse } from 'node:http'
import type { EventStream } from './queries.ts'
import type { EventRow } from './reports.ts'

const BACKLOG_BYTES = 1024 * 1024
/** A comment now and then keeps middle boxes and readers from giving up. */
const HEARTBEAT_MS = 15_000

/** Sends events of `topic` (all when undefined) to `to` until either side closes. */
export function sendEvents(
  to: ServerResponse,
  stream: EventStream,
  topic: EventRow['topic'] | undefined,
): void {
  to.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  })
  to.write(': linnet events\n\n')
  let lost = 0
  const unsubscribe = stream.subscribe((event) => {
    if (topic !== undefined && event.topic !== topic) return
    if (to.writableLength > BACKLOG_BYTES) lost++
    else to.write(`event: ${event.topic}\ndata: ${JSON.stringify(event)}\n\n`)
  })
  to.on('drain', () => {
    if (lost === 0) return
    to.write(`event: lost\ndata: ${JSON.stringify({ lost })}\n\n`)
    lost = 0
  })
  const heartbeat = setInterval(() => {
    if (to.writableLength === 0) to.write(': still here\n\n')
  }, HEARTBEAT_MS)
  heartbeat.unref()
  to.on('close', () => {
    clearInterval(heartbeat)
    unsubscribe()
  })
}
