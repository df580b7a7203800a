/**
 * A disposable network namespace for tests of the kernel.
 *
 * `enterBox` moves the test file's process (vitest runs each file in one of its own) into a fresh
 * namespace with nothing but `lo` in it. It is gone with the process, however that ends, and the
 * host's own network is never seen. It needs root, or root inside a user namespace: run the tier as
 * `unshare --user --map-root-user --net --mount --pid --fork npx vitest run --project kernel`.
 */
import { execFileSync } from 'node:child_process'
import { CLONE_NEWNET, unshare } from '../../src/linux/sys.ts'

/** Once per test file, before anything opens a socket. */
export function enterBox(): void {
  const result = unshare(CLONE_NEWNET)
  if (result < 0) {
    throw new Error('kernel tests need root, or `unshare --user --map-root-user` around them')
  }
  ip('link set lo up')
}

/** Runs `ip ARGUMENTS` in the box; its output. Throws with what it said when it fails. */
export function ip(command: string): string {
  return execFileSync('ip', command.split(' '), {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 28,
  })
}

/** Many `ip` commands in one go: a hundred times faster than one by one. */
export function ipBatch(commands: readonly string[], ...options: readonly string[]): void {
  execFileSync('ip', [...options, '-batch', '-'], {
    input: commands.join('\n') + '\n',
    stdio: ['pipe', 'ignore', 'pipe'],
  })
}

/** What `ip -j` prints, for `ipJson('route show table all')`. */
export function ipJson(command: string): readonly IpRow[] {
  const output = ip(`-j -N -d ${command}`)
  return output.trim() === '' ? [] : (JSON.parse(output) as IpRow[])
}

/** A row of `ip -j -N -d`, as far as tests look at it: everything is a number or text. */
export interface IpRow {
  readonly dst?: string
  readonly type?: string
  readonly gateway?: string
  readonly via?: { readonly family: string; readonly host: string }
  readonly dev?: string
  readonly nhid?: number
  /** Newer versions of `ip` show the object along with the route. */
  readonly nh_info?: unknown
  readonly protocol?: string
  readonly metric?: number
  readonly table?: string
  readonly prefsrc?: string
  readonly id?: number
  readonly group?: readonly { readonly id: number; readonly weight?: number }[]
  readonly flags?: readonly string[]
  readonly nexthops?: readonly {
    readonly gateway?: string
    readonly via?: { readonly family: string; readonly host: string }
    readonly dev: string
    readonly weight: number
    readonly flags: readonly string[]
  }[]
}

/** A pair of links, up, whose near end has `addresses`. The far end lives in the same box. */
export function wire(near: string, far: string, addresses: readonly string[] = []): void {
  ip(`link add ${near} type veth peer name ${far}`)
  for (const address of addresses) ip(`addr add ${address} dev ${near}${nodad(address)}`)
  ip(`link set ${near} up`)
  ip(`link set ${far} up`)
}

const nodad = (address: string): string => (address.includes(':') ? ' nodad' : '')

/** The interface index of a link. */
export function linkIndex(name: string): number {
  const [row] = JSON.parse(ip(`-j link show dev ${name}`)) as { ifindex: number }[]
  return row.ifindex
}
