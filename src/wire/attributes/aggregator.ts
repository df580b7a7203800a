import { formatIpv4 } from '../../net/address.ts'
import type { Reader } from '../../net/bytes.ts'
import { malformed, type Malformed } from '../errors.ts'
import { OPTIONAL_TRANSITIVE, type AttributeSpec } from './attribute.ts'
import { parseIdentifier } from './identifier.ts'

export interface Aggregator {
  readonly asn: number
  /** BGP identifier of the aggregating speaker, an unsigned 32-bit number. */
  readonly identifier: number
}

export const aggregator: AttributeSpec<Aggregator> = {
  code: 7,
  name: 'AGGREGATOR',
  rfc: 'RFC 4271 5.1.7',
  flags: OPTIONAL_TRANSITIVE,
  onMalformed: 'discard',
  decode: (from, { fourOctetAs }) => readAggregator(from, fourOctetAs),
  encode: ({ asn, identifier }, to) => void to.u32(asn).u32(identifier),
  format: formatAggregator,
}

export function readAggregator(from: Reader, fourOctetAs: boolean): Aggregator | Malformed {
  const asn = fourOctetAs ? from.u32() : from.u16()
  // RFC 7607 section 2
  return asn === 0 ? malformed('discard', 'AS 0') : { asn, identifier: from.u32() }
}

/** `65001 10.0.0.1` */
export function formatAggregator({ asn, identifier }: Aggregator): string {
  return `${asn} ${formatIpv4(identifier)}`
}

/** The reverse of `formatAggregator`; undefined when `text` is no such thing. */
export function parseAggregator(text: string): Aggregator | undefined {
  const [asn = '', address = '', ...more] = text.split(' ')
  const identifier = parseIdentifier(address)
  if (!/^[1-9]\d{0,9}$/.test(asn) || Number(asn) > 0xffffffff) return undefined
  return identifier === undefined || more.length > 0 ? undefined : { asn: Number(asn), identifier }
}
