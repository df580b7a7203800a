/**
 * What a speaker answers to bytes that don't belong where they come: headers (RFC 4271 6.1), OPENs (6.2,
 * RFC 5492, 6286, 6608, 6793, 7607, 9072), messages out of state (RFC 6608). Each row is played with every
 * cut of the stream.
 */
import { message, OPEN, u16, UPDATE } from '../../support/bgp-messages.ts'
import {
  fourOctetAs,
  IPV4_UNICAST,
  IPV6_UNICAST,
  openBody,
  type RawPeerOptions,
} from '../../support/raw-peer.ts'
import { SPEAKER_ASN } from '../../support/speaker-stage.ts'
import { hex, MARKER, toHex } from '../wire/hex.ts'
import { NEXT_HOP, ORIGIN, asPath, updateOf } from './update-stage.ts'

export type TalkingState = 'OpenSent' | 'OpenConfirm' | 'Established'

/** `OpenConfirm`, `Established`: the state that follows; `closed`: the end, without a word. */
export type Answer =
  | `${number}/${number}`
  | `${number}/${number}: ${string}`
  | 'OpenConfirm'
  | 'Established'
  | 'closed'

export interface SessionRow {
  readonly what: string
  readonly states: readonly TalkingState[]
  /** Hexadecimal. */
  readonly bytes: string
  readonly answer: Answer
  /** The peer is in our own AS. */
  readonly internal?: boolean
}

export interface SessionGroup {
  readonly rule: string
  readonly rows: readonly SessionRow[]
}

export const PEER: RawPeerOptions = { address: '10.0.0.1', asn: 65_001, mute: true }
export const INTERNAL_PEER: RawPeerOptions = { ...PEER, asn: SPEAKER_ASN }

const ANY: readonly TalkingState[] = ['OpenSent', 'OpenConfirm', 'Established']
const NEW: readonly TalkingState[] = ['OpenSent']

const header = (length: string, type: string, body = ''): string =>
  `${MARKER} ${length} ${type} ${body}`

const inAnyState = (what: string, bytes: string, answer: Answer): SessionRow => ({
  what,
  states: ANY,
  bytes,
  answer,
})

const GOOD = [...IPV4_UNICAST, ...IPV6_UNICAST, ...fourOctetAs(65_001)]
/** Where the fields of an OPEN stand in its body. */
const VERSION_AT = 0
const ASN_AT = 1
const HOLD_TIME_AT = 3
const IDENTIFIER_AT = 5
const PARAMETERS_AT = 9

/** An OPEN of the peer's with these bytes at `at`. */
function openWith(at: number, bytes: string, capabilities: readonly number[] = GOOD): string {
  const body = openBody(PEER, capabilities)
  body.splice(at, hex(bytes).length, ...hex(bytes))
  return toHex(message(OPEN, body))
}

/** An OPEN with these bytes from the length of its optional parameters on. */
function openParameters(bytes: string): string {
  const body = openBody(PEER, GOOD).slice(0, PARAMETERS_AT)
  return toHex(message(OPEN, [...body, ...hex(bytes)]))
}

const opens = (what: string, bytes: string, answer: Answer): SessionRow => ({
  what,
  states: NEW,
  bytes,
  answer,
})

/** Capabilities in hexadecimal as the only parameter, in the usual format. */
function openOffering(capabilities: string): string {
  return toHex(message(OPEN, openBody(PEER, [...hex(capabilities)])))
}

/** The same in the extended format (RFC 9072). */
function openExtended(capabilities: string): string {
  const list = [...hex(capabilities)]
  return openParameters(
    toHex(Uint8Array.from([0xff, 0xff, ...u16(list.length + 3), 2, ...u16(list.length), ...list])),
  )
}

const MP_IPV4 = '01 04 0001 00 01'
const MP_IPV6 = '01 04 0002 00 01'
const WIDE = '41 04 0000fde9'
const SOUND = `${MP_IPV4} ${MP_IPV6} ${WIDE}`
/** Capabilities that nobody knows, 260 bytes of them. */
const MUCH = `f0 fe ${'00'.repeat(254)} f1 02 0000`

const KEEPALIVE = header('0013', '04')
const EMPTY_UPDATE = header('0017', '02', '0000 0000')
const REFRESH = header('0017', '05', '0001 00 01')
const BAD_MARKER = `${'ff'.repeat(15)}fe 0013 04`
const update = (fields: { section: string; nlri?: string }): string => toHex(updateOf(fields))

