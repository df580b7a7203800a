import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { describeAttributes, encodeAttributes } from '../../../src/wire/attributes/describe.ts'
import { normalizeAttributes } from '../../../src/wire/attributes/normalize.ts'
import { rewriteAttributes, type OutgoingForm } from '../../../src/wire/rewrite.ts'
import type { OutgoingPath } from '../../../src/wire/outgoing-path.ts'
import { concat, type AttributeValues } from '../../support/update-builder.ts'
import { hex, toHex } from './hex.ts'

const SELF = address('10.0.0.100').bytes

const EXTERNAL: OutgoingForm = {
  external: true,
  localAsn: 65000,
  fourOctetAs: true,
  nextHop: SELF,
  keepMed: false,
  reflection: undefined,
}
const INTERNAL: OutgoingForm = { ...EXTERNAL, external: false }
const REFLECTED: OutgoingForm = {
  ...INTERNAL,
  nextHop: address('10.0.0.1').bytes,
  reflection: { originatorId: 0x0a000007, clusterId: 0x0a0000ff },
}

function rewrite(from: Uint8Array, form: OutgoingForm): Uint8Array {
  const to = new Uint8Array(2 * from.length + 200).fill(0xee)
  const end = rewriteAttributes(from, form, to, 5)
  expect([...to.subarray(0, 5), ...to.subarray(end)].every((byte) => byte === 0xee)).toBe(true)
  return to.slice(5, end)
}

const rewritten = (values: AttributeValues, form: OutgoingForm) =>
  describeAttributes(rewrite(encodeAttributes(values), form))

const PLAIN: AttributeValues = { asPath: '65001 65009', nextHop: '10.0.0.1' }

describe('bytes', () => {
  const golden: readonly [what: string, set: string, form: OutgoingForm, bytes: string][] = [
    [
      'to an external peer: our AS in front, our address, no MED, no LOCAL_PREF',
      '40010100 400206 0201 0000fde9 4003040a000001 80040400000005 40050400000064 c00804fde90064',
      EXTERNAL,
      '40010100 40020a 0202 0000fde8 0000fde9 4003040a000064 c00804fde90064',
    ],
    [
      'our own route to an external peer: its MED stays',
      '40010100 400200 80040400000005',
      { ...EXTERNAL, keepMed: true },
      '40010100 400206 0201 0000fde8 4003040a000064 80040400000005',
    ],
    [
      'our own route to an internal peer: LOCAL_PREF comes in',
      '40010100 400200 80040400000005',
      INTERNAL,
      '40010100 400200 4003040a000064 80040400000005 40050400000064',
    ],
    [
      'an external route to an internal peer: nothing but LOCAL_PREF and the next hop',
      '40010100 400206 0201 0000fde9 4003040a000001 c00804fde90064',
      INTERNAL,
      '40010100 400206 0201 0000fde9 4003040a000064 40050400000064 c00804fde90064',
    ],
    [
      'reflected for the first time (RFC 4456 section 8)',
      '40010100 400206 0201 0000fde9 4003040a000001 400504000000c8',
      REFLECTED,
      '40010100 400206 0201 0000fde9 4003040a000001 400504000000c8 8009040a000007 800a040a0000ff',
    ],
    [
      'reflected again: the originator stays, our cluster comes in front',
      '40010100 400200 4003040a000001 400504000000c8 80090401020304 800a0405060708',
      REFLECTED,
      '40010100 400200 4003040a000001 400504000000c8 80090401020304 800a080a0000ff05060708',
    ],
    [
      'IPv6: the next hop goes into MP_REACH_NLRI, which is left to the caller',
      `40010100 400206 0201 0000fde9 800e15 000201 10 20010db8${'00'.repeat(11)}01 00 c0200c${'00000001'.repeat(3)}`,
      { ...EXTERNAL, nextHop: undefined },
      `40010100 40020a 0202 0000fde8 0000fde9 c0200c${'00000001'.repeat(3)}`,
    ],
    [
      'what an old speaker hears: two octets, and the rest beside (RFC 6793 4.2.2)',
      '40010100 40020a 0202 0000fde9 00030d40 4003040a000001 c007080 0030d40 01020304 c00804fde90064',
      { ...EXTERNAL, fourOctetAs: false },
      `40010100 400208 0203 fde8 fde9 5ba0 4003040a000064 c00706 5ba0 01020304 c00804fde90064
       c0110e 0203 0000fde8 0000fde9 00030d40 c01208 00030d40 01020304`,
    ],
    [
      'what an old speaker hears when all numbers are short: nothing beside',
      '40010100 400206 0201 0000fde9 4003040a000001 c007080000fde901020304',
      { ...EXTERNAL, fourOctetAs: false },
      '40010100 400206 0202 fde8 fde9 4003040a000064 c00706fde901020304',
    ],
    [
      'an unknown attribute is passed on, as it is',
      '40010100 400200 e0c802abcd',
      { ...EXTERNAL, nextHop: undefined },
      '40010100 400206 0201 0000fde8 e0c802abcd',
    ],
  ]
  test.each(golden)('%s', (_, set, form, bytes) => {
    expect(toHex(rewrite(hex(set), form))).toBe(toHex(hex(bytes)))
  })
})

