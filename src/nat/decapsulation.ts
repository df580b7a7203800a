/**
 * Whose wrapped packets are unwrapped, as a table of our own in nftables.
 *
 * A tunnel takes packets from anybody, and what is in them passes every filter that looks at outer addresses: so only
 * the other hosts of the overlay may send them. The outer packet is for this host, and is looked at before the kernel
 * unwraps it (hook input).
 */
import type { Prefix } from '../net/prefix.ts'
import type { Json } from './exemption.ts'

/** Our table: whose rules stand here, and nobody else's. Not `inet`, which some kernels don't have. */
export const DECAPSULATION = { family: 'ip', table: 'linnet-overlay' } as const
const CHAIN = 'input'
const SET = 'peers'
/** Before the filters of this host. */
const PRIORITY = -10
const COMMENT = 'linnet: only hosts of the overlay'

const table: Json = { table: { family: DECAPSULATION.family, name: DECAPSULATION.table } }

/** Takes our table away; there need not be one. */
export const DECAPSULATION_REMOVAL: readonly Json[] = [{ add: table }, { delete: table }]

/** What tells wrapped packets from others, outside. */
export interface Wrapped {
  /** IPPROTO_*. */
  readonly protocol: number
  readonly port?: number
}

/** Makes our table what it shall be, whatever it was: wrapped packets from `sources` alone. */
export function decapsulationRules(
  { protocol, port }: Wrapped,
  sources: readonly Prefix[],
): readonly Json[] {
  const chain = {
    ...DECAPSULATION,
    name: CHAIN,
    type: 'filter',
    hook: CHAIN,
    prio: PRIORITY,
    policy: 'accept',
  }
  const elem = sources.map(({ length, text }) => {
    const addr = text.slice(0, text.indexOf('/'))
    return length === 32 ? addr : { prefix: { addr, len: length } }
  })
  const set = {
    ...DECAPSULATION,
    name: SET,
    type: 'ipv4_addr',
    flags: ['interval'],
    'auto-merge': true,
    ...(elem.length > 0 && { elem }),
  }
  const isWrapped =
    port === undefined
      ? match('==', payload('ip', 'protocol'), protocol)
      : match('==', payload('udp', 'dport'), port)
  const expr = [
    isWrapped,
    match('!=', payload('ip', 'saddr'), `@${SET}`),
    { counter: null },
    { drop: null },
  ]
  return [
    ...DECAPSULATION_REMOVAL,
    { add: table },
    { add: { set } },
    { add: { chain } },
    { add: { rule: { ...DECAPSULATION, chain: CHAIN, expr, comment: COMMENT } } },
  ]
}

/** `listing` is what `nft -j list table` says, undefined without one: true when our rule is in it. */
export const hasDecapsulationRule = (listing: unknown): boolean =>
  listing !== undefined && JSON.stringify(listing).includes(JSON.stringify(COMMENT))

const payload = (protocol: string, field: string): Json => ({ payload: { protocol, field } })
const match = (op: string, left: Json, right: Json): Json => ({ match: { op, left, right } })
