/**
 * Properties of the codec: what is written can be read, where the stream is cut does not matter, and no
 * bytes whatsoever make a decoder throw anything but a SessionError.
 */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  describeAttributes,
  encodeAttributes,
  type AttributeDescription,
} from '../../src/wire/attributes/describe.ts'
import { CANONICAL } from '../../src/wire/attributes/attribute.ts'
import {
  missingMandatory,
  normalizeAttributes,
  type MessageFacts,
} from '../../src/wire/attributes/normalize.ts'
import type { Capability } from '../../src/wire/capabilities/index.ts'
import { SessionError } from '../../src/wire/errors.ts'
import { Framer } from '../../src/wire/framer.ts'
import { encodeMessage } from '../../src/wire/message.ts'
import {
  decodeNotification,
  describeNotification,
  encodeNotification,
  encodeShutdownText,
  shutdownTextOf,
} from '../../src/wire/notification.ts'
import { decodeOpen, encodeOpen, type Open } from '../../src/wire/open.ts'
import { decodeRouteRefresh, encodeRouteRefresh } from '../../src/wire/route-refresh.ts'
import { AttributeFacts, scanAttributes } from '../../src/wire/scan.ts'
import { UpdateView } from '../../src/wire/update.ts'

const octet = fc.integer({ min: 0, max: 0xff })
const u16 = fc.integer({ min: 0, max: 0xffff })
const u32 = fc.integer({ min: 0, max: 0xffffffff })
/** Small numbers often, so that two-octet and four-octet forms both occur. */
const asn = fc.oneof(fc.integer({ min: 1, max: 70_000 }), fc.integer({ min: 1, max: 0xffffffff }))
const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const dotted = u32.map((n) => `${n >>> 24}.${(n >>> 16) & 255}.${(n >>> 8) & 255}.${n & 255}`)

const afiSafi = { afi: u16, safi: octet }
const capability: fc.Arbitrary<Capability> = fc.oneof(
  fc.record({ name: fc.constant('multiprotocol' as const), ...afiSafi }),
  fc.record({ name: fc.constant('route-refresh' as const) }),
  fc.record({ name: fc.constant('extended-message' as const) }),
  fc.record({ name: fc.constant('enhanced-route-refresh' as const) }),
  fc.record({ name: fc.constant('four-octet-as' as const), asn }),
  fc.record({
    name: fc.constant('extended-next-hop' as const),
    families: fc.array(fc.record({ afi: u16, safi: u16, nextHopAfi: u16 }), { maxLength: 20 }),
  }),
  fc.record({
    name: fc.constant('role' as const),
    role: fc.constantFrom(...(['provider', 'rs', 'rs-client', 'customer', 'peer'] as const)),
  }),
  fc.record({
    name: fc.constant('graceful-restart' as const),
    restarting: fc.boolean(),
    notification: fc.boolean(),
    restartTimeSeconds: fc.integer({ min: 0, max: 4095 }),
    families: fc.array(fc.record({ ...afiSafi, forwardingPreserved: fc.boolean() }), {
      maxLength: 20,
    }),
  }),
  fc.record({
    name: fc.constant('add-path' as const),
    families: fc.array(
      fc
        .record({ ...afiSafi, receive: fc.boolean(), send: fc.boolean() })
        .filter(({ receive, send }) => receive || send),
      { maxLength: 20 },
    ),
  }),
  fc.record({
    name: fc.constant('fqdn' as const),
    hostname: fc.string({ unit: 'grapheme', maxLength: 10 }),
    domain: fc.string({ unit: 'grapheme', maxLength: 10 }),
  }),
  fc.record({
    name: fc.constant('unknown' as const),
    code: fc.integer({ min: 128, max: 255 }),
    bytes: bytes(255),
  }),
)

/** An OPEN's AS number is that of its capability, if it has one. */
const open: fc.Arbitrary<Open> = fc
  .record({
    asn: fc.integer({ min: 1, max: 0xffff }),
    holdTimeSeconds: u16.filter((seconds) => seconds !== 1 && seconds !== 2),
    identifier: fc.integer({ min: 1, max: 0xffffffff }),
    capabilities: fc.array(capability, { maxLength: 15 }),
  })
  .map((it) => {
    const wide = it.capabilities.find(({ name }) => name === 'four-octet-as')
    return wide?.name === 'four-octet-as' ? { ...it, asn: wide.asn } : it
  })