describe('on the way out of a host that is about to go (RFC 8326)', () => {
  const drained = { ...EXTERNAL, drained: true }

  test('GRACEFUL_SHUTDOWN is added once', () => {
    const bare = rewritten(PLAIN, drained)
    expect(bare.communities).toEqual(['graceful-shutdown'])
    const communities = Array.from({ length: 63 }, (_, i) => `65001:${i}`)
    expect(rewritten({ ...PLAIN, communities }, drained).communities).toEqual([
      ...communities,
      'graceful-shutdown',
    ])
    const marked = [...communities, 'graceful-shutdown', '65001:64']
    expect(rewritten({ ...PLAIN, communities: marked }, drained).communities).toEqual(marked)
  })

  test('within the AS, LOCAL_PREF is 0 instead', () => {
    const inside = { ...INTERNAL, drained: true }
    for (const values of [PLAIN, { ...PLAIN, localPref: 200 }]) {
      expect(rewritten(values, inside)).toMatchObject({ localPref: 0, communities: [] })
    }
  })
})

describe('ONLY_TO_CUSTOMER (RFC 9234)', () => {
  test('comes in where there is none, in its place', () => {
    const form = { ...EXTERNAL, onlyToCustomer: 65000 }
    const set = { ...PLAIN, largeCommunities: ['1:2:3'] }
    expect(rewritten(set, form)).toMatchObject({
      onlyToCustomer: 65000,
      largeCommunities: ['1:2:3'],
    })
    expect(rewritten({ ...set, onlyToCustomer: 7 }, form).onlyToCustomer).toBe(7)
    expect(rewritten(set, { ...form, onlyToCustomer: 0 })).not.toHaveProperty('onlyToCustomer')
  })
})

describe('extended communities (RFC 4360 section 6)', () => {
  const inside = 'bandwidth:65001:125000000'
  const lists: readonly [before: readonly string[], after: readonly string[]][] = [
    [['rt:1:2'], ['rt:1:2']],
    [[inside], []],
    [
      ['rt:1:2', inside, 'ro:3:4'],
      ['rt:1:2', 'ro:3:4'],
    ],
  ]
  test.each(lists)('%j become %j outside, and stay inside', (before, after) => {
    const set = { ...PLAIN, extendedCommunities: before }
    expect(rewritten(set, EXTERNAL).extendedCommunities).toEqual(after)
    expect(rewritten(set, INTERNAL).extendedCommunities).toEqual(before)
  })
})

describe('within a confederation (RFC 5065)', () => {
  const path: OutgoingPath = {
    confederation: true,
    prepend: [65101],
    localAsn: 65101,
    peerAsn: 65102,
    override: false,
    privateAsns: 'keep',
  }
  const set = {
    ...PLAIN,
    med: 7,
    localPref: 200,
    originatorId: '1.2.3.4',
    clusterList: ['5.6.7.8'],
  }

  test('LOCAL_PREF and MED go along, reflection does not', () => {
    const it = rewritten(set, { ...INTERNAL, path })
    expect(it).toMatchObject({
      asPath: '(65101) 65001 65009',
      med: 7,
      localPref: 200,
      clusterList: [],
    })
    expect(it).not.toHaveProperty('originatorId')
  })

  test('AS4_PATH tells nothing of it (RFC 6793 section 3)', () => {
    const wide = { ...PLAIN, asPath: '(65102 4200000001) 4200000002' }
    const bytes = rewrite(encodeAttributes(wide), { ...INTERNAL, path, fourOctetAs: false })
    expect(toHex(bytes)).toContain('c01106020 1fa56ea02'.replaceAll(' ', ''))
  })
})

describe('our AS in front (RFC 4271 5.1.2)', () => {
  const long = Array.from({ length: 255 }, (_, i) => i + 1).join(' ')
  const paths: readonly [what: string, before: string, after: string][] = [
    ['an empty path', '', '65000'],
    ['a sequence grows', '65001 65009', '65000 65001 65009'],
    ['a set stays and gets a sequence in front', '{1,2} 3', '65000 {1,2} 3'],
    ['ourselves once more', '65000', '65000 65000'],
  ]
  test.each(paths)('%s', (_, before, after) => {
    expect(rewritten({ asPath: before }, EXTERNAL).asPath).toBe(after)
  })

  test('a sequence of 255 is full: another is begun, and the length gets its second octet', () => {
    const bytes = rewrite(encodeAttributes({ asPath: long }), { ...EXTERNAL, nextHop: undefined })
    expect(toHex(bytes.subarray(0, 20))).toBe(
      '40010100 50020404 0201 0000fde8 02ff 00000001'.replaceAll(' ', ''),
    )
    expect(describeAttributes(bytes).asPath).toBe(`65000 ${long}`)
  })

  test('a path that needs an extended length only with our AS gets one', () => {
    const path = Array.from({ length: 63 }, (_, i) => i + 1).join(' ')
    const bytes = rewrite(encodeAttributes({ asPath: path }), EXTERNAL)
    expect(toHex(bytes.subarray(4, 10))).toBe('500201020240')
    expect(describeAttributes(bytes).asPath).toBe(`65000 ${path}`)
  })

  test('an internal peer hears the path as it came', () => {
    expect(rewritten(PLAIN, INTERNAL).asPath).toBe('65001 65009')
  })

  test('four octets of our own AS', () => {
    const form = { ...EXTERNAL, localAsn: 4_200_000_001 }
    expect(rewritten(PLAIN, form).asPath).toBe('4200000001 65001 65009')
  })
})

