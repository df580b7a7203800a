import { malformed } from '../errors.ts'
import { formatAggregator, readAggregator, type Aggregator } from './aggregator.ts'
import { OPTIONAL_TRANSITIVE, type AttributeSpec } from './attribute.ts'

/** What old speakers pass on of an aggregator with a four-octet number; never in canonical bytes. */
export const as4Aggregator: AttributeSpec<Aggregator> = {
  code: 18,
  name: 'AS4_AGGREGATOR',
  rfc: 'RFC 6793 section 3',
  flags: OPTIONAL_TRANSITIVE,
  onMalformed: 'discard',
  decode: (from, { fourOctetAs }) =>
    fourOctetAs
      ? malformed('discard', 'from a peer with four-octet AS numbers')
      : readAggregator(from, true),
  encode: ({ asn, identifier }, to) => void to.u32(asn).u32(identifier),
  format: formatAggregator,
}
