import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { SessionError } from '../../../src/wire/errors.ts'
import { UpdateView } from '../../../src/wire/update.ts'
import { concat, updateBody } from '../../support/update-builder.ts'
import { attribute, hex, toHex } from './hex.ts'
import { sessionErrorOf } from './session-error.ts'

/** The fields as hexadecimal; `undefined` where the slow reading is needed. */
function split(body: Uint8Array) {
  const view = new UpdateView()
  const framed = concat([0xaa, 0xaa], body, [0xaa])
  view.split(framed, 2, 2 + body.length)
  const text = (start: number, end: number): string => toHex(framed.subarray(start, end))
  return {
    withdrawn: text(view.withdrawnStart, view.withdrawnEnd),
    section: text(view.sectionStart, view.sectionEnd),
    nlri: text(view.nlriStart, view.nlriEnd),
    reach: view.reachAfi === 0 ? '' : `${view.reachAfi}: ${text(view.reachStart, view.reachEnd)}`,
    unreach:
      view.unreachAfi === 0
        ? ''
        : `${view.unreachAfi}: ${text(view.unreachStart, view.unreachEnd)}`,
    attributes:
      view.attributes === undefined
        ? undefined
        : toHex(view.attributes.subarray(view.from, view.to)),
    empty: view.empty,
  }
}

const withSection = (section: string, nlri = ''): Uint8Array => {
  const bytes = hex(section)
  return concat([0, 0, bytes.length >> 8, bytes.length], bytes, hex(nlri))
}

const ORIGIN = '40010100'
const PATH = '40020602010000fde9'
const NEXT_HOP = '4003040a000001'
const MED = '80040400000005'
const LARGE = `c0200c${'00000001'.repeat(3)}`
const IPV6 = `20010db8${'00'.repeat(11)}01`
const LINK_LOCAL = `fe80${'00'.repeat(13)}01`
const REACH = attribute(0x80, 14, `000201 10 ${IPV6} 00 20 20010db8`)
const REACH_CUT = `800e15 000201 10 ${IPV6} 00`.replaceAll(' ', '')
const UNREACH = attribute(0x80, 15, '000201 30 20010db80001')

describe('the fields of an UPDATE', () => {
  test('IPv4: the attributes are the bytes of the message itself', () => {
    expect(split(hex('0002 080b 000e 40010100 4003040a000001 c0c800 180a0102'))).toEqual({
      withdrawn: '080b',
      section: '400101004003040a000001c0c800',
      nlri: '180a0102',
      reach: '',
      unreach: '',
      attributes: '400101004003040a000001c0c800',
      empty: false,
    })
  })

  test('no copy is made of them', () => {
    const view = new UpdateView()
    const body = withSection(`${ORIGIN}${NEXT_HOP}`, '180a0102')
    view.split(body, 0, body.length)
    expect(view.attributes).toBe(body)
  })

  const empty: readonly [body: string, empty: boolean][] = [
    ['0000 0000', true],
    ['0000 0006 800f03 000201', false],
    ['0001 00 0000', false],
    ['0000 0000 00', false],
  ]
  test.each(empty)('%s is empty: %s', (body, empty) => {
    expect(split(hex(body)).empty).toBe(empty)
  })

  const sets: readonly [what: string, section: string, attributes: string][] = [
    ['MP_REACH_NLRI first', `${REACH}${ORIGIN}${PATH}`, `${ORIGIN}${PATH}${REACH_CUT}`],
    ['MP_REACH_NLRI last', `${ORIGIN}${PATH}${REACH}`, `${ORIGIN}${PATH}${REACH_CUT}`],
    ['before higher codes', `${REACH}${ORIGIN}${LARGE}`, `${ORIGIN}${REACH_CUT}${LARGE}`],
    ['amid higher codes', `${ORIGIN}${LARGE}${REACH}`, `${ORIGIN}${REACH_CUT}${LARGE}`],
    ['MP_UNREACH_NLRI alone', UNREACH, ''],
    ['both', `${UNREACH}${REACH}${ORIGIN}`, `${ORIGIN}${REACH_CUT}`],
    ['MP_UNREACH_NLRI amid others', `${ORIGIN}${UNREACH}${PATH}`, `${ORIGIN}${PATH}`],
    [
      'a next hop with a link-local one',
      `${attribute(0x80, 14, `00020120${IPV6}${LINK_LOCAL}00`)}${ORIGIN}`,
      `${ORIGIN}800e2500020120${IPV6}${LINK_LOCAL}00`,
    ],
    [
      'an extended length',
      `900e001a 000201 10 ${IPV6} 00 20 20010db8 ${ORIGIN}`,
      `${ORIGIN}${REACH_CUT}`,
    ],
    [
      'a reserved byte that is not 0',
      `800e15 000201 10 ${IPV6} 07 ${ORIGIN}`,
      `${ORIGIN}${REACH_CUT}`,
    ],
  ]
  test.each(sets)('multiprotocol NLRI are no part of the set: %s', (_, section, attributes) => {
    const result = split(withSection(section))
    expect(result.attributes).toBe(attributes)
    expect(result.section).toBe(section.replaceAll(' ', ''))
  })

  test('in another order they are copied in order, so that they are the same bytes as from anybody else', () => {
    expect(split(withSection(MED + NEXT_HOP + PATH + ORIGIN, '180a0102'))).toMatchObject({
      attributes: ORIGIN + PATH + NEXT_HOP + MED,
      section: MED + NEXT_HOP + PATH + ORIGIN,
      nlri: '180a0102',
    })
    const repeated = PATH + ORIGIN + PATH
    expect(split(withSection(repeated)).attributes).toBe(repeated)
    const many = Array.from({ length: 40 }, (_, i) => `e0${(250 - i).toString(16)}00`).join('')
    expect(split(withSection(many)).attributes).toBe(many)
  })

  test('multiprotocol NLRI are found', () => {
    expect(split(withSection(`${UNREACH}${REACH}${ORIGIN}`))).toMatchObject({
      reach: '2: 2020010db8',
      unreach: '2: 3020010db80001',
    })
  })

  test('those of IPv4 too', () => {
    const reach = attribute(0x80, 14, '000101 04 0a000001 00 180a0102')
    expect(split(withSection(reach))).toMatchObject({ reach: '1: 180a0102' })
  })

  test('those of other kinds of routes go by a number that nobody knows', () => {
    const reach = attribute(0x80, 14, `000204 10 ${IPV6} 00 20 20010db8`)
    const unreach = attribute(0x80, 15, '000104 20')
    expect(split(withSection(`${reach}${unreach}`))).toMatchObject({
      reach: '65535: 2020010db8',
      unreach: '65535: 20',
    })
  })

  const slow: readonly [what: string, section: string][] = [
    ['a header cut off', `${ORIGIN}40`],
    ['a value beyond the section', `${ORIGIN}40020a00`],
    ['an extended header cut off', `${ORIGIN}500200`],
    ['a broken header behind MP_REACH_NLRI', `${REACH}4001`],
    ['MP_REACH_NLRI twice', `${REACH}${REACH}`],
    ['MP_UNREACH_NLRI twice', `${UNREACH}${UNREACH}`],
    ['MP_REACH_NLRI as transitive', attribute(0xc0, 14, `000201 10 ${IPV6} 00`)],
    ['MP_UNREACH_NLRI as well-known', attribute(0x40, 15, '000201')],
    ['MP_REACH_NLRI of four bytes', attribute(0x80, 14, '00020100')],
    ['MP_REACH_NLRI whose next hop is cut off', attribute(0x80, 14, '000201 10 20010db8')],
    ['MP_REACH_NLRI with a next hop of 4 bytes', attribute(0x80, 14, '000201 04 0a000001 00')],
    ['MP_UNREACH_NLRI of two bytes', attribute(0x80, 15, '0002')],
  ]
  test.each(slow)('the slow reading takes over: %s', (_, section) => {
    expect(split(withSection(section, '180a0102')).attributes).toBeUndefined()
  })

  const broken: readonly [what: string, body: string][] = [
    ['nothing', ''],
    ['one byte', '00'],
    ['no attribute length', '0000'],
    ['half an attribute length', '000000'],
    ['withdrawn routes beyond the end', '0005 080b 0000'],
    ['attributes beyond the end', '0000 0005 40010100'],
  ]
  test.each(broken)('ends the session (RFC 7606 section 3 c): %s', (_, body) => {
    expect(sessionErrorOf(() => split(hex(body)))).toMatchObject({ code: 3, subcode: 1 })
  })

  test('each splitting begins anew', () => {
    const view = new UpdateView()
    const first = withSection(`${UNREACH}${REACH}`)
    view.split(first, 0, first.length)
    const second = withSection(MED, '180a0102')
    view.split(second, 0, second.length)
    expect([view.reachAfi, view.unreachAfi]).toEqual([0, 0])
    expect(view.attributes).toBe(second)
  })
})

