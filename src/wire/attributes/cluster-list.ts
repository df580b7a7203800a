import { formatIpv4 } from '../../net/address.ts'
import { malformed } from '../errors.ts'
import { OPTIONAL_NON_TRANSITIVE, type AttributeSpec } from './attribute.ts'

/** The reflectors that the route has passed, latest first, as unsigned 32-bit numbers. */
export const clusterList: AttributeSpec<readonly number[]> = {
  code: 10,
  name: 'CLUSTER_LIST',
  rfc: 'RFC 4456 section 8',
  flags: OPTIONAL_NON_TRANSITIVE,
  onMalformed: 'withdraw',
  decode(from, { external }) {
    if (external) return malformed('discard', 'from an external peer')
    const clusters = [from.u32()]
    while (from.left > 0) clusters.push(from.u32())
    return clusters
  },
  encode(value, to) {
    for (const cluster of value) to.u32(cluster)
  },
  format: (value) => value.map(formatIpv4),
}
