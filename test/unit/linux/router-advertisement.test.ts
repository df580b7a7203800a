import { describe, expect, test } from 'vitest'
import {
  routerAdvertisement,
  routerMessageOf,
  routerSolicitation,
  type RouterMessage,
} from '../../../src/linux/router-advertisement.ts'
import { hex, toHex } from '../wire/hex.ts'

describe('what we send (RFC 4861 section 4)', () => {
  test('an advertisement: hop limit 64, and a router lifetime of 0, for we are nobody’s default router', () => {
    expect(toHex(routerAdvertisement())).toBe(
      '86000000 40000000 00000000 00000000'.replaceAll(' ', ''),
    )
  })

  test('a solicitation', () => {
    expect(toHex(routerSolicitation())).toBe('8500000000000000')
  })
})

describe('what we take (RFC 4861 section 6.1)', () => {
  const PLAIN = '86001234 4000001e 00000000 00000000'
  const cases: readonly [what: string, bytes: string, message: RouterMessage | undefined][] = [
    ['an advertisement', PLAIN, 'advertisement'],
    [
      'one with the link-layer address of its sender, as FRR sends it',
      `${PLAIN} 0101 0200 0000 0001`,
      'advertisement',
    ],
    [
      'one with a prefix and an MTU',
      `${PLAIN} 0304 ${'00'.repeat(30)} 0501 0000 000005dc`,
      'advertisement',
    ],
    ['a solicitation', '85001234 00000000', 'solicitation'],
    ['a solicitation with an option', '85001234 00000000 0101 0200 0000 0001', 'solicitation'],
    ['a neighbour solicitation', `87001234 ${'00'.repeat(20)}`, undefined],
    ['an echo request', '80001234 00010001', undefined],
    ['another code', '86011234 4000001e 00000000 00000000', undefined],
    ['an advertisement cut off', '86001234 4000001e 00000000 000000', undefined],
    ['a solicitation cut off', '85001234 000000', undefined],
    ['an option of length 0', `${PLAIN} 0100 0200 0000 0001`, undefined],
    ['an option that overruns', `${PLAIN} 0102 0200 0000 0001`, undefined],
    ['half an option', `${PLAIN} 01`, undefined],
    ['nothing', '', undefined],
  ]
  test.each(cases)('%s', (_, bytes, message) => {
    expect(routerMessageOf(hex(bytes))).toBe(message)
  })
})
