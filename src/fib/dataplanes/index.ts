/**
 * The dataplanes beside the direct one: one row each; `overlay.mode` of the configuration names the row.
 */
import type { Dataplane } from './dataplane.ts'
import { fan, ipip } from './ipip.ts'
import { vxlan } from './vxlan.ts'

export const DATAPLANES: readonly Dataplane[] = [ipip, vxlan, fan]

export function dataplaneOf(mode: Dataplane['mode']): Dataplane {
  const found = DATAPLANES.find((it) => it.mode === mode)
  if (found === undefined) throw new Error(`there is no dataplane ${mode}`)
  return found
}
