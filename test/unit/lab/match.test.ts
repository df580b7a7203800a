import { expect, test } from 'vitest'
import { differences, formatDifference } from '../../../src/lab/match.ts'

const cases: { title: string; expected: unknown; found: unknown; says: string[] }[] = [
  { title: 'equal scalars match', expected: 1, found: 1, says: [] },
  { title: 'a number matches its text', expected: 179, found: '179', says: [] },
  {
    title: 'true is not false',
    expected: true,
    found: false,
    says: ['expected true, found false'],
  },
  { title: 'null means nothing there', expected: null, found: undefined, says: [] },
  { title: 'null is not 0', expected: null, found: 0, says: ['expected nothing, found 0'] },
  {
    title: 'keys that are not named do not count',
    expected: { a: 1 },
    found: { a: 1, b: 2 },
    says: [],
  },
  {
    title: 'a missing key is told with its path',
    expected: { a: { b: 'x' } },
    found: { a: {} },
    says: ['a.b: expected x, found nothing'],
  },
  {
    title: 'texts are a set',
    expected: ['10.1.1.1', '10.2.1.1'],
    found: ['10.2.1.1', '10.1.1.1'],
    says: [],
  },
  {
    title: 'a set must be complete',
    expected: ['10.1.1.1', '10.2.1.1'],
    found: ['10.1.1.1'],
    says: ['expected [10.1.1.1, 10.2.1.1], found [10.1.1.1]'],
  },
  {
    title: 'and not more than complete',
    expected: ['10.1.1.1'],
    found: ['10.1.1.1', '10.2.1.1'],
    says: ['expected [10.1.1.1], found [10.1.1.1, 10.2.1.1]'],
  },
  { title: 'an empty list is empty', expected: [], found: [1], says: ['expected [], found [1]'] },
  {
    title: 'numbers are in order',
    expected: [65001, 65102],
    found: [65102, 65001],
    says: ['expected [65001, 65102], found [65102, 65001]'],
  },
  {
    title: 'an expected row is found among others',
    expected: [{ name: 'tor1', state: 'Established' }],
    found: [
      { name: 'tor2', state: 'Idle' },
      { name: 'tor1', state: 'Established', asn: 1 },
    ],
    says: [],
  },
  {
    title: 'for a row that is missing the nearest is shown',
    expected: [{ name: 'tor1', state: 'Established' }],
    found: [
      { name: 'tor2', state: 'Idle', asn: 2 },
      { name: 'tor1', state: 'Active', asn: 1 },
    ],
    says: [
      'expected { name: tor1, state: Established }, found at best { name: tor1, state: Active }',
    ],
  },
  {
    title: 'no rows at all',
    expected: [{ name: 'tor1' }],
    found: [],
    says: ['expected { name: tor1 }, found no rows'],
  },
  {
    title: 'a list is no map',
    expected: { a: 1 },
    found: [1],
    says: ['expected { a: 1 }, found [1]'],
  },
  { title: 'a map is no list', expected: ['a'], found: 'a', says: ['expected [a], found a'] },
]

test.each(cases)('$title', ({ expected, found, says }) => {
  expect(differences(expected, found).map(formatDifference)).toEqual(says)
})
