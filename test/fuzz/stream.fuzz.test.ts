/**
 * Bytes changed anywhere in messages of every type, in an Established session and in the place of the first
 * message: headers, OPENs and messages out of state get exactly the NOTIFICATION of their RFC
 * (`stream-oracle.ts`), UPDATEs what RFC 7606 says.
 */
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { message, OPEN, UPDATE } from '../support/bgp-messages.ts'
import { fourOctetAs, IPV4_UNICAST, IPV6_UNICAST, openBody } from '../support/raw-peer.ts'
import { SPEAKER_ASN, SpeakerStage } from '../support/speaker-stage.ts'
import { notificationText } from '../unit/conformance/update-stage.ts'
import { CASES, note, SEED, TIMEOUT_MS } from './extent.ts'
import { FuzzStage, SESSION_KINDS, sessionOf, type SessionKind } from './fuzz-stage.ts'
import { answersToFirst } from './stream-oracle.ts'
import { bodyOf, planFor, type Break } from './update-arbitrary.ts'

const TYPES = ['OPEN', 'UPDATE', 'NOTIFICATION', 'KEEPALIVE', 'ROUTE-REFRESH'] as const

const octet = fc.integer({ min: 0, max: 255 })
const bytes = (maxLength: number) => fc.array(octet, { maxLength })

/** Bytes set, put in or cut off. */
interface Change {
  readonly how: 'set' | 'insert' | 'remove' | 'cut'
  readonly where: number
  readonly value: number
}
const change: fc.Arbitrary<Change> = fc.record({
  how: fc.constantFrom('set', 'set', 'set', 'insert', 'remove', 'cut'),
  // The header as often as all the rest.
  where: fc.oneof(fc.integer({ min: 16, max: 40 }), fc.nat(4096)),
  value: fc.oneof(octet, fc.constantFrom(0, 1, 2, 255)),
})

function changed(original: Uint8Array, changes: readonly Change[]): Uint8Array {
  const result = [...original]
  for (const { how, where, value } of changes) {
    const at = where % Math.max(1, result.length)
    if (how === 'set') result[at] = value
    else if (how === 'insert') result.splice(at, 0, value)
    else if (how === 'remove') result.splice(at, 1)
    else result.length = at
  }
  return Uint8Array.from(result)
}

const capability = fc.oneof(
  fc.constantFrom<number[]>([...IPV4_UNICAST], [...IPV6_UNICAST], [2, 0], [70, 0], [6, 0]),
  fc
    .tuple(fc.constantFrom(1, 2, 5, 6, 9, 64, 65, 69, 70, 73, 250), bytes(8))
    .map(([code, value]) => [code, value.length, ...value]),
)
const ASN = 65_001
const open = fc
  .tuple(fc.array(capability, { maxLength: 6 }), fc.constantFrom(0, 1, 2, 3, 90, 65_535))
  .map(([more, holdTimeSeconds]) => {
    const capabilities = [...IPV4_UNICAST, ...fourOctetAs(ASN), ...more.flat()]
    return message(OPEN, openBody({ address: '10.0.0.1', asn: ASN, holdTimeSeconds }, capabilities))
  })

/** Sound where RFC 8654 was agreed on, and beyond what is allowed elsewhere. */
const lengths = (kind: SessionKind): fc.Arbitrary<Break[]> =>
  sessionOf(kind).longest === 4096
    ? fc.constant([])
    : fc.array(
        fc.record({
          kind: fc.constant('beyond 4096 bytes'),
          which: fc.nat(9),
          amount: fc.nat(1000),
        }),
        { maxLength: 1 },
      )

const messageOf = (
  kind: SessionKind,
): fc.Arbitrary<readonly [(typeof TYPES)[number], Uint8Array]> =>
  fc.oneof(
    open.map((it) => ['OPEN', it] as const),
    fc
      .tuple(planFor(sessionOf(kind)), lengths(kind))
      .map(
        ([plan, breaks]) => ['UPDATE', message(UPDATE, [...bodyOf({ ...plan, breaks })])] as const,
      ),
    fc
      .tuple(fc.nat(TYPES.length - 1), fc.constantFrom(4096, 4097, 65_535))
      .map(([i, size]) => [TYPES[i], message(i + 1, Array<number>(size - 19).fill(0))] as const),
    fc
      .tuple(octet, octet, bytes(30))
      .map(
        ([code, subcode, data]) => ['NOTIFICATION', message(3, [code, subcode, ...data])] as const,
      ),
    fc.constant(['KEEPALIVE', message(4)] as const),
    fc
      .tuple(fc.constantFrom(0, 1, 2, 25), octet, fc.constantFrom(0, 1, 2, 3), octet)
      .map(([afi, reserved, safi, more]) => {
        const body = [0, afi, reserved, safi, ...(more === 0 ? [1] : [])]
        return ['ROUTE-REFRESH', message(5, body)] as const
      }),
  )

