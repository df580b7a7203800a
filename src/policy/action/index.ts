/** All that a rule may change about a route, in the order in which a rule does it. */
import type { ActionSpec } from './action.ts'
import { communityActions } from './communities.ts'
import { nextHop } from './next-hop.ts'
import { localPref, med } from './numbers.ts'
import { origin, prepend } from './path.ts'

export const ACTIONS: readonly ActionSpec[] = [
  localPref,
  med,
  origin,
  prepend,
  ...communityActions,
  nextHop,
]

const BY_NAME = new Map(ACTIONS.map((spec) => [spec.name, spec]))

export function actionSpec(name: string): ActionSpec {
  const spec = BY_NAME.get(name)
  if (spec === undefined) throw new RangeError(`no action ${name}`)
  return spec
}
