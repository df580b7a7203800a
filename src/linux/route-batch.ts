/**
 * Writes routes from the ring to the kernel, some hundreds with one system call: the part that the
 * main thread and the worker have in common.
 *
 * The sequence number of each message is the route's position in the ring, so that a refusal finds
 * its route. Deleting what is not there (ESRCH) is no failure: the outcome is what was asked for.
 */
import { ROUTE_DELETE, type KernelError, type KernelOptions } from '../fib/kernel.ts'
import type { NetlinkSocket } from './netlink-socket.ts'
import { RouteEncoder } from './route-encoder.ts'
import type { RouteRing } from './route-ring.ts'
import { ESRCH } from './sys.ts'

const BATCH_ROUTES = 400

/** A record that nothing is done for. */
export const NO_OPERATION = 0

export interface RouteFailure {
  /** The route's position in the ring. */
  readonly position: number
  readonly error: KernelError
}

export class RouteBatch {
  readonly encoder: RouteEncoder
  readonly #socket: NetlinkSocket

  constructor(socket: NetlinkSocket, options: KernelOptions) {
    this.#socket = socket
    this.encoder = new RouteEncoder(options)
  }

  /**
   * Writes the records from `tail` on, up to one batch and not beyond `head`. Returns the position
   * after the last one; refusals are added to `failures` in order. Throws when the socket broke.
   */
  write(ring: RouteRing, tail: number, head: number, failures: RouteFailure[]): number {
    const { encoder } = this
    const { words } = ring
    const end = ((head - tail) | 0) > BATCH_ROUTES ? (tail + BATCH_ROUTES) | 0 : head
    let position = tail
    encoder.reset()
    while (position !== end) {
      const at = ring.at(position)
      const first = words[at]
      const family = (first >>> 8) & 0xff
      const id = words[at + 1]
      const operation = first & 0xff
      const full =
        operation !== NO_OPERATION &&
        !encoder.encode(operation, family, words, at + 2, first >>> 16, id, position)
      if (full) break
      position = (position + 1) | 0
    }
    if (encoder.length === 0) return position
    this.#socket.transact(encoder.bytes, encoder.length, (sequence, error) => {
      const failed = sequence | 0
      const inBatch = (failed - tail) >>> 0 < (position - tail) >>> 0
      if (!inBatch) return // a late answer to what was sent before a restart
      const deleted = (words[ring.at(failed)] & 0xff) === ROUTE_DELETE
      if (!(deleted && error.errno === ESRCH)) failures.push({ position: failed, error })
    })
    return position
  }
}
