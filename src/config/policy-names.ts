/** `import:` and `export:` of a peer or a group: names -> policies. */
import type { PolicyDefinition } from '../policy/definition.ts'
import { STANDARD_POLICIES } from '../policy/standard.ts'
import type { Complaints } from './advice.ts'
import type { PeerSettings } from './peer-schema.ts'
import { decidesAll, type Policies } from './policies.ts'
import { nearest } from './spelling.ts'
import type { Path } from './tree.ts'

type Names = string | readonly string[]

const listOf = (names: Names): readonly string[] => (typeof names === 'string' ? [names] : names)

/** The policies of these names; what is missing or wrong has been told of. */
export const definitionsOf = (names: Names, policies: Policies): PolicyDefinition[] =>
  listOf(names).map((name) => policies.get(name) ?? { name, rules: [] })

export function checkPolicyNames(
  path: Path,
  settings: PeerSettings,
  policies: Policies,
  complaints: Complaints,
): void {
  for (const key of ['import', 'export'] as const) {
    const names = settings[key]
    if (names === undefined) continue
    const list = listOf(names)
    const pathOf = (i: number): Path =>
      typeof names === 'string' ? [...path, key] : [...path, key, i]
    list.forEach((name, i) => checkName(pathOf(i), name, key, policies, complaints))
    const last = list.findIndex((name) => decidesAlways(name, policies))
    if (last < 0 || last === list.length - 1) continue
    const message = `${list[last + 1]} is never asked: ${list[last]} decides about every route`
    complaints.warning(pathOf(last + 1), message, `put it before ${list[last]}, or remove it`)
  }
}

function checkName(
  path: Path,
  name: string,
  key: 'import' | 'export',
  policies: Policies,
  complaints: Complaints,
): void {
  const standard = key === 'import' ? ['accept', 'reject'] : ['local', 'accept', 'reject']
  if (key === 'import' && name === 'local') {
    return complaints.error(path, 'local is for export', 'write accept or reject')
  }
  if (!standard.includes(name) && !policies.has(name)) {
    const near = nearest(name, [...standard, ...policies.keys()])
    const words = standard.join(', ').replace(/, (\w+)$/, ' or $1')
    const remedy =
      near === undefined ? `write ${words}, or add ${name} to policies` : `did you mean ${near}?`
    return complaints.error(path, `there is no policy ${name}`, remedy)
  }
  const rules = policies.get(name)?.rules ?? []
  const at = rules.findIndex(({ set }) => set['nextHop']?.['']?.includes('self'))
  if (key === 'export' || at < 0) return
  const message = `rule ${at + 1} of ${name} sets nextHop: self, which is for export`
  complaints.error(path, message, 'write an address there')
}

/** Nothing that stands behind it is ever asked. */
function decidesAlways(name: string, policies: Policies): boolean {
  const rules = policies.get(name)?.rules ?? []
  return STANDARD_POLICIES.has(name) || rules.some(decidesAll)
}
