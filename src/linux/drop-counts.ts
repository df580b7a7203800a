/**
 * How many TCP segments the kernel has dropped for want of the right signature or TTL, in our network
 * namespace (the TcpExt rows of /proc/net/netstat: a line of names, and a line of values).
 *
 * Read synchronously, as sysctls are: the file shows the namespace of the thread that opens it.
 */
import { readFileSync } from 'node:fs'

export const DROP_COUNTERS = [
  /** Signed with another key than ours. */
  'TCPMD5Failure',
  /** Not signed, where we have a key. */
  'TCPMD5NotFound',
  /** Signed, where we have no key. */
  'TCPMD5Unexpected',
  /** The same of TCP-AO: another key under the id, no signature, an id that we have no key for. */
  'TCPAOBad',
  'TCPAORequired',
  'TCPAOKeyNotFound',
  /** Less TTL than GTSM asks for. */
  'TCPMinTTLDrop',
] as const
export type DropCounter = (typeof DROP_COUNTERS)[number]
export type DropCounts = Readonly<Record<DropCounter, number>>

export function readDropCounts(): DropCounts {
  try {
    return dropCountsOf(readFileSync('/proc/thread-self/net/netstat', 'utf8'))
  } catch {
    return dropCountsOf('') // hidden, as in some containers
  }
}

/** A counter that this kernel doesn't have is 0. */
export function dropCountsOf(netstat: string): DropCounts {
  const rows = netstat.split('\n').filter((row) => row.startsWith('TcpExt:'))
  const [names = [], values = []] = rows.map((row) => row.split(' '))
  const count = (name: DropCounter): number => {
    const at = names.indexOf(name)
    return at < 0 || at >= values.length ? 0 : Number(values[at])
  }
  return {
    TCPMD5Failure: count('TCPMD5Failure'),
    TCPMD5NotFound: count('TCPMD5NotFound'),
    TCPMD5Unexpected: count('TCPMD5Unexpected'),
    TCPAOBad: count('TCPAOBad'),
    TCPAORequired: count('TCPAORequired'),
    TCPAOKeyNotFound: count('TCPAOKeyNotFound'),
    TCPMinTTLDrop: count('TCPMinTTLDrop'),
  }
}