export const SESSION_ERRORS: readonly SessionGroup[] = [
  {
    rule: 'RFC 4271 6.1: Connection Not Synchronized',
    rows: [
      inAnyState('a marker whose last bit is 0', BAD_MARKER, '1/1'),
      inAnyState('a marker of zeros', `${'00'.repeat(16)} 0013 04`, '1/1'),
      inAnyState('and a length that is wrong as well', `00${'ff'.repeat(15)} 0000 09`, '1/1'),
      inAnyState('text', toHex(Buffer.from('GET / HTTP/1.1\r\nHost: linnet\r\n\r\n')), '1/1'),
    ],
  },
  {
    rule: 'RFC 4271 6.1: Bad Message Length, with the length',
    rows: [
      inAnyState('0', header('0000', '04'), '1/2: 0000'),
      inAnyState('18', header('0012', '04'), '1/2: 0012'),
      inAnyState('18 of an unknown type', header('0012', '09'), '1/2: 0012'),
      inAnyState('28 of an OPEN', header('001c', '01'), '1/2: 001c'),
      inAnyState('22 of an UPDATE', header('0016', '02'), '1/2: 0016'),
      inAnyState('20 of a NOTIFICATION', header('0014', '03'), '1/2: 0014'),
      inAnyState('20 of a KEEPALIVE', header('0014', '04'), '1/2: 0014'),
      inAnyState('22 of a ROUTE-REFRESH', header('0016', '05'), '1/2: 0016'),
      inAnyState('4097', header('1001', '02'), '1/2: 1001'),
      inAnyState('65,535', header('ffff', '02'), '1/2: ffff'),
      inAnyState('65,535 of an OPEN', header('ffff', '01'), '1/2: ffff'),
    ],
  },
  {
    rule: 'RFC 4271 6.1: Bad Message Type, with the type',
    rows: [
      inAnyState('0', header('0013', '00'), '1/3: 00'),
      inAnyState('6', header('0017', '06', '00000000'), '1/3: 06'),
      inAnyState('255', header('1000', 'ff'), '1/3: ff'),
    ],
  },
  {
    rule: 'RFC 4271 6.2: Unsupported Version Number, with ours',
    rows: [
      opens('0', openWith(VERSION_AT, '00'), '2/1: 0004'),
      opens('3', openWith(VERSION_AT, '03'), '2/1: 0004'),
      opens('5', openWith(VERSION_AT, '05'), '2/1: 0004'),
    ],
  },
  {
    rule: 'RFC 4271 6.2, RFC 6793 4.2.1, RFC 7607: Bad Peer AS',
    rows: [
      opens('another than configured', openOffering(`${MP_IPV4} 41 04 0000fdf1`), '2/2'),
      opens('another, in two octets', openWith(ASN_AT, 'fdf1', IPV4_UNICAST), '2/2'),
      opens('0 in My Autonomous System', openWith(ASN_AT, '0000'), '2/2'),
      opens('0 in the capability', openOffering(`${MP_IPV4} 41 04 00000000`), '2/2'),
      opens('0 in two octets', openWith(ASN_AT, '0000', IPV4_UNICAST), '2/2'),
      opens('AS_TRANS and no capability', openWith(ASN_AT, '5ba0', IPV4_UNICAST), '2/2'),
      opens('AS_TRANS and the capability', openWith(ASN_AT, '5ba0'), 'OpenConfirm'),
    ],
  },
  {
    rule: 'RFC 4271 6.2, RFC 6286: Bad BGP Identifier',
    rows: [
      opens('0.0.0.0', openWith(IDENTIFIER_AT, '00000000'), '2/3'),
      opens('ours, in another AS', openWith(IDENTIFIER_AT, '0a000064'), 'OpenConfirm'),
      opens(
        'no unicast address, which it need not be',
        openWith(IDENTIFIER_AT, 'e0000001'),
        'OpenConfirm',
      ),
      {
        what: 'ours, within our AS',
        states: NEW,
        internal: true,
        bytes: toHex(
          message(OPEN, openBody({ ...INTERNAL_PEER, address: '10.0.0.100' }, [...IPV4_UNICAST])),
        ),
        answer: '2/3',
      },
    ],
  },
  {
    rule: 'RFC 4271 6.2: Unsupported Optional Parameter',
    rows: [
      opens('1, authentication, which is deprecated', openParameters('03 01 01 00'), '2/4'),
      opens('3', openParameters('02 03 00'), '2/4'),
      opens('behind good capabilities', openParameters('0a 02 06 01 04 0001 00 01 fe 00'), '2/4'),
      opens(
        '255, not in first place',
        openParameters('0c 02 06 01 04 0001 00 01 ff 02 0000'),
        '2/4',
      ),
      opens('in the extended format (RFC 9072)', openParameters('ff ff 0004 09 0001 00'), '2/4'),
      opens('255, in the extended format', openParameters('ff ff 0003 ff 0000'), '2/4'),
    ],
  },
  {
    rule: 'RFC 4271 6.2: optional parameters that are known and malformed, subcode 0',
    rows: [
      opens('a length beyond the message', openParameters('ff 02 06 01 04 0001 00 01'), '2/0'),
      opens('a length within the message', openParameters('06 02 06 01 04 0001 00 01'), '2/0'),
      opens('no length of a parameter', openParameters('01 02'), '2/0'),
      opens('a parameter that overruns', openParameters('08 02 07 01 04 0001 00 01'), '2/0'),
      opens('a capability that overruns', openParameters('08 02 06 01 05 0001 00 01'), '2/0'),
      opens('a capability without length', openParameters('09 02 07 01 04 0001 00 01 41'), '2/0'),
      opens('multiprotocol of three bytes', openOffering('01 03 0001 00'), '2/0'),
      opens('four octets in two', openOffering(`${MP_IPV4} 41 02 fde9`), '2/0'),
      opens(
        'extended, overrun (RFC 9072)',
        openParameters('ff ff 0010 02 0006 01 04 0001 00 01'),
        '2/0',
      ),
      opens('extended, without its length', openParameters('02 ff ff'), '2/0'),
    ],
  },
  {
    rule: 'RFC 4271 6.2: Unacceptable Hold Time',
    rows: [
      opens('1 s', openWith(HOLD_TIME_AT, '0001'), '2/6'),
      opens('2 s', openWith(HOLD_TIME_AT, '0002'), '2/6'),
      opens('3 s', openWith(HOLD_TIME_AT, '0003'), 'OpenConfirm'),
      opens('none', openWith(HOLD_TIME_AT, '0000'), 'OpenConfirm'),
    ],
  },
  {
    rule: 'RFC 5492 section 5: Unsupported Capability, with those that we miss',
    rows: [
      opens(
        'no family of ours',
        openOffering(`01 04 0019 00 46 ${WIDE}`),
        '2/7: 010400010001010400020001',
      ),
      opens(
        'only multicast',
        openOffering(`01 04 0001 00 02 ${WIDE}`),
        '2/7: 010400010001010400020001',
      ),
    ],
  },
  {
    rule: 'RFC 5492 sections 3 and 4: capabilities that are taken',
    rows: [
      opens('the usual', openOffering(SOUND), 'OpenConfirm'),
      opens('none: IPv4 (RFC 4760 section 8)', openParameters('00'), 'OpenConfirm'),
      opens('an empty list', openParameters('02 02 00'), 'OpenConfirm'),
      opens(
        'one parameter each',
        openParameters('10 02 06 01 04 0001 00 01 02 06 41 04 0000fde9'),
        'OpenConfirm',
      ),
      opens('each of them twice', openOffering(`${SOUND} ${SOUND}`), 'OpenConfirm'),
      opens('unknown ones', openOffering(`fa 00 ${SOUND} f9 03 aabbcc`), 'OpenConfirm'),
      opens(
        'one that we know, malformed: unknown',
        openOffering(`${SOUND} 02 01 00`),
        'OpenConfirm',
      ),
      opens('graceful restart cut off: unknown', openOffering(`${SOUND} 40 01 00`), 'OpenConfirm'),
    ],
  },
  {
    rule: 'RFC 9072 section 2: extended optional parameters',
    rows: [
      opens('more than 255 bytes', openExtended(`${MP_IPV4} ${MUCH} ${WIDE}`), 'OpenConfirm'),
      opens(
        'fewer, which is odd',
        openParameters('ff ff 0009 02 0006 01 04 0001 00 01'),
        'OpenConfirm',
      ),
      opens(
        'with another first length, which is ignored',
        openParameters('01 ff 0009 02 0006 01 04 0001 00 01'),
        'OpenConfirm',
      ),
      opens(
        'two parameters',
        openParameters('ff ff 0012 02 0006 01 04 0001 00 01 02 0006 41 04 0000fde9'),
        'OpenConfirm',
      ),
      opens('none', openParameters('ff ff 0000'), 'OpenConfirm'),
    ],
  },
  {
    rule: 'RFC 6608: messages out of state, with their type',
    rows: [
      { what: 'a KEEPALIVE', states: ['OpenSent'], bytes: KEEPALIVE, answer: '5/1: 04' },
      { what: 'an UPDATE', states: ['OpenSent'], bytes: EMPTY_UPDATE, answer: '5/1: 02' },
      { what: 'a ROUTE-REFRESH', states: ['OpenSent'], bytes: REFRESH, answer: '5/1: 05' },
      { what: 'an OPEN', states: ['OpenConfirm'], bytes: openOffering(SOUND), answer: '5/2: 01' },
      { what: 'an UPDATE', states: ['OpenConfirm'], bytes: EMPTY_UPDATE, answer: '5/2: 02' },
      { what: 'a ROUTE-REFRESH', states: ['OpenConfirm'], bytes: REFRESH, answer: '5/2: 05' },
      { what: 'an OPEN', states: ['Established'], bytes: openOffering(SOUND), answer: '5/3: 01' },
      {
        what: 'an OPEN that is wrong in itself',
        states: ['Established'],
        bytes: openWith(VERSION_AT, '03'),
        answer: '5/3: 01',
      },
    ],
  },
  {
    rule: 'RFC 4271 6.4: a NOTIFICATION is never answered',
    rows: [
      inAnyState('a Cease', header('0015', '03', '06 02'), 'closed'),
      inAnyState('of a code that nobody knows', header('0015', '03', 'fe fe'), 'closed'),
      inAnyState('with a broken text (RFC 9003)', header('0017', '03', '06 02 ff 41'), 'closed'),
      inAnyState('about our version', header('0017', '03', '02 01 0003'), 'closed'),
    ],
  },
  {
    rule: 'RFC 2918, RFC 7313: ROUTE-REFRESH',
    rows: [
      {
        what: 'of a family that was not agreed on',
        states: ['Established'],
        bytes: header('0017', '05', '0019 00 46'),
        answer: 'Established',
      },
      {
        what: 'of a subtype that nobody knows',
        states: ['Established'],
        bytes: header('0017', '05', '0001 09 01'),
        answer: 'Established',
      },
    ],
  },
  {
    rule: 'RFC 4271 6.3: UPDATEs that end the session, however they are cut',
    rows: [
      {
        what: 'attributes that overrun',
        states: ['Established'],
        bytes: header('0017', '02', '0000 0001'),
        answer: '3/1',
      },
      {
        what: 'a prefix of 33 bits',
        states: ['Established'],
        bytes: update({
          section: `${ORIGIN} ${asPath('eBGP')} ${NEXT_HOP}`,
          nlri: '21 0a00000000',
        }),
        answer: '3/10',
      },
      {
        what: 'an unknown well-known attribute',
        states: ['Established'],
        bytes: update({ section: '40 63 01 ab' }),
        answer: '3/2: 406301ab',
      },
      {
        what: 'the smallest, which is none of them',
        states: ['Established'],
        bytes: EMPTY_UPDATE,
        answer: 'Established',
      },
    ],
  },
]

/** What brings the session into a state, before the bytes of a row. */
export function leadIn(state: TalkingState, internal = false): Uint8Array[] {
  const peer = internal ? INTERNAL_PEER : PEER
  const capabilities = [...IPV4_UNICAST, ...IPV6_UNICAST, ...fourOctetAs(peer.asn)]
  const open = message(OPEN, openBody(peer, capabilities))
  if (state === 'OpenSent') return []
  return state === 'OpenConfirm' ? [open] : [open, message(4)]
}

/** Harmless messages to fill a segment with, in Established. */
export const fillers = (count: number): Uint8Array[] =>
  Array.from({ length: count }, (_, i) =>
    message(i % 2 === 0 ? 4 : UPDATE, i % 2 === 0 ? [] : [0, 0, 0, 0]),
  )
