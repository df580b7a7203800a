import { describe, expect, test } from 'vitest'
import { ATTRIBUTES } from '../../../src/wire/attributes/index.ts'
import { hex } from '../wire/hex.ts'
import { ATTRIBUTE_ERRORS, FLAG_ERRORS, type AttributeRow, type Cost } from './attribute-errors.ts'
import { MESSAGE_ERRORS } from './message-errors.ts'
import {
  AFTER,
  BEFORE,
  play,
  TESTED,
  updateOf,
  updateWith,
  type Carrier,
  type Outcome,
} from './update-stage.ts'

/** Holds an outcome against what a row says; `tested` is the prefix that the message announces. */
function judge(outcome: Outcome, cost: Cost, tested: string, shown: AttributeRow[4] = {}): void {
  const both = [TESTED.ipv4, TESTED.ipv6]
  if (cost !== 'nothing' && cost !== 'attribute' && cost !== 'route') {
    expect(outcome.session).toBe(cost)
    expect([...outcome.routes.keys()]).toEqual([])
    expect(outcome.heard).toEqual([])
    expect(outcome.log).toHaveLength(1)
    return
  }
  const stays = both.filter((prefix) => cost !== 'route' || prefix !== tested)
  const left = [BEFORE, AFTER, ...stays].toSorted()
  expect(outcome.session).toBe('Established')
  expect([...outcome.routes.keys()].toSorted()).toEqual(left)
  expect(outcome.heard).toEqual(left)
  expect(outcome.malformed).toBe(cost === 'nothing' ? 0 : 1)
  expect(outcome.log).toHaveLength(outcome.malformed)
  if (outcome.log[0] !== undefined) expect(outcome.log[0]).toContain(tested)
  if (cost !== 'route') expect(outcome.routes.get(tested)).toMatchObject(shown)
  expect(outcome.routes.get(AFTER)?.valid).toBe(true)
}

const BOTH: readonly Carrier[] = ['ipv4', 'ipv6']

describe.each([...ATTRIBUTE_ERRORS, ...FLAG_ERRORS])('$rule', ({ carriers = BOTH, rows }) => {
  for (const carrier of carriers) {
    for (const [what, session, attribute, cost, shown] of rows) {
      test(`${carrier} over ${session}: ${what} costs ${cost}`, async () => {
        const update = updateOf(updateWith(session, carrier, attribute))
        judge(await play(session, update), cost, TESTED[carrier], shown)
      })
    }
  }
})

test('every attribute that we know has rows', () => {
  const codes = [...ATTRIBUTE_ERRORS, ...FLAG_ERRORS].flatMap(({ rows }) =>
    rows.map((row) => hex(row[2])[1]),
  )
  const sections = MESSAGE_ERRORS.flatMap(({ rows }) => rows.map(({ fields }) => fields.section))
  const multiprotocol = [14, 15].filter((code) =>
    sections.some((section) => section.includes(`80 0${code.toString(16)}`)),
  )
  const tested = new Set([...codes, ...multiprotocol])
  expect(ATTRIBUTES.filter(({ code }) => !tested.has(code)).map(({ name }) => name)).toEqual([])
})

describe.each(MESSAGE_ERRORS)('$rule', ({ rows }) => {
  test.each(rows)('$what costs $cost', async ({ session = 'eBGP', fields, cost, left, shown }) => {
    const outcome = await play(session, updateOf(fields))
    if (left === undefined) return judge(outcome, cost, TESTED.ipv4, shown)
    expect(outcome.session).toBe('Established')
    expect([...outcome.routes.keys()].toSorted()).toEqual([BEFORE, AFTER, ...left].toSorted())
    expect(outcome.malformed).toBe(cost === 'nothing' ? 0 : 1)
  })
})