const sequence = fc.array(asn, { minLength: 1, maxLength: 6 }).map((asns) => asns.join(' '))
const set = fc.array(asn, { minLength: 1, maxLength: 4 }).map((asns) => `{${asns.join(',')}}`)
/** Alternating, since neighbouring sequences read as one. */
const asPath = fc
  .tuple(
    fc.option(sequence.map((text) => `(${text})`)),
    fc.option(sequence),
    fc.option(set),
    fc.option(sequence),
    fc.option(set.map((text) => `(${text})`)),
  )
  .map((segments) => segments.filter((segment) => segment !== null).join(' '))

const nextHops = fc.constantFrom<Partial<AttributeDescription>[]>(
  { nextHop: '10.0.0.1' },
  { nextHop: '240.1.2.3' },
  { nextHop: '10.0.0.1', reachFamily: 'ipv4' },
  { nextHop: '2001:db8::1', reachFamily: 'ipv6' },
  { nextHop: 'fe80::1', reachFamily: 'ipv4' },
  { nextHop: '2001:db8::1', nextHopLinkLocal: 'fe80::1', reachFamily: 'ipv6' },
)
const community = fc.oneof(
  fc.tuple(fc.integer({ min: 0, max: 0xfffe }), u16).map((pair) => pair.join(':')),
  fc.constantFrom('no-export', 'no-advertise', 'blackhole'),
)
const extendedCommunity = fc.oneof(
  fc.tuple(fc.constantFrom('rt', 'ro'), u16, u32).map((parts) => parts.join(':')),
  fc
    .tuple(fc.constantFrom('rt', 'ro'), fc.integer({ min: 0x10000, max: 0xffffffff }), u16)
    .map((parts) => parts.join(':')),
  fc.tuple(fc.constantFrom('rt', 'ro'), dotted, u16).map((parts) => parts.join(':')),
  u32.map((low) => `generic:0x06030000:0x${low.toString(16).padStart(8, '0')}`),
)
const largeCommunity = fc.tuple(u32, u32, u32).map((parts) => parts.join(':'))
const few = <T>(one: fc.Arbitrary<T>) => fc.array(one, { maxLength: 5 })

const description: fc.Arbitrary<AttributeDescription> = fc
  .tuple(
    fc.record(
      {
        origin: fc.constantFrom('IGP' as const, 'EGP' as const, 'incomplete' as const),
        asPath,
        med: u32,
        localPref: u32,
        atomicAggregate: fc.boolean(),
        aggregator: fc.tuple(asn, dotted).map((pair) => pair.join(' ')),
        communities: few(community),
        extendedCommunities: few(extendedCommunity),
        largeCommunities: fc.uniqueArray(largeCommunity, { maxLength: 5 }),
        originatorId: dotted,
        clusterList: few(dotted),
        unknown: fc
          .uniqueArray(fc.integer({ min: 200, max: 255 }), { maxLength: 3 })
          .chain((codes) => fc.tuple(fc.constant(codes.toSorted((a, b) => a - b)), bytes(400)))
          .map(([codes, value]) =>
            codes.map((code) => ({ code, flags: 0xe0, value: Buffer.from(value).toString('hex') })),
          ),
      },
      {
        requiredKeys: [
          'origin',
          'asPath',
          'atomicAggregate',
          'communities',
          'extendedCommunities',
          'largeCommunities',
          'clusterList',
          'unknown',
        ],
      },
    ),
    nextHops,
  )
  .map(([attributes, hops]) => ({ ...attributes, ...hops }))

/** A few bytes of a valid thing changed, cut off or put in. */
const mutated = (valid: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      valid,
      fc.array(fc.tuple(fc.nat(), octet, fc.constantFrom('set', 'insert', 'cut')), {
        minLength: 1,
        maxLength: 4,
      }),
    )
    .map(([original, changes]) => {
      const result = Array.from(original)
      for (const [where, value, how] of changes) {
        const at = where % (result.length + 1)
        if (how === 'cut') result.length = at
        else result.splice(at, how === 'set' ? 1 : 0, value)
      }
      return Uint8Array.from(result)
    })

