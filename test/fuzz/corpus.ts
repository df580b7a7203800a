/** Streams that the fuzzers, or the tables, have found something with: each stays, and is played first. */
import type { SessionKind } from './fuzz-stage.ts'

export interface Found {
  readonly what: string
  readonly session: SessionKind
  /** Hexadecimal: whole messages. */
  readonly stream: string
}

export const CORPUS: readonly Found[] = [
  {
    what: 'a broken NEXT_HOP let the prefixes of MP_REACH_NLRI pass',
    session: 'eBGP',
    stream:
      'ffffffffffffffffffffffffffffffff004d0200000033800e1c0002011020010db8000000000000' +
      '000000000001003020010db800094001010040020602010000fde94003047f000001100a09',
  },
  {
    what: 'an overrun behind MP_UNREACH_NLRI was forgiven',
    session: 'iBGP',
    stream: 'ffffffffffffffffffffffffffffffff0026020000000f800f0a0002013020010db80009c008',
  },
  {
    what: 'attributes of no prefix were not read',
    session: 'eBGP',
    stream: 'ffffffffffffffffffffffffffffffff001d0200000006800403000001',
  },
  {
    what: 'a broken attribute beside withdrawn routes was not read',
    session: 'old eBGP',
    stream: 'ffffffffffffffffffffffffffffffff001e020003100a01000440010109',
  },
  {
    what: 'the next hop of AFI 0, which is no family, was held to be one of IPv6',
    session: 'eBGP',
    stream:
      'ffffffffffffffffffffffffffffffff004d0200000033800e1c0000011020010db8000000000000' +
      '000000000001003020010db800094001010040020602010000fde94003040a000001100a09',
  },
]
