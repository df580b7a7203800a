/**
 * Kernel parameters under /proc/sys, and what forwarding needs of them (ip-sysctl in the kernel's docs).
 *
 * Files are read and written synchronously on purpose: /proc/sys/net shows the network namespace of
 * the thread that opens it, and Node's file threads may live in another one than ours.
 */
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = '/proc/sys'

/** A parameter can't be read or set; the message says which and what helps. */
export class SysctlError extends Error {
  readonly code: string
  constructor(doing: string, name: string, cause: unknown) {
    const code = codeOf(cause)
    super(`can't ${doing} ${name}: ${EXPLANATIONS[code] ?? code}`, { cause })
    this.name = 'SysctlError'
    this.code = code
  }
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ENOENT: 'this kernel does not have it',
  EACCES: 'permission denied; run as root or with CAP_NET_ADMIN',
  EPERM: 'not permitted; run as root or with CAP_NET_ADMIN',
  EROFS: '/proc/sys is mounted read-only (a container?); set it on the host',
  EINVAL: 'the kernel refuses the value',
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)

/** Dots between the parts, as sysctl(8) writes it; an interface's own dots are written as `/`. */
const pathOf = (name: string): string =>
  join(ROOT, ...name.split('.').map((part) => part.replaceAll('/', '.')))

/** The value of `net.ipv4.ip_forward` and the like, without the newline. */
export function readSysctl(name: string): string {
  try {
    return readFileSync(pathOf(name), 'utf8').trim()
  } catch (cause) {
    throw new SysctlError('read', name, cause)
  }
}

export function writeSysctl(name: string, value: string | number): void {
  try {
    writeFileSync(pathOf(name), `${value}\n`)
  } catch (cause) {
    throw new SysctlError(`set ${value} in`, name, cause)
  }
}

/** A parameter that stands in the way of forwarding. */
export interface ForwardingProblem {
  readonly sysctl: string
  readonly value: string
  readonly wanted: string
  /** `error`: nothing is forwarded; `warning`: packets may be dropped in some topologies. */
  readonly severity: 'error' | 'warning'
  /** What it means, for people. */
  readonly text: string
}

const SWITCHES = [
  { sysctl: 'net.ipv4.ip_forward', text: 'the kernel does not forward IPv4 packets' },
  { sysctl: 'net.ipv6.conf.all.forwarding', text: 'the kernel does not forward IPv6 packets' },
] as const

/** What is in the way of forwarding; empty when all is well. A kernel without IPv6 is well. */
export function checkForwarding(): readonly ForwardingProblem[] {
  const problems: ForwardingProblem[] = []
  for (const { sysctl, text } of SWITCHES) {
    const value = readIfThere(sysctl)
    if (value === '0') problems.push({ sysctl, value, wanted: '1', severity: 'error', text })
  }
  return [...problems, ...strictReversePaths()]
}

/** Sets what `checkForwarding` calls an error; returns what could not be set, with the reason. */
export function enableForwarding(): readonly SysctlError[] {
  const refused: SysctlError[] = []
  for (const problem of checkForwarding()) {
    if (problem.severity !== 'error') continue
    try {
      writeSysctl(problem.sysctl, problem.wanted)
    } catch (error) {
      if (!(error instanceof SysctlError)) throw error
      refused.push(error)
    }
  }
  return refused
}

/**
 * rp_filter 1 drops what comes in on another link than the way back goes out: with several uplinks
 * that is normal traffic. The effective value is the larger of `all` and the interface's own.
 */
function strictReversePaths(): readonly ForwardingProblem[] {
  const all = Number(readIfThere('net.ipv4.conf.all.rp_filter') ?? '0')
  const problems: ForwardingProblem[] = []
  for (const name of interfaces()) {
    if (name === 'all' || name === 'default' || name === 'lo') continue
    const sysctl = `net.ipv4.conf.${name.replaceAll('.', '/')}.rp_filter`
    const own = readIfThere(sysctl)
    if (own === undefined || Math.max(all, Number(own)) !== 1) continue
    const text = `${name} drops packets that arrive on another link than replies would leave by`
    const culprit = own === '1' ? sysctl : 'net.ipv4.conf.all.rp_filter'
    problems.push({ sysctl: culprit, value: '1', wanted: '2', severity: 'warning', text })
  }
  return problems
}

function interfaces(): readonly string[] {
  try {
    return readdirSync(join(ROOT, 'net/ipv4/conf'))
  } catch {
    return []
  }
}

function readIfThere(name: string): string | undefined {
  try {
    return readSysctl(name)
  } catch {
    return undefined
  }
}
