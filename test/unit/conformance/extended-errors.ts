/** RFC 8654 and RFC 8950: longer messages and next hops of IPv6 for IPv4, agreed on or offered by one side. */
import { message, u16 } from '../../support/bgp-messages.ts'
import { EXTENDED_MESSAGE, EXTENDED_NEXT_HOP } from '../../support/raw-peer.ts'
import { attribute, toHex } from '../wire/hex.ts'
import type { Cost } from './attribute-errors.ts'
import {
  AS_PATH,
  BAD_MED,
  bare,
  BOTH,
  GLOBAL,
  LINK_LOCAL,
  notIn9,
  scene,
  SOUND,
  SOUND6,
  TESTED6,
  V4,
  type AgreedGroup,
  type AgreedRow,
  type Terms,
} from './agreed-scene.ts'
import { NEXT_HOP, ORIGIN, updateOf } from './update-stage.ts'

/** An UPDATE of so many bytes: it withdraws the default route many times, and announces 10.8.0.0/16. */
function updateOfSize(size: number, section = SOUND): Uint8Array {
  const plain = updateOf({ section, nlri: '10 0a08' })
  return updateOf({ withdrawn: '00'.repeat(size - plain.length), section, nlri: '10 0a08' })
}
const ofSize = (type: number, size: number): Uint8Array =>
  message(type, Array<number>(size - 19).fill(0))
const longUpdate = (size: number): readonly Uint8Array[] => [updateOfSize(size)]
const ADDED = '10.8.0.0/16'
const tooLong = (size: number): Cost => `1/2: ${toHex(Uint8Array.from(u16(size)))}`
/** Some 8,000 bytes of attributes: 2000 communities. */
const MANY = attribute(0xc0, 8, 'fde90001'.repeat(2000))

const LONG: AgreedGroup = {
  rule: 'RFC 8654 section 4: messages of more than 4096 bytes, agreed on',
  scene: scene({ capabilities: EXTENDED_MESSAGE, config: 'extendedMessages: true' }),
  routes: BOTH,
  rows: [
    ...[4096, 4097, 10_000, 65_535].map((size) => ({
      what: `an UPDATE of ${size}`,
      said: longUpdate(size),
      cost: 'nothing' as const,
      left: [ADDED, ...BOTH],
    })),
    {
      what: 'two in a row, a KEEPALIVE between them',
      said: [updateOfSize(65_535), message(4), updateOfSize(5000)],
      cost: 'nothing',
      left: [ADDED, ...BOTH],
    },
    {
      what: 'an attribute of 8000 bytes',
      said: [updateOf({ section: `${SOUND} ${MANY}`, nlri: V4 })],
      cost: 'nothing',
    },
    {
      what: 'a value to be treated as withdrawn behind 4096 bytes',
      said: [
        updateOf({ section: `${ORIGIN} ${AS_PATH} ${NEXT_HOP} ${MANY} c0 10 01 00`, nlri: V4 }),
      ],
      cost: 'route',
      left: [TESTED6],
    },
    {
      what: 'an attribute that overruns a long message',
      said: [updateOf({ section: `${SOUND} ${MANY.replace(/^d0081f40/, 'd0081f41')}`, nlri: V4 })],
      cost: 'route',
      left: [TESTED6],
    },
    {
      what: 'a prefix of 33 bits behind 4096 bytes',
      said: [updateOf({ section: `${SOUND} ${MANY}`, nlri: '21 0a09000000' })],
      cost: '3/10',
    },
    { what: 'an OPEN of 4097', said: [ofSize(1, 4097)], cost: tooLong(4097) },
    { what: 'a KEEPALIVE of 4097', said: [ofSize(4, 4097)], cost: tooLong(4097) },
    { what: 'a KEEPALIVE of 65,535', said: [ofSize(4, 65_535)], cost: tooLong(65_535) },
    { what: 'an unknown type of 4097', said: [ofSize(9, 4097)], cost: '1/3: 09' },
    {
      what: 'a ROUTE-REFRESH of 4097, of a family that was not agreed on',
      said: [ofSize(5, 4097)],
      cost: 'nothing',
    },
  ],
}

const unagreed = (rule: string, terms: Terms): AgreedGroup => ({
  rule,
  scene: scene(terms),
  routes: BOTH,
  rows: [
    {
      what: 'an UPDATE of 4096',
      said: longUpdate(4096),
      cost: 'nothing',
      left: [ADDED, ...BOTH],
    },
    { what: 'an UPDATE of 4097', said: longUpdate(4097), cost: tooLong(4097) },
    { what: 'an UPDATE of 65,535', said: longUpdate(65_535), cost: tooLong(65_535) },
    { what: 'a NOTIFICATION of 4097', said: [ofSize(3, 4097)], cost: tooLong(4097) },
    { what: 'an unknown type of 4097', said: [ofSize(9, 4097)], cost: tooLong(4097) },
  ],
})

const HOP_AT_32 = `${GLOBAL}${LINK_LOCAL}`
/** MP_REACH_NLRI of the tested IPv4 prefix with these bytes as next hop. */
const reach4 = (hop: string): string =>
  attribute(
    0x80,
    14,
    `0001 01 ${(bare(hop).length / 2).toString(16).padStart(2, '0')} ${hop} 00 ${V4}`,
  )