/** The answer, or the SessionError; anything else that is thrown fails the test. */
function answerOf<T>(decode: () => T): T | SessionError {
  try {
    return decode()
  } catch (error) {
    if (error instanceof SessionError) return error
    throw error
  }
}

/** `FUZZ_TIMES=100` looks further: that many times the runs, and other ones each time. */
const times = Number(process.env['FUZZ_TIMES'] ?? 1)

function check<T extends unknown[]>(property: fc.IPropertyWithHooks<T>, numRuns = 1000): void {
  fc.assert(property, times === 1 ? { numRuns, seed: 4271 } : { numRuns: numRuns * times })
}

describe('what is written can be read', () => {
  test('OPEN', () => {
    check(
      fc.property(open, (it) => {
        const message = encodeOpen(it)
        expect(decodeOpen(message, 19, message.length)).toEqual(it)
      }),
    )
  })

  test('NOTIFICATION', () => {
    check(
      fc.property(octet, octet, bytes(300), (code, subcode, data) => {
        const message = encodeNotification({ code, subcode, data })
        expect(decodeNotification(message, 19, message.length)).toEqual({ code, subcode, data })
      }),
    )
  })

  test('shutdown texts, as far as they fit', () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 })
    check(
      fc.property(text, (it) => {
        const data = encodeShutdownText(it)
        expect(data.length).toBeLessThanOrEqual(256)
        const read = shutdownTextOf({ code: 6, subcode: 2, data })
        expect(it.startsWith(read ?? '?')).toBe(true)
        if (data.length < 250) expect(read).toBe(it)
      }),
    )
  })

  test('ROUTE-REFRESH', () => {
    const family = fc.constantFrom('ipv4' as const, 'ipv6' as const)
    const subtype = fc.constantFrom('request' as const, 'begin' as const, 'end' as const)
    check(
      fc.property(family, subtype, (one, kind) => {
        const message = encodeRouteRefresh(one, kind)
        expect(decodeRouteRefresh(message, 19, message.length)).toEqual({
          afi: one === 'ipv4' ? 1 : 2,
          safi: 1,
          subtype: kind,
        })
      }),
      20,
    )
  })

  test('attribute sets', () => {
    check(
      fc.property(description, (it) => {
        expect(describeAttributes(encodeAttributes(it))).toEqual(it)
      }),
    )
  })
})

const OWN = { asns: [65_001], clusterId: 1 }
const contexts = fc.record({ external: fc.boolean(), fourOctetAs: fc.boolean() })
const section = description.map(encodeAttributes)

describe('canonical bytes', () => {
  test('stay as they are when they are normalised', () => {
    check(
      fc.property(section, (bytes) => {
        const result = normalizeAttributes(bytes, 0, bytes.length, CANONICAL)
        expect(result.problems).toEqual([])
        expect(Buffer.from(result.canonical).equals(bytes)).toBe(true)
      }),
    )
  })

  test('are what comes out of any section, and the fast scanner finds them plain', () => {
    const facts = new AttributeFacts()
    let plain = 0
    check(
      fc.property(fc.oneof(section, mutated(section)), contexts, (bytes, context) => {
        const result = answerOf(() => normalizeAttributes(bytes, 0, bytes.length, context))
        if (result instanceof SessionError || result.remedy === 'withdraw') return
        const once = result.canonical.slice()
        expect(scanAttributes(once, 0, once.length, OWN, facts)).toBe(true)
        const again = normalizeAttributes(once, 0, once.length, { ...context, fourOctetAs: true })
        expect(Buffer.from(again.canonical).equals(once)).toBe(true)
        expect(answerOf(() => describeAttributes(once))).not.toBeInstanceOf(SessionError)
        plain++
      }),
      2000,
    )
    expect(plain).toBeGreaterThan(200)
  })
})