describe('what stays and what goes', () => {
  const all: AttributeValues = {
    ...PLAIN,
    med: 7,
    localPref: 200,
    originatorId: '1.2.3.4',
    clusterList: ['5.6.7.8'],
    atomicAggregate: true,
    aggregator: '65009 9.9.9.9',
    communities: ['65001:1'],
    extendedCommunities: ['rt:65001:1'],
    largeCommunities: ['1:2:3'],
  }
  const transitive = {
    atomicAggregate: true,
    aggregator: '65009 9.9.9.9',
    communities: ['65001:1'],
    extendedCommunities: ['rt:65001:1'],
    largeCommunities: ['1:2:3'],
  }
  const cases: readonly [
    what: string,
    form: OutgoingForm,
    kept: object,
    gone: readonly string[],
  ][] = [
    ['external', EXTERNAL, transitive, ['med', 'localPref', 'originatorId']],
    [
      'external, MED kept',
      { ...EXTERNAL, keepMed: true },
      { ...transitive, med: 7 },
      ['localPref'],
    ],
    [
      'internal',
      INTERNAL,
      { ...transitive, med: 7, localPref: 200, originatorId: '1.2.3.4', clusterList: ['5.6.7.8'] },
      [],
    ],
    [
      'reflected',
      REFLECTED,
      {
        ...transitive,
        ...{ med: 7, localPref: 200, nextHop: '10.0.0.1', originatorId: '1.2.3.4' },
        clusterList: ['10.0.0.255', '5.6.7.8'],
      },
      [],
    ],
  ]
  test.each(cases)('%s', (_, form, kept, gone) => {
    const result = rewritten(all, form)
    expect(result).toMatchObject(kept)
    for (const key of gone) expect(result).not.toHaveProperty(key)
    if (form.external) expect(result.clusterList).toEqual([])
  })
})

describe('any set', () => {
  const asn = fc.oneof(fc.integer({ min: 1, max: 65_535 }), fc.integer({ min: 65_536, max: 4e9 }))
  const sequence = fc.array(asn, { maxLength: 600 }).map((asns) => asns.join(' '))
  const set = fc
    .record({
      asPath: fc.oneof(
        sequence,
        fc.tuple(asn, asn, sequence).map(([a, b, rest]) => `{${a},${b}} ${rest}`.trim()),
      ),
      med: fc.option(fc.nat(), { nil: undefined }),
      localPref: fc.option(fc.nat(), { nil: undefined }),
      aggregator: fc.option(
        asn.map((it) => `${it} 9.9.9.9`),
        { nil: undefined },
      ),
      communities: fc.array(fc.constant('65001:1'), { maxLength: 100 }),
      largeCommunities: fc.constantFrom([], ['1:2:3']),
    })
    .map(({ med, localPref, aggregator, ...rest }) => ({
      ...rest,
      nextHop: '10.0.0.1',
      ...(med === undefined ? {} : { med }),
      ...(localPref === undefined ? {} : { localPref }),
      ...(aggregator === undefined ? {} : { aggregator }),
    }))
  const form = fc.constantFrom(EXTERNAL, INTERNAL, REFLECTED)

  test('comes out canonical, and takes no more room than is promised', () => {
    fc.assert(
      fc.property(set, form, fc.boolean(), (values, base, fourOctetAs) => {
        const from = encodeAttributes(values)
        const to = new Uint8Array(from.length * 2 + 64)
        const end = rewriteAttributes(from, { ...base, fourOctetAs }, to, 0)
        expect(end).toBeLessThanOrEqual(Math.ceil(from.length * 1.5) + 64)
        const context = { external: base.external, fourOctetAs }
        const heard = normalizeAttributes(to, 0, end, context)
        expect(heard.problems).toEqual([])
        if (fourOctetAs) expect(toHex(heard.canonical)).toBe(toHex(to.subarray(0, end)))
      }),
      { seed: 12, numRuns: 300 },
    )
  })

  test('is the same to an old speaker that puts it together again (RFC 6793 4.2.3)', () => {
    fc.assert(
      fc.property(set, form, (values, base) => {
        const from = encodeAttributes(values)
        const bytes = rewrite(from, { ...base, fourOctetAs: false })
        const context = { external: base.external, fourOctetAs: false }
        const heard = normalizeAttributes(bytes, 0, bytes.length, context)
        expect(describeAttributes(concat(heard.canonical))).toEqual(
          describeAttributes(rewrite(from, base)),
        )
      }),
      { seed: 13, numRuns: 300 },
    )
  })
})
