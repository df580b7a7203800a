/**
 * The dataplanes: how packets get from this host to a BGP next hop. One row each; `overlay.mode` of the
 * configuration names the row.
 */
import type { KernelTarget } from '../kernel.ts'
import { directTarget, type Gateway } from './direct.ts'

export interface Dataplane {
  /** `overlay.mode` */
  readonly mode: 'none'
  /** For people. */
  readonly name: string
  /** The kernel target for a set of next hops, given the gateways of each. */
  target(nextHops: readonly (readonly Gateway[])[], ecmp: number): KernelTarget
}

export const DATAPLANES: readonly Dataplane[] = [
  { mode: 'none', name: 'direct', target: directTarget },
]
