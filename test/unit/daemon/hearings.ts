import type { Hearing } from '../../../src/daemon/update-groups.ts'
import { address } from '../../../src/net/address.ts'
import { IPV4 } from '../../../src/net/family.ts'
import { accept } from '../../../src/policy/standard.ts'
import { OWN_ASN } from '../rib/small-rib.ts'

/** What an external peer on a link of ours hears, with nothing special about it. */
export const HEARING: Hearing = {
  family: IPV4,
  external: true,
  confederation: false,
  routeReflectorClient: false,
  role: undefined,
  drained: false,
  longLived: false,
  localAsn: OWN_ASN,
  path: undefined,
  fourOctetAs: true,
  maxMessageLength: 4096,
  addPath: 'off',
  nextHop: 'auto',
  ipv6NextHops: false,
  self: address('10.0.0.100'),
  selfLinkLocal: undefined,
  link: 1,
  ceiling: undefined,
  afterInstall: false,
  defaultRoute: false,
  exportPolicy: accept,
}