const hop = (hopBytes: string): AgreedRow['said'] => ({ section: `${reach4(hopBytes)} ${SOUND6}` })

/** Lengths that no next hop of IPv4 unicast has: those of VPNs among them (RFC 8950 section 3). */
const WRONG_HOPS: readonly AgreedRow[] = [0, 3, 5, 8, 12, 15, 17, 24, 31, 33, 48].map((length) => ({
  what: `of ${length} bytes`,
  said: hop(GLOBAL.repeat(3).slice(0, 2 * length)),
  cost: notIn9(reach4(GLOBAL.repeat(3).slice(0, 2 * length))),
}))

const HOPS: AgreedGroup = {
  rule: 'RFC 8950 section 3: IPv4 with next hops of IPv6, agreed on',
  scene: scene({ capabilities: EXTENDED_NEXT_HOP, config: 'extendedNextHop: true' }),
  routes: BOTH,
  rows: [
    {
      what: 'of 16 bytes',
      said: hop(GLOBAL),
      cost: 'nothing',
      shown: { nextHops: ['2001:db8::1'] },
    },
    {
      what: 'of 32 bytes, the link-local one last',
      said: hop(HOP_AT_32),
      cost: 'nothing',
      shown: { nextHops: ['2001:db8::1', 'fe80::1'] },
    },
    {
      what: 'of 32 bytes with nothing in the second half',
      said: hop(`${GLOBAL}${'00'.repeat(16)}`),
      cost: 'nothing',
      shown: { nextHops: ['2001:db8::1'] },
    },
    {
      what: 'of four bytes',
      said: hop('0a000001'),
      cost: 'nothing',
      shown: { nextHops: ['10.0.0.1'] },
    },
    {
      what: 'in NEXT_HOP as ever',
      said: { section: SOUND, nlri: V4 },
      cost: 'nothing',
      shown: { nextHops: ['10.0.0.1'] },
    },
    {
      what: 'beside a NEXT_HOP, which is of no concern, however broken',
      said: { section: `${reach4(GLOBAL)} ${SOUND6} 40 03 01 7f` },
      cost: 'nothing',
      shown: { nextHops: ['2001:db8::1'] },
    },
    { what: '::', said: hop('00'.repeat(16)), cost: 'route', left: [TESTED6] },
    { what: '::1', said: hop(`${'00'.repeat(15)}01`), cost: 'route', left: [TESTED6] },
    { what: 'ff02::1', said: hop(`ff02${'00'.repeat(13)}01`), cost: 'route', left: [TESTED6] },
    { what: '127.0.0.1', said: hop('7f000001'), cost: 'route', left: [TESTED6] },
    {
      what: 'of 16 bytes, and an attribute to be treated as withdrawn',
      said: { section: `${reach4(GLOBAL)} ${SOUND6} ${BAD_MED}` },
      cost: 'route',
      left: [TESTED6],
    },
    {
      what: 'in NEXT_HOP, which has no room for them',
      said: { section: `${SOUND6} 40 03 10 ${GLOBAL}`, nlri: V4 },
      cost: 'route',
      left: [TESTED6],
    },
    {
      what: 'withdrawn in MP_UNREACH_NLRI',
      said: { section: attribute(0x80, 15, `0001 01 ${V4}`) },
      cost: 'nothing',
      left: [TESTED6],
    },
    ...WRONG_HOPS,
  ],
}

const unagreedHops = (rule: string, terms: Terms): AgreedGroup => ({
  rule,
  scene: scene(terms),
  routes: BOTH,
  rows: [
    { what: 'of 16 bytes', said: hop(GLOBAL), cost: notIn9(reach4(GLOBAL)) },
    { what: 'of 32 bytes', said: hop(HOP_AT_32), cost: notIn9(reach4(HOP_AT_32)) },
    {
      what: 'of four bytes',
      said: hop('0a000001'),
      cost: 'nothing',
      shown: { nextHops: ['10.0.0.1'] },
    },
  ],
})

export const EXTENDED_ERRORS: readonly AgreedGroup[] = [
  LONG,
  unagreed('RFC 8654 section 4: messages of more than 4096 bytes that only the peer offers', {
    capabilities: EXTENDED_MESSAGE,
    config: 'extendedMessages: false',
  }),
  unagreed('RFC 8654 section 4: messages of more than 4096 bytes that only we offer', {
    config: 'extendedMessages: true',
  }),
  HOPS,
  unagreedHops('RFC 8950 section 4: IPv4 with next hops of IPv6 that only the peer offers', {
    capabilities: EXTENDED_NEXT_HOP,
  }),
  unagreedHops('RFC 8950 section 4: IPv4 with next hops of IPv6 that only we offer', {
    config: 'extendedNextHop: true',
  }),
  unagreedHops('RFC 8950 section 4: next hops of IPv6 offered for another family', {
    capabilities: [5, 6, 0, 2, 0, 1, 0, 1],
    config: 'extendedNextHop: true',
  }),
]
