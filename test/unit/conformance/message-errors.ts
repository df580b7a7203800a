/**
 * RFC 7606 sections 3 to 5, what concerns a whole UPDATE: its lengths, repeated and missing attributes, the
 * two multiprotocol attributes, prefixes that can't be read, and which remedy wins.
 */
import type { RouteRow } from '../../../src/control/rows.ts'
import type { Cost } from './attribute-errors.ts'
import {
  asPath,
  NEXT_HOP,
  ORIGIN,
  reach,
  TESTED,
  unreach,
  type Session,
  type UpdateFields,
} from './update-stage.ts'

export interface MessageRow {
  readonly what: string
  /** Default: eBGP. */
  readonly session?: Session
  readonly fields: UpdateFields
  readonly cost: Cost
  /** Which of the tested prefixes are left; default: what the cost means for the IPv4 one. */
  readonly left?: readonly string[]
  readonly shown?: Partial<RouteRow>
}

export interface MessageGroup {
  readonly rule: string
  readonly rows: readonly MessageRow[]
}

const NLRI = '10 0a09'
const NLRI6 = '30 20010db80009'
const AS_PATH = asPath('eBGP')
const SOUND = `${ORIGIN} ${AS_PATH} ${NEXT_HOP}`
const SOUND6 = `${ORIGIN} ${AS_PATH}`
const COMMUNITIES = 'c0 08 04 fde90064'
const BAD_MED = '80 04 03 000001'
const BAD_AGGREGATOR = 'c0 07 01 00'
const GLOBAL = `20010db8${'00'.repeat(11)}01`
const LINK_LOCAL = `fe80${'00'.repeat(13)}01`
const BOTH = [TESTED.ipv4, TESTED.ipv6]
const bare = (text: string): string => text.replaceAll(' ', '')

