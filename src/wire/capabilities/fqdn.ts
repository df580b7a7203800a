import { decodeUtf8, encodeUtf8 } from '../../net/utf8.ts'
import type { CapabilitySpec } from './capability.ts'

/** The sender's name, for people. */
export interface Fqdn {
  readonly name: 'fqdn'
  readonly hostname: string
  readonly domain: string
}

export const fqdn: CapabilitySpec<Fqdn> = {
  code: 73,
  name: 'fqdn',
  rfc: 'draft-walton-bgp-hostname-capability',
  onMalformed: 'ignore',
  decode(from) {
    const hostname = decodeUtf8(from.bytes(from.u8()))
    return { name: 'fqdn', hostname, domain: decodeUtf8(from.bytes(from.u8())) }
  },
  encode({ hostname, domain }, to) {
    for (const text of [hostname, domain]) {
      const utf8 = encodeUtf8(text)
      to.u8(utf8.length).bytes(utf8)
    }
  },
}