describe('framing', () => {
  const body = bytes(300).map((it) => encodeMessage(2, Uint8Array.from([0, 0, 0, 0, ...it])))
  const message = fc.oneof(
    body,
    open.map(encodeOpen),
    fc.constant(encodeMessage(4, new Uint8Array(0))),
  )
  const stream = fc
    .tuple(fc.array(message, { maxLength: 8 }), fc.option(bytes(40)))
    .map(([messages, garbage]) => Buffer.concat([...messages, garbage ?? new Uint8Array(0)]))

  /** All messages, and the error that ended them. */
  function framed(chunks: readonly Uint8Array[]): string[] {
    const framer = new Framer()
    const messages: string[] = []
    const error = answerOf(() => {
      for (const chunk of chunks) {
        framer.push(chunk)
        while (framer.next()) {
          const { type, buffer, start, end } = framer
          messages.push(`${type}:${Buffer.from(buffer.subarray(start, end)).toString('hex')}`)
        }
      }
    })
    return error instanceof SessionError ? [...messages, error.message] : messages
  }

  test('is the same for every cut, also up to the error', () => {
    check(
      fc.property(stream, fc.array(fc.nat(), { maxLength: 12 }), (bytes, cuts) => {
        const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
        const sorted = ends.toSorted((a, b) => a - b)
        const chunks = sorted.map((end, i) => bytes.subarray(sorted[i - 1] ?? 0, end))
        expect(framed(chunks)).toEqual(framed([bytes]))
      }),
    )
  })
})

describe('nothing but a SessionError is thrown', () => {
  const openBody = open.map((it) => encodeOpen(it).subarray(19))

  test('by OPENs', () => {
    check(
      fc.property(fc.oneof(mutated(openBody), bytes(80)), (it) => {
        const answer = answerOf(() => decodeOpen(it, 0, it.length))
        if (answer instanceof SessionError) expect(answer.code).toBe(2)
      }),
      3000,
    )
  })

  test('by NOTIFICATIONs and ROUTE-REFRESHes, which the framer lets have 2 and 4 bytes or more', () => {
    check(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 300 }), (it) => {
        answerOf(() => describeNotification(decodeNotification(it, 0, it.length)))
        answerOf(() => decodeRouteRefresh(it, 0, it.length))
      }),
    )
  })

  test('by path attributes', () => {
    const facts: fc.Arbitrary<MessageFacts> = fc.oneof(
      fc.record({ hasNlri: fc.boolean() }),
      fc.record({
        hasNlri: fc.boolean(),
        setFor: fc.constantFrom('nlri' as const, 'reach' as const),
      }),
    )
    const input = fc.oneof(mutated(section), bytes(100))
    check(
      fc.property(input, contexts, fc.option(facts), (it, context, message) => {
        const result = answerOf(() =>
          normalizeAttributes(it, 0, it.length, context, message ?? undefined),
        )
        if (result instanceof SessionError) {
          expect(result.code).toBe(3)
          return
        }
        const told = result.problems.map(({ remedy }) => remedy)
        expect(told.includes('withdraw')).toBe(result.remedy === 'withdraw')
        expect(told.length === 0).toBe(result.remedy === 'none')
        missingMandatory(result.canonical, true, context)
        for (const found of [result.reach, result.unreach]) {
          if (found === undefined) continue
          expect(found.nlriStart).toBeLessThanOrEqual(found.nlriEnd)
          expect(found.nlriEnd).toBeLessThanOrEqual(it.length)
        }
      }),
      5000,
    )
  })

  test('by whole UPDATEs', () => {
    const update = fc.tuple(section, bytes(20), bytes(20)).map(([attributes, withdrawn, nlri]) => {
      const lengthOf = ({ length }: Uint8Array) => [length >> 8, length & 0xff]
      return Buffer.from([
        ...lengthOf(withdrawn),
        ...withdrawn,
        ...lengthOf(attributes),
        ...attributes,
        ...nlri,
      ])
    })
    const view = new UpdateView()
    check(
      fc.property(fc.oneof(mutated(update), update, fc.uint8Array({ minLength: 4 })), (it) => {
        fc.pre(it.length >= 4)
        answerOf(() => view.split(it, 0, it.length))
      }),
      2000,
    )
  })

  test('by streams', () => {
    check(
      fc.property(fc.array(fc.oneof(bytes(60), mutated(open.map(encodeOpen)))), (chunks) => {
        const framer = new Framer()
        answerOf(() => {
          for (const chunk of chunks) {
            framer.push(chunk)
            while (framer.next()) expect(framer.end).toBeLessThanOrEqual(framer.buffer.length)
          }
        })
      }),
    )
  })
})
