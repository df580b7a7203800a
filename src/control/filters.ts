/** Query parameters of /v1/routes and /v1/fib as the filters that the daemon understands. */
import { parseAddress, type Address } from '../net/address.ts'
import { factsOf, type Family } from '../net/family.ts'
import { covers, parseAddressAndLength, parsePrefix, prefixOf, type Prefix } from '../net/prefix.ts'
import { Refusal, type PrefixFilter } from './queries.ts'

export interface PrefixInput {
  readonly family?: Family | undefined
  readonly prefix?: string | undefined
  readonly longer?: 'true' | 'false' | undefined
}

/**
 * Answers `input` by one or more calls of `ask`: an address instead of a prefix is looked up as the
 * kernel would, longest prefix first, until one has an answer. Throws a Refusal before it asks.
 */
export function rowsByPrefix<Row>(
  input: PrefixInput,
  ask: (filter: PrefixFilter) => Iterable<Row>,
): Iterable<Row> {
  const longer = input.longer === 'true'
  if (input.prefix === undefined) {
    if (longer) throw new Refusal('longer needs a prefix', 'add one: 10.244.0.0/16', 400)
    return ask(input.family === undefined ? { longer } : { family: input.family, longer })
  }
  const target = prefixOrAddress(input.prefix)
  const family = target.value.family
  if (input.family !== undefined && family !== input.family) {
    throw new Refusal(`${input.prefix} is not ${input.family}`, `say ${family}, or nothing`, 400)
  }
  if (target.kind === 'prefix') return ask({ family, prefix: target.value, longer })
  if (!longer) return longestMatch(target.value, ask)
  throw new Refusal(`${input.prefix} has no length`, 'with longer, give a prefix', 400)
}

function* longestMatch<Row>(
  address: Address,
  ask: (filter: PrefixFilter) => Iterable<Row>,
): Generator<Row> {
  for (let length = factsOf(address.family).bits; length >= 0; length--) {
    const prefix = prefixOf(address, length)
    let found = false
    for (const row of ask({ family: prefix.family, prefix, longer: false })) {
      found = true
      yield row
    }
    if (found) return
  }
}

/** Those of `rows` that `filter` wants; for tables small enough to look at every row. */
export function rowsWithin<Row extends { readonly prefix: string; readonly family: Family }>(
  rows: readonly Row[],
  { family, prefix, longer }: PrefixFilter,
): readonly Row[] {
  const ofFamily = family === undefined ? rows : rows.filter((row) => row.family === family)
  if (prefix === undefined) return ofFamily
  return ofFamily.filter((row) => {
    const own = parsePrefix(row.prefix)
    return own !== undefined && (longer ? covers(prefix, own) : own.text === prefix.text)
  })
}

type Target =
  | { readonly kind: 'prefix'; readonly value: Prefix }
  | { readonly kind: 'address'; readonly value: Address }

function prefixOrAddress(text: string): Target {
  const address = parseAddress(text)
  if (address !== undefined) return { kind: 'address', value: address }
  const prefix = parsePrefix(text)
  if (prefix !== undefined) return { kind: 'prefix', value: prefix }
  const loose = parseAddressAndLength(text)
  const meant = loose && prefixOf(loose.address, loose.length).text
  throw new Refusal(
    `not a prefix: ${text}`,
    meant === undefined ? 'write 10.244.7.0/26, or an address' : `write ${meant}`,
    400,
  )
}
