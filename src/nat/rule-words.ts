/** What the words of rules tell of networks that nobody has told about. */
import { parseAddress, type Address } from '../net/address.ts'
import type { Prefix } from '../net/prefix.ts'
import type { RuleSet } from './rule-set.ts'

/** Destinations of single hosts that drops speak of, before anything is routed. */
export function namedIn(rules: RuleSet): Address[] {
  const chains = rules.flatMap((table) => table.chains)
  const drops = chains
    .filter(({ base }) => base?.hook === 'prerouting')
    .flatMap((chain) => chain.rules.filter(({ actions }) => actions.some((it) => it.do === 'drop')))
  return drops.flatMap(({ text }) => {
    const [, named = ''] = /(?:^| )(?:-d|daddr) ([\da-f.:]+)/.exec(text) ?? []
    return parseAddress(named) ?? []
  })
}

/** Docker lets nobody but their own containers into networks made with `--internal`, in words of its own. */
export function isKeptApart(rules: RuleSet, bridge: string, subnet: Prefix): boolean {
  const drop = ` ! -s ${subnet.text} -o ${bridge} -j DROP`
  return rules.some(({ chains }) =>
    chains.some(({ name, rules: each }) =>
      each.some(
        ({ text }) =>
          text.endsWith(drop) ||
          (name.endsWith(`__${bridge}`) && text.includes('"INTERNAL NETWORK')),
      ),
    ),
  )
}