const cuts = fc.oneof(fc.constant<number[]>([]), fc.array(fc.nat(8000), { maxLength: 6 }))
const changes = fc.array(change, { minLength: 1, maxLength: 4 })

describe('bytes changed in an Established session', () => {
  test('do what the RFCs say of what they have become', { timeout: TIMEOUT_MS }, async () => {
    const stage = await new FuzzStage().start()
    const seen = new Map<string, number>()
    let cases = 0
    const one = fc
      .constantFrom(...SESSION_KINDS)
      .chain((kind) => fc.tuple(fc.constant<SessionKind>(kind), messageOf(kind), changes, cuts))
    const property = fc.asyncProperty(one, async ([kind, [type, original], done, where]) => {
      seen.set(type, (seen.get(type) ?? 0) + 1)
      await stage.play(kind, changed(original, done), where)
      // What is left of a message would swallow the next case.
      await stage.drop(kind)
      if (++cases % 100 === 0) await stage.expectNoLeak()
    })
    await fc.assert(property, { numRuns: Math.round(CASES * 0.15), seed: SEED })
    await stage.expectNoLeak()
    await stage.stop()
    note('streams with changed bytes', cases)
    note('messages changed', [...seen].map(([type, n]) => `${type} ${n}`).join(', '))
    note('outcomes', [...stage.outcomes].map(([what, n]) => `${what} ${n}`).join(', '))
    expect(TYPES.filter((type) => !seen.has(type))).toEqual([])
  })
})

describe('bytes changed in the first message', () => {
  let stage: SpeakerStage
  const internal = { asn: SPEAKER_ASN, ourAsn: SPEAKER_ASN, ourIdentifier: '0a000064' }
  const external = { ...internal, asn: ASN }
  beforeAll(async () => {
    const mute = { mute: true, holdTimeSeconds: 0 }
    stage = await new SpeakerStage([
      { name: 'external', address: '10.0.0.1', asn: ASN, ...mute },
      { name: 'internal', address: '10.0.0.2', asn: SPEAKER_ASN, ...mute },
      { name: 'bystander', address: '10.0.0.9', asn: 65_099 },
    ]).start()
  })
  afterAll(() => stage.stop())

  test(
    'get the answer of RFC 4271 6.1 and 6.2 and their successors',
    { timeout: TIMEOUT_MS },
    async () => {
      const seen = new Map<string, number>()
      const first = fc.oneof(
        { weight: 4, arbitrary: open.map((it) => ['OPEN', it] as const) },
        { weight: 1, arbitrary: messageOf('eBGP') },
      )
      const names = fc.constantFrom('external' as const, 'internal' as const)
      const some = fc.array(change, { maxLength: 3 })
      const property = fc.asyncProperty(names, first, some, async (name, [, original], done) => {
        const peer = stage.peer(name)
        if (!peer.connected) {
          stage.speaker.neighbor(name)?.peer.retryNow()
          await stage.until('a connection', () => peer.connected)
        }
        await stage.pass(4)
        peer.notifications.length = 0
        const bytesSent = changed(original, done)
        peer.send(bytesSent)
        await stage.pass(4)
        const expected = answersToFirst(bytesSent, name === 'internal' ? internal : external)
        const [error] = peer.notifications
        const state = peer.connected ? stage.stateOf(name) : 'closed'
        const answer = error === undefined ? state : notificationText(error)
        expect([...expected], answer).toContain(answer)
        seen.set(answer, (seen.get(answer) ?? 0) + 1)
        expect(stage.peer('bystander').sessions).toBe(1)
        expect(stage.peer('bystander').notifications).toEqual([])
        peer.hangUp()
        await stage.pass(4)
        stage.told.length = 0
      })
      const numRuns = Math.round(CASES * 0.15)
      await fc.assert(property, { numRuns, seed: SEED })
      note('first messages', numRuns)
      note('answers', [...seen].map(([answer, n]) => `${answer} ${n}`).join(', '))
      for (const answer of ['OpenConfirm', '1/1', '2/0', '2/2', '2/6']) {
        expect(seen.get(answer) ?? 0, answer).toBeGreaterThan(0)
      }
    },
  )
})
