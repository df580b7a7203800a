/**
 * Sends a packet through the rules of a host, as the kernel would, and says what becomes of it and which rule decides.
 *
 * Base chains of a hook are asked by priority. A drop is the end wherever it is said; an accept ends its base
 * chain only, and the next one is asked all the same. Of the nat chains the first that names a source decides. A rule of
 * which nobody knows whether it holds is walked both ways: only when that makes no difference there is an answer.
 */
import { all } from './condition.ts'
import {
  HOOKS,
  type Action,
  type Chain,
  type Hook,
  type Packet,
  type Rule,
  type RuleSet,
  type Table,
} from './rule-set.ts'

/** Which rule decides; without one the policy of the chain does. */
export interface Decider {
  readonly hook: Hook
  readonly table: Table
  /** The base chain through which the packet came there. */
  readonly base: string
  readonly chain: string
  readonly rule?: Rule
}

export type Fate =
  | { readonly kind: 'dropped'; readonly by: Decider }
  /** `source`: what the other end sees; `by` who decides about that, if anybody does. */
  | { readonly kind: 'passes'; readonly source: 'kept' | 'changed'; readonly by?: Decider }
  /** Goes to somebody else than it was sent to. */
  | { readonly kind: 'redirected'; readonly by: Decider }
  /** Depends on a rule that we don't understand. */
  | { readonly kind: 'unclear'; readonly by: Decider }

/** How a base chain ends; undefined `as` when it has nothing to say. */
interface Ending {
  readonly as: 'accept' | 'drop' | 'change' | 'keep' | 'dnat' | 'unknown' | 'none'
  readonly by: Decider
}

/** `arrivesAs`: as which packet it comes in, where that differs: an answer comes to the address that hides the asker. */
export function walk(rules: RuleSet, packet: Packet, arrivesAs: Packet = packet): Fate {
  const journey: Journey = { mark: packet.mark, state: packet.state, rules }
  let source: { kind: 'kept' | 'changed'; by?: Decider } = { kind: 'kept' }
  for (const hook of HOOKS) {
    const seen = hook === 'prerouting' ? arrivesAs : packet
    let isTranslated = false
    for (const [table, chain] of basesOf(rules, hook, packet)) {
      const { base } = chain
      if (base?.type === 'nat' && (journey.state !== 'new' || isTranslated)) continue
      const { ending, maybes } = new Walker(journey, seen, table, chain.name, hook).walkBase(chain)
      const other = maybes.find(({ as }) => consequenceOf(as) !== consequenceOf(ending.as))
      if (other !== undefined) return { kind: 'unclear', by: other.by }
      if (ending.as === 'unknown') return { kind: 'unclear', by: ending.by }
      if (ending.as === 'drop') return { kind: 'dropped', by: ending.by }
      if (base?.type !== 'nat') continue
      if (ending.as === 'dnat') return { kind: 'redirected', by: ending.by }
      // An accept ends this chain; it is worth knowing when nobody else changes the source.
      if (ending.as === 'accept' && ending.by.rule !== undefined) {
        source = { kind: source.kind, by: ending.by }
      }
      if (ending.as === 'change' || ending.as === 'keep') {
        isTranslated = true
        source = { kind: ending.as === 'change' ? 'changed' : 'kept', by: ending.by }
      }
    }
  }
  return {
    kind: 'passes',
    source: source.kind,
    ...(source.by === undefined ? {} : { by: source.by }),
  }
}

/** What is the same for the packet. */
const consequenceOf = (as: Ending['as']): string => (as === 'none' ? 'accept' : as)

/** What rules may have changed on the way. */
interface Journey {
  mark: number | undefined
  state: Packet['state']
  readonly rules: RuleSet
}

function basesOf(rules: RuleSet, hook: Hook, packet: Packet): [Table, Chain][] {
  const found = rules
    .filter(({ family }) => family === 'inet' || family === packet.family)
    .flatMap((table) =>
      table.chains
        .filter(({ base }) => base?.hook === hook)
        .map((chain): [Table, Chain] => [table, chain]),
    )
  return found.toSorted(([, a], [, b]) => (a.base?.priority ?? 0) - (b.base?.priority ?? 0))
}

/** Deeper than the kernel lets chains call each other. */
const MOST_CALLS = 64

class Walker {
  readonly #journey: Journey
  readonly #packet: Packet
  readonly #table: Table
  readonly #base: string
  readonly #hook: Hook
  readonly #maybes: Ending[] = []
  #calls = 0

  constructor(journey: Journey, packet: Packet, table: Table, base: string, hook: Hook) {
    this.#journey = journey
    this.#packet = packet
    this.#table = table
    this.#base = base
    this.#hook = hook
  }

  walkBase(chain: Chain): { ending: Ending; maybes: readonly Ending[] } {
    const found = this.#walk(chain, true)
    const ending = found ?? {
      as: chain.base?.policy === 'drop' ? 'drop' : 'none',
      by: this.#decider(chain.name),
    }
    return { ending, maybes: this.#maybes }
  }

  /**
   * How the chain ends; undefined when it comes back to whoever called it. Where it is not certain that the packet is
   * here at all, ends are only possible.
   */
  #walk(chain: Chain, isCertain: boolean): Ending | undefined {
    if (this.#calls++ > MOST_CALLS) return { as: 'unknown', by: this.#decider(chain.name) }
    let certain = isCertain
    for (const rule of chain.rules) {
      const { mark, state } = this.#journey
      const truth = all(rule.conditions, { ...this.#packet, mark, state })
      if (truth === false) continue
      const applies = certain && truth === true
      for (const action of rule.actions) {
        const step = this.#act(action, rule, chain, applies)
        if (step === 'next') continue
        if (step === 'back') {
          if (truth === true) return undefined
          // Perhaps it comes back here, so whatever follows is only possible.
          certain = false
          continue
        }
        if (applies) return step
        this.#maybes.push(step)
        if (truth === true) return undefined
      }
    }
    return undefined
  }

  #act(action: Action, rule: Rule, chain: Chain, applies: boolean): Ending | 'next' | 'back' {
    const by = this.#decider(chain.name, rule)
    switch (action.do) {
      case 'continue':
        return 'next'
      case 'return':
        return 'back'
      case 'accept':
        return { as: 'accept', by }
      case 'drop':
        return { as: 'drop', by }
      case 'snat':
        return { as: action.keeps ? 'keep' : 'change', by }
      case 'dnat':
        return { as: 'dnat', by }
      case 'unknown':
        return { as: 'unknown', by }
      case 'notrack':
        if (applies) this.#journey.state = 'untracked'
        return 'next'
      case 'mark':
        this.#journey.mark = applies ? action.mark(this.#journey.mark) : undefined
        return 'next'
      case 'choose': {
        const { mark, state } = this.#journey
        const chosen = action.choose({ ...this.#packet, mark, state })
        return chosen === undefined ? 'next' : this.#act(chosen, rule, chain, applies)
      }
      case 'jump':
      case 'goto': {
        const called = this.#table.chains.find(({ name }) => name === action.chain)
        if (called === undefined) return { as: 'unknown', by }
        const ending = this.#walk(called, applies)
        return ending ?? (action.do === 'goto' ? 'back' : 'next')
      }
    }
  }

  #decider(chain: string, rule?: Rule): Decider {
    const decider = { hook: this.#hook, table: this.#table, base: this.#base, chain }
    return rule === undefined ? decider : { ...decider, rule }
  }
}
