/**
 * The daemons that benches compare, each with a fair configuration: nothing logged, nothing that the scenario does
 * not ask for. One file each; they run in the namespace `dut` (see ../ground.ts).
 */
import type { ChildProcess } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NeighborsOptions } from '../bfd-neighbors.ts'

export interface PlannedPeer {
  readonly address: string
  readonly asn: number
  /** Of a route reflector. */
  readonly client?: boolean
}

/** What the daemon shall do. Peers connect to it. */
export interface Plan {
  readonly asn: number
  /** The daemon's address towards all peers, and its router id. */
  readonly address: string
  /** One that is on the same link, for the next hops of IPv6. */
  readonly address6: string
  readonly peers: readonly PlannedPeer[]
  /** Whether routes go into the kernel. */
  readonly kernel: boolean
  readonly family: 'ipv4' | 'ipv6'
  /** True on a host below its ToRs: peers hear nothing of what the others say. */
  readonly silent?: boolean
  /** Neighbours with BFD and without BGP; linnet only. */
  readonly bfd?: NeighborsOptions
}

export interface Subject {
  readonly name: string
  /** Starts its processes; `folder` is its own. The last one is who listens. */
  start(plan: Plan, folder: string): ChildProcess[]
  /** How long after the sessions are up it holds announcements back, in seconds: the clock waits for that. */
  settleSeconds?(peers: number): number
  /** Why it takes no part where routes in the kernel are what is measured. */
  readonly noKernel?: string
}

/** Writes a file of the daemon's; returns its path. */
export function file(folder: string, name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text, { mode: 0o644 })
  return path
}

export const isInternal = (plan: Plan, peer: PlannedPeer): boolean => peer.asn === plan.asn
