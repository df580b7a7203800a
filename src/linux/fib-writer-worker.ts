/**
 * The worker thread of the FIB writer: empties the ring into the kernel until told to stop.
 *
 * It never returns to its event loop: between batches it sleeps in Atomics.wait, and definitions of
 * next hops are fetched from its port before each batch (they were posted before the routes that use
 * them were published). When the socket breaks it throws, and the main thread starts another.
 */
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads'
import type { KernelOptions } from '../fib/kernel.ts'
import { NetlinkSocket } from './netlink-socket.ts'
import { RouteBatch, type RouteFailure } from './route-batch.ts'
import type { RouteDefinition } from './route-encoder.ts'
import { RouteRing } from './route-ring.ts'

export interface WriterWorkerData {
  readonly memory: SharedArrayBuffer
  readonly fd: number
  readonly options: KernelOptions
  readonly definitions: readonly DefinitionMessage[]
}

/** How routes of `id` are written from now on. */
export interface DefinitionMessage {
  readonly id: number
  readonly definition: RouteDefinition | undefined
}

/** Which source address routes ask for from now on. */
export interface SourceMessage {
  readonly preferredSource: KernelOptions['preferredSource']
}

/** Progress: everything before `tail` is done, except for what failed. */
export interface ProgressMessage {
  readonly tail: number
  readonly failures: readonly RouteFailure[]
}

/** Progress is told at most this often, unless there is nothing left to do or something failed. */
const REPORT_EVERY_MS = 1

const { memory, fd, options, definitions } = workerData as WriterWorkerData
const ring = new RouteRing(memory)
const batch = new RouteBatch(NetlinkSocket.adopt(fd), options)
for (const { id, definition } of definitions) batch.encoder.define(id, definition)

let reportedAt = 0
for (;;) {
  const heard = ring.bell
  const head = ring.head
  const tail = ring.tail
  if (((head - tail) | 0) <= 0) {
    if (ring.stopped) break
    ring.wait(heard)
    continue
  }
  takeDefinitions()
  const failures: RouteFailure[] = []
  const done = batch.write(ring, tail, head, failures)
  ring.consume(done)
  const now = performance.now()
  if (failures.length > 0 || done === ring.head || now - reportedAt >= REPORT_EVERY_MS) {
    parentPort?.postMessage({ tail: done, failures } satisfies ProgressMessage)
    reportedAt = now
  }
}

function takeDefinitions(): void {
  if (parentPort === null) return
  for (;;) {
    const received = receiveMessageOnPort(parentPort)
    if (received === undefined) return
    const message = received.message as DefinitionMessage | SourceMessage
    if ('id' in message) batch.encoder.define(message.id, message.definition)
    else batch.encoder.preferSource(message.preferredSource)
  }
}
