/**
 * Reads back what the kernel has of ours: `fib/kernel`'s KernelReader.
 *
 * Each dump has a socket of its own, because replies and notifications on one socket get in each
 * other's way. The sockets are koffi's rather than the netlink package's: a dump never waits for
 * anything (the kernel makes each piece inside `recv`), so the loop is a plain read with pauses for
 * the event loop, and the options for filtering (strict checking) are set without looking for the
 * descriptor. The kernel filters by table and protocol; we check again, for kernels that don't.
 */
import type { Family } from '../net/family.ts'
import {
  NEXT_HOP_ID_FIRST,
  NEXT_HOP_ID_LAST,
  type KernelEvents,
  type KernelNextHopObject,
  type KernelReader,
  type KernelRoute,
} from '../fib/kernel.ts'
import { NetlinkError, NetlinkSocket } from './netlink-socket.ts'
import { decodeNextHop, nextHopDumpRequest } from './nexthop-message.ts'
import { decodeRoute, protocolAt, routeDumpRequest } from './route-message.ts'
import { ENOENT, EOPNOTSUPP } from './sys.ts'

export interface KernelReaderOptions {
  readonly table: number
  readonly protocol: number
  /** Who tells of changes: the monitor. */
  readonly events: { watch(events: KernelEvents): () => void }
}

export function kernelReader(options: KernelReaderOptions): KernelReader {
  const { table, protocol, events } = options
  return {
    dumpOurRoutes: (family, each) =>
      dumpRoutes(
        family,
        { table, protocol },
        (found) => found === protocol,
        (route) => {
          if (route.table === table) each(route)
        },
      ),
    dumpOurNextHops: async () => (await dumpNextHops())?.filter(isOurObject) ?? [],
    watch: (listener) => events.watch(listener),
  }
}

export const isOurObject = ({ id }: KernelNextHopObject): boolean =>
  id >= NEXT_HOP_ID_FIRST && id <= NEXT_HOP_ID_LAST

/**
 * Hands over the routes of `family` that pass the filter; those whose protocol is not `wanted` are
 * skipped before they are decoded. When the table changes underneath, routes may come twice.
 */
export async function dumpRoutes(
  family: Family,
  filter: { readonly table?: number; readonly protocol?: number },
  wanted: (protocol: number) => boolean,
  each: (route: KernelRoute) => void,
): Promise<void> {
  const socket = NetlinkSocket.open()
  try {
    await socket.dump(routeDumpRequest(family, filter), (view, _type, _flags, _seq, from, to) => {
      if (!wanted(protocolAt(view, from))) return
      const route = decodeRoute(view, from, to)
      if (route !== undefined) each(route)
    })
  } catch (error) {
    // A table that nobody has put a route into does not exist yet: it is empty.
    if (!(error instanceof NetlinkError && error.errno === ENOENT)) throw error
  } finally {
    socket.close()
  }
}

/** All nexthop objects, everybody's; undefined when the kernel knows no such thing (before 5.3). */
export async function dumpNextHops(): Promise<readonly KernelNextHopObject[] | undefined> {
  const socket = NetlinkSocket.open()
  const found = new Map<number, KernelNextHopObject>()
  try {
    await socket.dump(
      nextHopDumpRequest(),
      (view, _type, _flags, _sequence, from, to) => {
        const object = decodeNextHop(view, from, to)
        if (object !== undefined) found.set(object.id, object)
      },
      () => found.clear(),
    )
  } catch (error) {
    if (error instanceof NetlinkError && error.errno === EOPNOTSUPP) return undefined
    throw error
  } finally {
    socket.close()
  }
  return [...found.values()]
}
