/** Policies on made-up routes, in text: `import:` lists as a configuration has them, attributes as `show` prints them. */
import { configOf } from '../config/loading.ts'
import { prefix } from '../../../src/net/prefix.ts'
import type { PolicyDefinition } from '../../../src/policy/definition.ts'
import type { RpkiState } from '../../../src/policy/match/match.ts'
import { tryPolicies, type Trial } from '../../../src/policy/trial.ts'
import type { AttributeDescription } from '../../../src/wire/attributes/describe.ts'

/** Rules as YAML: what stands under the name of a policy. */
export const policyOf = (rules: string): PolicyDefinition => {
  const [policy] = configOf(`asn: 65101\npolicies: { p: ${rules} }\n`).policies
  if (policy === undefined) throw new Error('no policy')
  return policy
}

export interface TriedRoute extends Partial<AttributeDescription> {
  readonly prefix?: string
  readonly peer?: string
  readonly group?: string
  readonly source?: string
  readonly link?: string
  readonly rpki?: RpkiState
}

export function tryRoute(
  policies: readonly PolicyDefinition[],
  values: TriedRoute,
  direction: 'import' | 'export' = 'import',
): Trial {
  const { prefix: text = '10.1.0.0/16', peer = 'tor-a', group, source = 'peer', link } = values
  const { rpki = 'notFound', ...attributes } = values
  const from = { local: source !== 'peer', name: source === 'peer' ? peer : 'local', source }
  return tryPolicies(policies, direction, {
    prefix: prefix(text),
    attributes: { origin: 'IGP', asPath: '65001', nextHop: '10.0.1.1', ...attributes },
    from: { ...from, group, link },
    rpki,
  })
}