describe('any message', () => {
  const prefixes = fc.subarray(['10.0.0.0/8', '10.1.2.0/24', '2001:db8::/32', '::/0'])

  test('made of prefixes comes apart into the same', () => {
    fc.assert(
      fc.property(prefixes, prefixes, fc.nat(9), (withdraw, announce, med) => {
        const set = { asPath: '65001', med }
        const all = split(updateBody({ withdraw, announce, set }))
        const of = (texts: readonly string[], announced: boolean) => {
          const alone = split(
            updateBody(announced ? { announce: texts, set } : { withdraw: texts }),
          )
          return announced ? alone.nlri + alone.reach : alone.withdrawn + alone.unreach
        }
        expect(all.withdrawn + all.unreach).toBe(of(withdraw, false))
        expect(all.nlri + all.reach).toBe(of(announce, true))
        expect(all.attributes).toBeDefined()
      }),
      { seed: 10, numRuns: 200 },
    )
  })

  test('of random bytes stays within its bounds, or ends the session', () => {
    const tail = fc.uint8Array({ maxLength: 60 })
    const some = fc.oneof(
      tail,
      tail.map((bytes) => concat([0, 0, 0, Math.max(0, bytes.length - 4)], bytes)),
    )
    fc.assert(
      fc.property(some, (body) => {
        const view = new UpdateView()
        try {
          view.split(body, 0, body.length)
        } catch (error) {
          if (!(error instanceof SessionError)) throw error
          return
        }
        const ends = [view.withdrawnStart, view.withdrawnEnd, view.sectionStart, view.sectionEnd]
        expect([...ends, view.nlriStart, view.nlriEnd].toSorted((a, b) => a - b)).toEqual([
          ...ends,
          view.nlriStart,
          view.nlriEnd,
        ])
        expect(view.nlriEnd).toBe(body.length)
        if (view.reachAfi !== 0) expect(view.reachEnd).toBeLessThanOrEqual(view.sectionEnd)
        if (view.unreachAfi !== 0) expect(view.unreachEnd).toBeLessThanOrEqual(view.sectionEnd)
      }),
      { seed: 11, numRuns: 1000 },
    )
  })
})
