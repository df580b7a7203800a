/** The host at one moment, for who asks once and does not listen: its addresses, its networks, and the ways to others. */
import type { Address } from '../net/address.ts'
import { hostPrefix, prefixOf, type Prefix } from '../net/prefix.ts'
import { dumpNextHops } from './kernel-reader.ts'
import { readTables } from './kernel-snapshot.ts'
import { KernelTables } from './kernel-tables.ts'
import { RTN_UNICAST } from './route-message.ts'

/** A prefix, and a link that leads there. */
export interface Way {
  readonly prefix: Prefix
  readonly link: string
}

export interface HostSnapshot {
  readonly addresses: readonly Address[]
  /** Networks that our addresses stand on. */
  readonly connected: readonly Way[]
  /** Routes of a protocol, by every link of each. */
  learned(protocol: number): readonly Way[]
  /** By which links packets for `address` leave; none when nothing leads there. */
  linksTo(address: Address): readonly string[]
}

/** No route has it: everybody's are read. */
const NOBODY = -1

export async function readHost(): Promise<HostSnapshot> {
  const tables = new KernelTables()
  for (const step of await readTables(NOBODY)) step(tables)
  // Ours as well, which the monitor leaves to the FIB.
  for (const object of (await dumpNextHops()) ?? []) tables.putObject(object)
  const nameOf = (index: number): string => tables.links.get(index)?.name ?? ''
  const addresses = [...tables.addresses()]
  return {
    addresses: addresses.map(({ address }) => address),
    connected: addresses
      .filter(({ address, length }) => length < hostPrefix(address).length)
      .map(({ address, length, link }) => ({
        prefix: prefixOf(address, length),
        link: nameOf(link),
      })),
    learned: (protocol) =>
      [...tables.routes.all()]
        .filter((route) => route.protocol === protocol && route.type === RTN_UNICAST)
        .flatMap((route) =>
          tables.hopsOf(route).map(({ link }) => ({ prefix: route.prefix, link: nameOf(link) })),
        ),
    linksTo: (address) => {
      for (const [route] of tables.routes.candidates(address)) {
        const links = route?.type === RTN_UNICAST ? tables.hopsOf(route) : []
        return [...new Set(links.map(({ link }) => nameOf(link)))]
      }
      return []
    },
  }
}
