/**
 * What this process may do, and how to be allowed more.
 *
 * linnet needs CAP_NET_ADMIN to write routes, CAP_NET_BIND_SERVICE for port 179 and CAP_NET_RAW for
 * captures and pings. Root has them, a user namespace gives them inside itself, systemd's
 * AmbientCapabilities or a file capability gives them to an ordinary user (capabilities(7)).
 */
import { readFileSync } from 'node:fs'

/** Bit numbers of linux/capability.h. */
const CAPABILITIES = {
  CAP_NET_BIND_SERVICE: 10,
  CAP_NET_ADMIN: 12,
  CAP_NET_RAW: 13,
  CAP_SYS_ADMIN: 21,
} as const

export type Capability = keyof typeof CAPABILITIES

/** What we want each for, in words for an error message. */
const PURPOSES: Record<Capability, string> = {
  CAP_NET_BIND_SERVICE: 'listening on a port below 1024',
  CAP_NET_ADMIN: 'writing routes and TCP MD5 keys',
  CAP_NET_RAW: 'capturing and sending raw packets',
  CAP_SYS_ADMIN: 'making namespaces',
}

export interface Privileges {
  /** Effective uid 0: of the machine, or of the user namespace we are in. */
  readonly root: boolean
  /** True when root here is not root of the machine. */
  readonly userNamespace: boolean
  readonly effective: ReadonlySet<Capability>
}

/** Those of this process. */
export const readPrivileges = (): Privileges =>
  parsePrivileges(
    readFileSync('/proc/self/status', 'utf8'),
    readFileSync('/proc/self/uid_map', 'utf8'),
  )

/** From the texts of /proc/PID/status and /proc/PID/uid_map (user_namespaces(7)). */
export function parsePrivileges(status: string, uidMap: string): Privileges {
  const bits = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/im.exec(status)?.[1] ?? '0'}`)
  const uids = /^Uid:\s*\d+\s+(\d+)/m.exec(status)
  const names = Object.keys(CAPABILITIES) as Capability[]
  const has = (name: Capability): boolean => ((bits >> BigInt(CAPABILITIES[name])) & 1n) === 1n
  return {
    root: uids?.[1] === '0',
    // The machine's own namespace maps all 2^32 - 1 uids to themselves.
    userNamespace: !/^\s*0\s+0\s+4294967295\s*$/.test(uidMap),
    effective: new Set(names.filter(has)),
  }
}

/** Those of `wanted` that we don't have. */
export const missingCapabilities = (
  wanted: readonly Capability[],
  privileges: Privileges,
): Capability[] => wanted.filter((name) => !privileges.effective.has(name))

/** One line: what is missing, what for, and the three ways to give it. '' when nothing is missing. */
export function explainMissing(
  missing: readonly Capability[],
  privileges: Privileges,
  node = process.execPath,
): string {
  if (missing.length === 0) return ''
  const purposes = missing.map((name) => `${name} (${PURPOSES[name]})`).join(' and ')
  if (privileges.root)
    return `missing ${purposes}: we are root without it, as in a container; give it with \`docker run ${missing
      .map((name) => `--cap-add ${name.replace(/^CAP_/, '')}`)
      .join(' ')}\` or the like`
  const flags = missing.map((name) => name.toLowerCase()).join(',')
  return (
    `missing ${purposes}: run as root (sudo), or with systemd's \`AmbientCapabilities=${missing.join(' ')}\`, ` +
    `or allow it to this Node for everybody: \`sudo setcap ${flags}+ep ${node}\``
  )
}
