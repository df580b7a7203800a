/**
 * All that the monitor keeps, read from the kernel at one go: links, addresses, nexthop objects and
 * the main table's routes that are not ours.
 */
import { dumpNextHops, dumpRoutes, isOurObject } from './kernel-reader.ts'
import type { KernelTables } from './kernel-tables.ts'
import {
  addressDumpRequest,
  decodeLink,
  decodeLinkAddress,
  linkDumpRequest,
} from './link-message.ts'
import { NetlinkSocket } from './netlink-socket.ts'
import { RT_TABLE_MAIN } from './route-message.ts'

/** Dumps everything into a list of steps, so that the tables change at one moment. */
export async function readTables(ownProtocol: number): Promise<((tables: KernelTables) => void)[]> {
  const steps: ((tables: KernelTables) => void)[] = []
  const socket = NetlinkSocket.open()
  try {
    await socket.dump(linkDumpRequest(), (view, _type, _flags, _sequence, from, to) => {
      const link = decodeLink(view, from, to)
      if (link !== undefined) steps.push((tables) => void tables.putLink(link))
    })
    await socket.dump(addressDumpRequest(), (view, _type, _flags, _sequence, from, to) => {
      const address = decodeLinkAddress(view, from, to)
      if (address !== undefined) steps.push((tables) => tables.putAddress(address))
    })
  } finally {
    socket.close()
  }
  for (const object of (await dumpNextHops()) ?? []) {
    if (!isOurObject(object)) steps.push((tables) => tables.putObject(object))
  }
  for (const family of ['ipv4', 'ipv6'] as const) {
    const filter = { table: RT_TABLE_MAIN }
    await dumpRoutes(
      family,
      filter,
      (protocol) => protocol !== ownProtocol,
      (route) => {
        if (route.table === RT_TABLE_MAIN) steps.push((tables) => tables.routes.put(route, false))
      },
    )
  }
  return steps
}
