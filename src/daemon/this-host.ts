/** What a configuration is held against on this host: its addresses, its links, and what its kernel can do. */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { Environment } from '../config/load.ts'
import { hasTcpAo } from '../linux/tcp-ao.ts'
import { parseAddress } from '../net/address.ts'
import type { HostView } from '../sources/source.ts'
import { ownAddresses } from './host-addresses.ts'

/** As the daemon sees it. */
export const hostFacts = (host: HostView): Environment => ({
  ownAddresses: ownAddresses(host),
  links: [...host.links()].map(({ name }) => name),
  hasTcpAo,
})

/** As anybody sees it who does not listen to the kernel. */
export function hostFactsAtAGlance(): Environment {
  const addresses = Object.values(networkInterfaces()).flatMap((all) => all ?? [])
  const links = readFileSync('/proc/net/dev', 'utf8').matchAll(/^\s*(\S+):/gm)
  return {
    ownAddresses: addresses.flatMap(({ address }) => parseAddress(address) ?? []),
    links: [...links].map(([, name = '']) => name),
    hasTcpAo,
  }
}