export const MESSAGE_ERRORS: readonly MessageGroup[] = [
  {
    rule: 'RFC 7606 section 3 b, RFC 4271 6.3: fields that overrun the message',
    rows: [
      {
        what: 'withdrawn routes',
        fields: { withdrawnLength: 500, section: SOUND, nlri: NLRI },
        cost: '3/1',
      },
      {
        what: 'withdrawn routes that leave one byte for the next length',
        fields: { withdrawnLength: 1, section: '' },
        cost: '3/1',
      },
      {
        what: 'path attributes',
        fields: { sectionLength: 500, section: SOUND, nlri: NLRI },
        cost: '3/1',
      },
      {
        what: 'path attributes, by one byte',
        fields: { sectionLength: 21, section: SOUND },
        cost: '3/1',
      },
    ],
  },
  {
    rule: 'RFC 7606 section 4: attributes that overrun their field, which is trusted',
    rows: [
      {
        what: 'a length beyond the end',
        fields: { section: `${SOUND} c0 08 c8 fde90064`, nlri: NLRI },
        cost: 'route',
      },
      {
        what: 'an extended length beyond the end',
        fields: { section: `${SOUND} d0 08 0fff fde90064`, nlri: NLRI },
        cost: 'route',
      },
      { what: 'one byte left', fields: { section: `${SOUND} c0`, nlri: NLRI }, cost: 'route' },
      { what: 'two bytes left', fields: { section: `${SOUND} c008`, nlri: NLRI }, cost: 'route' },
      {
        what: 'three bytes left, where the length takes two',
        fields: { section: `${SOUND} d0 08 00`, nlri: NLRI },
        cost: 'route',
      },
      {
        what: 'behind a sound MP_REACH_NLRI',
        fields: { section: `${reach(NLRI6)} ${SOUND6} c0 08 c8 fde9` },
        cost: 'route',
        left: [TESTED.ipv4],
      },
      {
        what: 'before an MP_REACH_NLRI, which is swallowed',
        fields: { section: `${SOUND6} c0 08 c8 ${reach(NLRI6)}` },
        cost: '3/1',
      },
      {
        what: 'MP_REACH_NLRI itself',
        fields: { section: `${SOUND} 80 0e c8 0002 01`, nlri: NLRI },
        cost: '3/9: 800ec8000201',
      },
      {
        what: 'MP_UNREACH_NLRI itself',
        fields: { section: `${SOUND} 90 0f 0fff 0002 01`, nlri: NLRI },
        cost: '3/9: 900f0fff000201',
      },
    ],
  },
  {
    rule: 'RFC 7606 section 3 d: well-known mandatory attributes that are missing',
    rows: [
      { what: 'all', fields: { section: '', nlri: NLRI }, cost: 'route' },
      { what: 'ORIGIN', fields: { section: `${AS_PATH} ${NEXT_HOP}`, nlri: NLRI }, cost: 'route' },
      { what: 'AS_PATH', fields: { section: `${ORIGIN} ${NEXT_HOP}`, nlri: NLRI }, cost: 'route' },
      { what: 'NEXT_HOP', fields: { section: `${ORIGIN} ${AS_PATH}`, nlri: NLRI }, cost: 'route' },
      {
        what: 'LOCAL_PREF from an internal peer',
        session: 'iBGP',
        fields: { section: `${ORIGIN} ${asPath('iBGP')} ${NEXT_HOP}`, nlri: NLRI },
        cost: 'route',
      },
      {
        what: 'ORIGIN beside MP_REACH_NLRI',
        fields: { section: `${reach(NLRI6)} ${AS_PATH}` },
        cost: 'route',
        left: [TESTED.ipv4],
      },
      {
        what: 'NEXT_HOP for the NLRI field: what a sound MP_REACH_NLRI beside it names goes as well',
        fields: { section: `${reach(NLRI6)} ${SOUND6}`, nlri: NLRI },
        cost: 'route',
        left: [],
      },
    ],
  },
  {
    rule: 'RFC 7606 section 3 g: attributes that come twice',
    rows: [
      {
        what: 'ORIGIN: the first counts',
        fields: { section: `${SOUND} 40 01 01 02`, nlri: NLRI },
        cost: 'attribute',
        shown: { origin: 'igp' },
      },
      {
        what: 'ORIGIN, the second one broken',
        fields: { section: `${SOUND} 40 01 02 0202`, nlri: NLRI },
        cost: 'attribute',
        shown: { origin: 'igp' },
      },
      {
        what: 'COMMUNITIES',
        fields: { section: `${SOUND} ${COMMUNITIES} c0 08 04 00000001`, nlri: NLRI },
        cost: 'attribute',
        shown: { communities: ['65001:100'] },
      },
      {
        what: 'an attribute that nobody knows',
        fields: { section: `${SOUND} c0 63 01 aa c0 63 01 bb`, nlri: NLRI },
        cost: 'attribute',
        shown: { otherAttributes: ['99 e0 aa'] },
      },
      {
        what: 'MP_REACH_NLRI',
        fields: { section: `${reach(NLRI6)} ${SOUND6} ${reach('30 20010db80008')}` },
        cost: '3/1',
      },
      {
        what: 'MP_UNREACH_NLRI',
        fields: { section: `${unreach(NLRI6)} ${unreach(NLRI6)}` },
        cost: '3/1',
      },
      {
        what: 'MP_UNREACH_NLRI, one of AFI 0',
        fields: { section: `80 0f 03 0000 01 ${unreach(NLRI6)}` },
        cost: '3/1',
      },
      {
        what: 'MP_REACH_NLRI of a family that we do not speak',
        fields: { section: '80 0e 05 0019 46 00 00 80 0e 05 0019 46 00 00' },
        cost: '3/1',
      },
    ],
  },
  {
    rule: 'RFC 7606 5.3: prefixes that can not be read',
    rows: [
      {
        what: 'NLRI of 33 bits',
        fields: { section: SOUND, nlri: '21 0a09000000' },
        cost: '3/10',
      },
      { what: 'NLRI cut off', fields: { section: SOUND, nlri: '10 0a09 18 0a09' }, cost: '3/10' },
      {
        what: 'withdrawn, of 33 bits',
        fields: { withdrawn: '21 0a09000000', section: '' },
        cost: '3/10',
      },
      { what: 'withdrawn, cut off', fields: { withdrawn: '10 0a', section: '' }, cost: '3/10' },
      {
        what: 'withdrawn, before a sound announcement',
        fields: { withdrawn: 'ff', section: SOUND, nlri: NLRI },
        cost: '3/10',
      },
      {
        what: 'NLRI of 33 bits with attributes to be treated as withdrawn',
        fields: { section: `${SOUND} ${BAD_MED}`, nlri: '21 0a09000000' },
        cost: '3/10',
      },
      {
        what: 'in MP_REACH_NLRI, of 129 bits',
        fields: { section: `${reach(`81 ${GLOBAL}00`)} ${SOUND6}` },
        cost: `3/9: ${bare(reach(`81 ${GLOBAL}00`))}`,
      },
      {
        what: 'in MP_REACH_NLRI, cut off',
        fields: { section: `${reach('30 20010db800')} ${SOUND6}` },
        cost: `3/9: ${bare(reach('30 20010db800'))}`,
      },
      {
        what: 'in MP_UNREACH_NLRI, of 255 bits',
        fields: { section: unreach('ff 20010db8') },
        cost: `3/9: ${bare(unreach('ff 20010db8'))}`,
      },
      {
        what: 'in MP_UNREACH_NLRI, cut off',
        fields: { section: unreach('30 2001') },
        cost: `3/9: ${bare(unreach('30 2001'))}`,
      },
      {
        what: 'bits behind the prefix length, which mean nothing',
        fields: { section: SOUND, nlri: '0f 0a09' },
        cost: 'nothing',
        left: [...BOTH, '10.8.0.0/15'],
      },
    ],
  },
  {
    rule: 'RFC 7606 7.11, RFC 4760 section 7: MP_REACH_NLRI whose prefixes can not be found',
    rows: [
      { what: 'of no byte', fields: { section: `80 0e 00 ${SOUND6}` }, cost: '3/9: 800e00' },
      {
        what: 'of AFI only',
        fields: { section: `80 0e 02 0002 ${SOUND6}` },
        cost: '3/9: 800e020002',
      },
      {
        what: 'with a next hop that overruns it',
        fields: { section: `80 0e 08 0002 01 10 20010db8 ${SOUND6}` },
        cost: '3/9: 800e080002011020010db8',
      },
      {
        what: 'without the reserved byte',
        fields: { section: `80 0e 14 0002 01 10 ${GLOBAL} ${SOUND6}` },
        cost: `3/9: 800e1400020110${GLOBAL}`,
      },
      {
        what: 'IPv6 with a next hop of no byte',
        fields: { section: `80 0e 0c 0002 01 00 00 ${NLRI6} ${SOUND6}` },
        cost: '3/9: 800e0c00020100003020010db80009',
      },
      {
        what: 'IPv6 with a next hop of four bytes',
        fields: { section: `80 0e 10 0002 01 04 0a000001 00 ${NLRI6} ${SOUND6}` },
        cost: '3/9: 800e10000201040a000001003020010db80009',
      },
      {
        what: 'IPv6 with a next hop of 24 bytes',
        fields: { section: `80 0e 24 0002 01 18 ${'00'.repeat(8)}${GLOBAL} 00 ${NLRI6} ${SOUND6}` },
        cost: `3/9: 800e2400020118${'00'.repeat(8)}${GLOBAL}003020010db80009`,
      },
      {
        what: 'IPv4 with a next hop of five bytes',
        fields: { section: `80 0e 0d 0001 01 05 0a00000100 00 ${NLRI} ${SOUND6}` },
        cost: '3/9: 800e0d000101050a0000010000100a09',
      },
    ],
  },
  {
    rule: 'RFC 7606 7.11: MP_REACH_NLRI whose prefixes are found',
    rows: [
      {
        what: 'with the next hop ::',
        fields: { section: `80 0e 1c 0002 01 10 ${'00'.repeat(16)} 00 ${NLRI6} ${SOUND6}` },
        cost: 'route',
        left: [TESTED.ipv4],
      },
      {
        what: 'with the next hop ff02::1',
        fields: { section: `80 0e 1c 0002 01 10 ff02${'00'.repeat(13)}01 00 ${NLRI6} ${SOUND6}` },
        cost: 'route',
        left: [TESTED.ipv4],
      },
      {
        what: 'with flags in conflict',
        fields: { section: `${reach(NLRI6).replace('80', 'c0')} ${SOUND6}` },
        cost: 'route',
        left: [TESTED.ipv4],
      },
      {
        what: 'with the partial bit',
        fields: { section: `${reach(NLRI6).replace('80', 'a0')} ${SOUND6}` },
        cost: 'nothing',
        left: BOTH,
      },
      {
        what: 'with a reserved byte that is not zero',
        fields: { section: `80 0e 1c 0002 01 10 ${GLOBAL} ff ${NLRI6} ${SOUND6}` },
        cost: 'nothing',
        left: BOTH,
      },
      {
        what: 'with a link-local address behind the global one (RFC 2545 section 3)',
        fields: { section: `80 0e 2c 0002 01 20 ${GLOBAL}${LINK_LOCAL} 00 ${NLRI6} ${SOUND6}` },
        cost: 'nothing',
        left: BOTH,
      },
      {
        what: 'IPv4 with a next hop of four bytes',
        fields: { section: `80 0e 0c 0001 01 04 0a000001 00 ${NLRI} ${SOUND6}` },
        cost: 'nothing',
        left: BOTH,
      },
      {
        what: 'of AFI 0, which is no family, beside sound NLRI',
        fields: { section: `80 0e 1c 0000 01 10 ${GLOBAL} 00 ${NLRI6} ${SOUND}`, nlri: NLRI },
        cost: 'nothing',
        left: BOTH,
      },
      {
        what: 'of a family that was not agreed on, however it looks (RFC 4760 section 8)',
        fields: { section: `80 0e 0a 0019 46 03 aabbcc 00 ffff ${SOUND}`, nlri: NLRI },
        cost: 'nothing',
        left: BOTH,
      },
    ],
  },
  {
    rule: 'RFC 7606 7.12: MP_UNREACH_NLRI',
    rows: [
      { what: 'of no byte', fields: { section: '80 0f 00' }, cost: '3/9: 800f00' },
      { what: 'without SAFI', fields: { section: '80 0f 02 0002' }, cost: '3/9: 800f020002' },
      {
        what: 'alone, with an overrun behind it',
        fields: { section: `${unreach(NLRI6)} c0 08` },
        cost: '3/1',
      },
      {
        what: 'with flags in conflict, alone: it withdraws',
        fields: { section: unreach(NLRI6).replace('80', 'c0') },
        cost: 'route',
        left: [TESTED.ipv4],
      },
      {
        what: 'of a family that was not agreed on',
        fields: { section: '80 0f 05 0019 46 ffff' },
        cost: 'nothing',
        left: BOTH,
      },
    ],
  },
  {
    rule: 'RFC 7606 5.2: attributes of no prefix',
    rows: [
      { what: 'sound ones', fields: { section: SOUND }, cost: 'nothing', left: BOTH },
      {
        what: 'one to be discarded',
        fields: { section: `${SOUND} ${BAD_AGGREGATOR}` },
        cost: 'attribute',
        left: BOTH,
      },
      {
        what: 'a value of a wrong length',
        fields: { section: `${SOUND} ${BAD_MED}` },
        cost: '3/5: 800403000001',
      },
      { what: 'a wrong ORIGIN', fields: { section: '40 01 01 09' }, cost: '3/6: 40010109' },
      {
        what: 'a wrong NEXT_HOP',
        fields: { section: '40 03 04 7f000001' },
        cost: '3/8: 4003047f000001',
      },
      { what: 'a wrong AS_PATH', fields: { section: '40 02 02 0200' }, cost: '3/11' },
      { what: 'wrong flags', fields: { section: 'c0 01 01 00' }, cost: '3/4: c0010100' },
      { what: 'an overrun', fields: { section: '40 01 05 00' }, cost: '3/1' },
      {
        what: 'that nobody knows, well-known',
        fields: { section: '40 63 01 ab' },
        cost: '3/2: 406301ab',
      },
      {
        what: 'a wrong length beside withdrawn routes',
        fields: { withdrawn: NLRI, section: BAD_MED },
        cost: '3/5: 800403000001',
      },
      {
        what: 'a wrong length beside MP_UNREACH_NLRI',
        fields: { section: `${unreach(NLRI6)} ${BAD_MED}` },
        cost: '3/5: 800403000001',
      },
      {
        what: 'a wrong next hop in an MP_REACH_NLRI of no prefix',
        fields: { section: `80 0e 15 0002 01 10 ${'00'.repeat(16)} 00 ${SOUND6}` },
        cost: `3/9: 800e1500020110${'00'.repeat(17)}`,
      },
    ],
  },
  {
    rule: 'RFC 7606 section 3 h: the strongest remedy counts',
    rows: [
      {
        what: 'discard and withdraw',
        fields: { section: `${SOUND} ${BAD_MED} ${BAD_AGGREGATOR}`, nlri: NLRI },
        cost: 'route',
      },
      {
        what: 'two to discard',
        fields: { section: `${SOUND} 40 06 01 00 ${BAD_AGGREGATOR}`, nlri: NLRI },
        cost: 'attribute',
        shown: { aggregator: null, atomicAggregate: false },
      },
      {
        what: 'withdraw and reset',
        fields: { section: `${SOUND} ${BAD_MED} 40 63 01 ab`, nlri: NLRI },
        cost: '3/2: 406301ab',
      },
      {
        what: 'reset behind an overrun that asks for a withdrawal',
        fields: { section: `${reach(NLRI6)} ${reach(NLRI6)} ${SOUND6} c0 08 ff` },
        cost: '3/1',
      },
    ],
  },
  {
    rule: 'RFC 7606 5.1: all parts of a message count, in any position and combination',
    rows: [
      {
        what: 'both families announced, one with a broken NEXT_HOP: both go',
        fields: { section: `${reach(NLRI6)} ${SOUND6} 40 03 04 7f000001`, nlri: NLRI },
        cost: 'route',
        left: [],
      },
      {
        what: 'both families announced with a broken attribute: both go',
        fields: { section: `${reach(NLRI6)} ${SOUND} ${BAD_MED}`, nlri: NLRI },
        cost: 'route',
        left: [],
      },
      {
        what: 'MP_UNREACH_NLRI beside a broken announcement: both go',
        fields: { section: `${unreach(NLRI6)} ${SOUND} ${BAD_MED}`, nlri: NLRI },
        cost: 'route',
        left: [],
      },
      {
        what: 'withdrawn routes beside a broken MP_REACH_NLRI: both go',
        fields: { withdrawn: NLRI, section: `${reach(NLRI6)} ${SOUND6} ${BAD_MED}` },
        cost: 'route',
        left: [],
      },
      {
        what: 'MP_REACH_NLRI as the last attribute',
        fields: { section: `${SOUND6} ${reach('30 20010db80008')}` },
        cost: 'nothing',
        left: [...BOTH, '2001:db8:8::/48'],
      },
      {
        what: 'attributes in descending order',
        fields: { section: `${COMMUNITIES} ${NEXT_HOP} ${AS_PATH} ${ORIGIN}`, nlri: NLRI },
        cost: 'nothing',
        shown: { communities: ['65001:100'], asPath: '65001' },
      },
      {
        what: 'all four kinds of prefixes in one message',
        fields: {
          withdrawn: NLRI,
          section: `${unreach(NLRI6)} ${SOUND} ${reach('30 20010db80008')}`,
          nlri: '10 0a08',
        },
        cost: 'nothing',
        left: ['10.8.0.0/16', '2001:db8:8::/48'],
      },
      {
        what: 'a prefix withdrawn and announced: it is announced (RFC 4271 4.3)',
        fields: { withdrawn: NLRI, section: `${SOUND} ${COMMUNITIES}`, nlri: NLRI },
        cost: 'nothing',
        shown: { communities: ['65001:100'] },
      },
    ],
  },
]
