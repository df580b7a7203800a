/**
 * Broken UPDATEs and broken streams, played to a whole speaker. What must come of each is the oracle's
 * reading of RFC 7606 (`oracle.ts`), never the mere absence of a crash: the routes that are left, their
 * attributes, the NOTIFICATION, the count of malformed UPDATEs; and a bystander must not notice.
 *
 *   FUZZ_CASES=100000 npx vitest run --project fuzz     that many cases, from another seed each time
 *   FUZZ_SEED=12345 ...                                  from this seed: that of a failure
 */
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ATTRIBUTES } from '../../src/wire/attributes/index.ts'
import { message, UPDATE } from '../support/bgp-messages.ts'
import { CORPUS } from './corpus.ts'
import { CASES, note, SEED, TIMEOUT_MS } from './extent.ts'
import { FuzzStage, SESSION_KINDS, sessionOf, type SessionKind } from './fuzz-stage.ts'
import { ORACLE_CODES } from './oracle.ts'
import { bodyOf, BREAKS, planFor, VALUES, type Plan } from './update-arbitrary.ts'

let stage: FuzzStage
beforeAll(async () => {
  stage = await new FuzzStage().start()
})
afterAll(() => stage.stop())

/** What the length field can say. */
const LARGEST_BODY = 65_535 - 19
/** Looked at for leaks, and for the state to be known when a case is shrunk. */
const LEAK_CHECK_EVERY = 200

const kinds = fc.constantFrom(...SESSION_KINDS)
const cuts = fc.oneof(fc.constant<number[]>([]), fc.array(fc.nat(8000), { maxLength: 6 }))

/** Seen in sound attributes, in broken ones, and the breaks themselves. */
const sound = new Map<number, number>()
const broken = new Map<number, number>()
const breaks = new Map<string, number>()
const sessions = new Map<string, number>()
const count = <K>(counts: Map<K, number>, key: K): void =>
  void counts.set(key, (counts.get(key) ?? 0) + 1)

function cover({ attributes, breaks: done }: Plan): void {
  for (const { code } of attributes) count(done.length === 0 ? sound : broken, code)
  for (const { kind } of done) count(breaks, kind)
}

describe('the table of attributes', () => {
  test('is known row by row to the oracle and to the makers of UPDATEs', () => {
    const codes = ATTRIBUTES.map(({ code }) => code).toSorted((a, b) => a - b)
    expect(codes.length).toBeGreaterThan(10)
    expect([...ORACLE_CODES].toSorted((a, b) => a - b)).toEqual(codes)
    expect([...VALUES.keys()].toSorted((a, b) => a - b)).toEqual(codes)
  })
})

describe('what once went wrong', () => {
  test.each(CORPUS)('$what', async ({ session, stream }) => {
    await stage.play(session, Buffer.from(stream, 'hex'), [])
    await stage.drop(session)
  })
})

describe('UPDATEs broken in known ways', () => {
  test('do what RFC 7606 says', { timeout: TIMEOUT_MS }, async () => {
    const numRuns = Math.round(CASES * 0.7)
    let cases = 0
    const one = kinds.chain((kind) =>
      fc.tuple(fc.constant<SessionKind>(kind), planFor(sessionOf(kind)), cuts),
    )
    const property = fc.asyncProperty(one, async ([kind, plan, where]) => {
      const body = bodyOf(plan)
      fc.pre(body.length <= LARGEST_BODY)
      cover(plan)
      count(sessions, kind)
      await stage.play(kind, message(UPDATE, [...body]), where)
      if (++cases % LEAK_CHECK_EVERY === 0) await stage.expectNoLeak()
    })
    await fc.assert(property, { numRuns, seed: SEED })
    await stage.expectNoLeak()
    note('UPDATEs broken in known ways', cases)
    const rows = ATTRIBUTES.map(
      ({ code, name }) => `${name} ${sound.get(code) ?? 0}+${broken.get(code) ?? 0}`,
    )
    note('attributes, sound + in broken UPDATEs', rows.join(', '))
    note('sessions', [...sessions].map(([kind, n]) => `${kind} ${n}`).join(', '))
    note('ways to break', [...breaks].map(([kind, n]) => `${kind} ${n}`).join(', '))
    note('outcomes', [...stage.outcomes].map(([what, n]) => `${what} ${n}`).join(', '))
    const unseen = ATTRIBUTES.filter(({ code }) => !sound.has(code) || !broken.has(code))
    expect(unseen.map(({ name }) => name)).toEqual([])
    expect(BREAKS.filter((kind) => !breaks.has(kind))).toEqual([])
    expect(SESSION_KINDS.filter((kind) => !sessions.has(kind))).toEqual([])
    for (const outcome of ['none', 'discard', 'withdraw', '1/2', '3/1', '3/2', '3/9', '3/10']) {
      expect(stage.outcomes.get(outcome) ?? 0, outcome).toBeGreaterThan(0)
    }
  })
})
