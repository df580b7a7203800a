import { describe, expect, test } from 'vitest'
import { ADD_PATH_ERRORS } from './add-path-errors.ts'
import { CONFEDERATION_ERRORS } from './confederation-errors.ts'
import { EXTENDED_ERRORS } from './extended-errors.ts'
import { playIn, updateOf } from './update-stage.ts'

const AGREED_ERRORS = [...ADD_PATH_ERRORS, ...EXTENDED_ERRORS, ...CONFEDERATION_ERRORS]

const BEFORE = '10.1.0.0/16'
const AFTER = '10.2.0.0/16'
/** What other peers hear of a path: its prefix. */
const prefixOf = (route: string): string => route.split('#')[0] ?? ''

describe.each(AGREED_ERRORS)('$rule', ({ scene, routes, rows }) => {
  const identifier = routes.some((route) => route.endsWith('#1')) ? '#1' : ''
  const around = [`${BEFORE}${identifier}`, `${AFTER}${identifier}`]

  test.each(rows)('$what costs $cost', async ({ said, cost, left = routes, shown }) => {
    const messages = 'section' in said ? [updateOf(said)] : said
    const outcome = await playIn(scene, ...messages)
    if (cost !== 'nothing' && cost !== 'attribute' && cost !== 'route') {
      expect(outcome.session).toBe(cost)
      expect([...outcome.routes.keys()]).toEqual([])
      expect(outcome.heard).toEqual([])
      return
    }
    expect(outcome.session).toBe('Established')
    expect([...outcome.routes.keys()].toSorted()).toEqual([...around, ...left].toSorted())
    const used = [...outcome.routes].flatMap(([route, { valid }]) => (valid ? [route] : []))
    expect(used).toEqual(expect.arrayContaining(around))
    expect(new Set(outcome.heard)).toEqual(new Set(used.map(prefixOf)))
    expect(outcome.malformed).toBe(cost === 'nothing' ? 0 : 1)
    if (shown !== undefined) expect(outcome.routes.get(left[0] ?? '')).toMatchObject(shown)
  })
})

test('rows stand for sessions that have agreed, and for those that have not', () => {
  expect(AGREED_ERRORS.flatMap(({ rows }) => rows).length).toBeGreaterThan(90)
  for (const { rows } of AGREED_ERRORS) expect(rows.length).toBeGreaterThan(0)
})
