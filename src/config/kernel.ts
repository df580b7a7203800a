/**
 * The `kernel` section: table names to numbers, and numbers that belong to somebody else.
 */
import type { Complaints } from './advice.ts'
import type { KernelConfig, PreferredSource } from './config.ts'
import type { KernelEntry } from './schema.ts'
import { mayBeOwn, type World } from './world.ts'

/** RT_TABLE_LOCAL: the kernel's own addresses. */
const LOCAL_TABLE = 255

/**
 * Who writes routes under which number (rtnetlink(7), linux/rtnetlink.h). Those of the kernel and of
 * the administrator are refused: at the next start we would sweep them away as our own leftovers.
 */
const PROTOCOLS: ReadonlyMap<number, { readonly name: string; readonly refused: boolean }> =
  new Map([
    [1, { name: 'ICMP redirects', refused: true }],
    [2, { name: 'the kernel', refused: true }],
    [3, { name: 'the boot scripts', refused: true }],
    [4, { name: 'the administrator (static)', refused: true }],
    [9, { name: 'router advertisements', refused: true }],
    [11, { name: "FRR's zebra", refused: false }],
    [12, { name: 'BIRD', refused: false }],
    [16, { name: 'DHCP clients', refused: true }],
    [18, { name: 'keepalived', refused: false }],
    [42, { name: 'babeld', refused: false }],
    [186, { name: "FRR's bgpd", refused: false }],
    [187, { name: "FRR's isisd", refused: false }],
    [188, { name: "FRR's ospfd", refused: false }],
    [189, { name: "FRR's ripd", refused: false }],
    [192, { name: "FRR's eigrpd", refused: false }],
  ])

export function resolveKernel(
  entry: KernelEntry,
  world: World,
  complaints: Complaints,
): KernelConfig | undefined {
  const owner = PROTOCOLS.get(entry.protocol)
  if (owner?.refused === true) {
    const message = `${entry.protocol} marks the routes of ${owner.name}`
    complaints.error(['kernel', 'protocol'], message, 'write 179')
  } else if (owner !== undefined) {
    const message = `${entry.protocol} marks the routes of ${owner.name}: where that runs, linnet would take them for its own`
    complaints.warning(['kernel', 'protocol'], message, 'write 179')
  }
  const table = typeof entry.table === 'number' ? entry.table : world.tables.get(entry.table)
  if (table === undefined) {
    const message = `no routing table is called ${entry.table}`
    complaints.error(
      ['kernel', 'table'],
      message,
      'write its number, or name it in /etc/iproute2/rt_tables',
    )
    return undefined
  }
  if (table === LOCAL_TABLE) {
    complaints.error(['kernel', 'table'], "the table local is the kernel's own", 'write main')
  }
  return { ...entry, table, preferredSource: preferredSource(entry, world, complaints) }
}

function preferredSource(
  { preferredSource: written }: KernelEntry,
  world: World,
  complaints: Complaints,
): KernelConfig['preferredSource'] {
  if (written === 'auto' || written === 'none') return written
  const sources: { -readonly [K in keyof PreferredSource]: PreferredSource[K] } = {}
  const addresses = Array.isArray(written) ? written : [written]
  addresses.forEach((address, i) => {
    const path = ['kernel', 'preferredSource', ...(Array.isArray(written) ? [i] : [])]
    if (!mayBeOwn(world, address)) {
      const message = `${address.text} is not an address of this host`
      complaints.error(path, message, 'write one that is, or auto')
    }
    if (sources[address.family] !== undefined) {
      complaints.error(path, 'two addresses of one family', 'write one of each')
    }
    sources[address.family] = address
  })
  return sources
}
