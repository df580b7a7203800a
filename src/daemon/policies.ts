/**
 * The policies of the running configuration, compiled: one object for each list of names and direction,
 * shared by the peers that name it. A reload puts other rules into the same object, so that update groups stay
 * together and only what comes out different is sent.
 */
import type { Config } from '../config/config.ts'
import { CompiledPolicy } from '../policy/compiled-policy.ts'
import type { PolicyDefinition } from '../policy/definition.ts'
import type { PolicyWorld } from '../policy/match/match.ts'
import type { Policy, Route, Verdict } from '../policy/policy.ts'
import type { Direction } from '../policy/rule.ts'
import { SetReader } from '../policy/set-reader.ts'
import { STANDARD_POLICIES } from '../policy/standard.ts'
import type { AttributeStore } from '../rib/attribute-store.ts'
import type { Rpki } from '../rpki/rpki.ts'

/** `imported` as in the constructor. */
export function policiesOf(
  world: { readonly attributes: AttributeStore; readonly rpki: Rpki; readonly asn: number },
  imported: (policy: Policy) => Policy,
): Policies {
  const { attributes, rpki, asn } = world
  const reader = new SetReader(attributes)
  const rpkiState: PolicyWorld['rpkiState'] = ({ family, words, at, length }, originAsn) =>
    rpki.validate(family, words, at, length, originAsn ?? asn)
  return new Policies({ sets: attributes, reader, rpkiState }, imported)
}

export class Policies {
  readonly #world: PolicyWorld
  readonly #imported: (policy: Policy) => Policy
  readonly #lists = new Map<string, PolicyList>()

  /** `imported`: what is asked in place of an import policy; the same for the same. Default: itself. */
  constructor(world: PolicyWorld, imported: (policy: Policy) => Policy = (policy) => policy) {
    this.#world = world
    this.#imported = imported
  }

  of(definitions: readonly PolicyDefinition[], direction: Direction): Policy {
    const policy = this.#policy(definitions, direction)
    return direction === 'import' ? this.#imported(policy) : policy
  }

  #policy(definitions: readonly PolicyDefinition[], direction: Direction): Policy {
    const [only, ...more] = definitions
    const standard = more.length === 0 ? STANDARD_POLICIES.get(only?.name ?? '') : undefined
    if (standard !== undefined) return standard
    const key = keyOf(definitions, direction)
    let list = this.#lists.get(key)
    if (list === undefined) {
      list = new PolicyList(definitions, direction, this.#world)
      this.#lists.set(key, list)
    }
    return list
  }

  /** Takes over the rules of another configuration; those that judge otherwise from now on. */
  renew({ peers }: Config): ReadonlySet<Policy> {
    const changed = new Set<Policy>()
    const used = new Set<string>()
    for (const { importPolicy, exportPolicy } of peers) {
      for (const [definitions, direction] of [
        [importPolicy, 'import'],
        [exportPolicy, 'export'],
      ] as const) {
        const key = keyOf(definitions, direction)
        used.add(key)
        const list = this.#lists.get(key)
        if (list?.renew(definitions) !== true) continue
        changed.add(direction === 'import' ? this.#imported(list) : list)
      }
    }
    for (const key of this.#lists.keys()) if (!used.has(key)) this.#lists.delete(key)
    return changed
  }
}

const keyOf = (definitions: readonly PolicyDefinition[], direction: Direction): string =>
  `${direction} ${namesOf(definitions)}`

/** As `show` prints a list of policies. */
export const namesOf = (definitions: readonly PolicyDefinition[]): string =>
  definitions.map(({ name }) => name).join(', ')

class PolicyList implements Policy {
  readonly name: string
  readonly #direction: Direction
  readonly #world: PolicyWorld
  #text: string
  #policy: Policy

  constructor(definitions: readonly PolicyDefinition[], direction: Direction, world: PolicyWorld) {
    this.name = namesOf(definitions)
    this.#direction = direction
    this.#world = world
    this.#text = JSON.stringify(definitions)
    this.#policy = new CompiledPolicy(definitions, direction, world)
  }

  get looksAtPrefix(): boolean {
    return this.#policy.looksAtPrefix
  }

  get looksAtSource(): boolean {
    return this.#policy.looksAtSource
  }

  get looksAtRpki(): boolean {
    return this.#policy.looksAtRpki
  }

  judge(route: Route): Verdict {
    return this.#policy.judge(route)
  }

  /** False when the rules are the same as before. */
  renew(definitions: readonly PolicyDefinition[]): boolean {
    const text = JSON.stringify(definitions)
    if (text === this.#text) return false
    this.#text = text
    this.#policy = new CompiledPolicy(definitions, this.#direction, this.#world)
    return true
  }
}
