import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatAsPath, parseAsPath, asPath } from '../../../src/wire/attributes/as-path.ts'
import { CANONICAL } from '../../../src/wire/attributes/attribute.ts'
import { Malformed } from '../../../src/wire/errors.ts'
import { outgoingPath, type OutgoingPath } from '../../../src/wire/outgoing-path.ts'
import { beginsWith, countIn, isPrivateAsn } from '../../../src/wire/path-bytes.ts'
import { Reader, Writer } from '../../../src/net/bytes.ts'

/** We are AS 1000, the peer is AS 2000; both in public. */
const PLAIN: OutgoingPath = {
  confederation: false,
  prepend: [1000],
  localAsn: 1000,
  peerAsn: 2000,
  override: false,
  privateAsns: 'keep',
}

function bytesOf(text: string): Uint8Array {
  const path = parseAsPath(text)
  if (path === undefined) throw new RangeError(text)
  const to = new Writer(4096)
  asPath.encode(path, to)
  return to.take()
}

function textOf(bytes: Uint8Array): string {
  const path = asPath.decode(new Reader(bytes), CANONICAL)
  if (path instanceof Malformed) throw new RangeError(path.why)
  return formatAsPath(path)
}

const cases: readonly [what: string, form: Partial<OutgoingPath>, before: string, after: string][] =
  [
    ['ours in front', {}, '5 6', '1000 5 6'],
    ['ours alone for our own routes', {}, '', '1000'],
    ['ours, then the one that the peer knows', { prepend: [1000, 3000] }, '5', '3000 1000 5'],
    ['segments of the confederation stay inside', {}, '(65101 65102) 5', '1000 5'],
    ['wherever they stand', {}, '5 (65101) 6 ({65102,65103})', '1000 5 6'],
    [
      'within the confederation a sequence of its own begins',
      { confederation: true, prepend: [65101] },
      '5 6',
      '(65101) 5 6',
    ],
    ['and grows', { confederation: true, prepend: [65101] }, '(65102) 5 6', '(65101 65102) 5 6'],
    [
      'within the confederation our own routes get one',
      { confederation: true, prepend: [65101] },
      '',
      '(65101)',
    ],
    ['override: ours for the peer', { override: true }, '2000 5 2000', '1000 1000 5 1000'],
    ['override: others stay', { override: true }, '2001 5', '1000 2001 5'],
    ['private ones alone go', { privateAsns: 'removeWhole' }, '64512 65534', '1000'],
    ['private ones among others stay', { privateAsns: 'removeWhole' }, '64512 5', '1000 64512 5'],
    [
      'all private ones go',
      { privateAsns: 'removeAll' },
      '64512 5 4200000000 {65000,6}',
      '1000 5 {6}',
    ],
    ['a segment goes with its last', { privateAsns: 'removeAll' }, '{64512} 5', '1000 5'],
    ['all are replaced', { privateAsns: 'replace' }, '64512 5 65534', '1000 1000 5 1000'],
    [
      "the peer's own private one stays: it shall see the loop",
      { privateAsns: 'removeAll', peerAsn: 64600 },
      '64600 64601',
      '1000 64600',
    ],
    [
      'unless it is overridden',
      { privateAsns: 'removeAll', peerAsn: 64600, override: true },
      '64600 64601',
      '1000 1000',
    ],
    [
      'with the number that the peer knows us by',
      { prepend: [3000], localAsn: 3000, privateAsns: 'replace' },
      '64512',
      '3000 3000',
    ],
  ]

test.each(cases)('%s', (_, form, before, after) => {
  const bytes = bytesOf(before)
  const copy = bytes.slice()
  expect(textOf(outgoingPath(bytes, { ...PLAIN, ...form }))).toBe(after)
  expect(bytes, 'the original').toEqual(copy)
})

test('what is private (RFC 6996)', () => {
  const numbers = [64511, 64512, 65534, 65535, 4199999999, 4200000000, 4294967294, 4294967295]
  expect(numbers.filter(isPrivateAsn)).toEqual([64512, 65534, 4200000000, 4294967294])
})

describe('looking into a path', () => {
  test('how often a number is there', () => {
    expect(countIn(bytesOf('5 {5,6} (5)'), 5)).toBe(3)
    expect(countIn(bytesOf('6 4294967295'), 4294967295)).toBe(1)
    expect(countIn(bytesOf(''), 5)).toBe(0)
  })

  const begins: readonly [path: string, asn: number, confederation: boolean, begins: boolean][] = [
    ['5 6', 5, false, true],
    ['5 6', 6, false, false],
    ['', 5, false, false],
    ['{5}', 5, false, false],
    ['(5) 6', 5, false, false],
    ['(5) 6', 5, true, true],
    ['5 (6)', 5, true, false],
  ]
  test.each(begins)('"%s" begins with %i (confederation: %s): %s', (path, asn, inside, is) => {
    expect(beginsWith(bytesOf(path), asn, inside)).toBe(is)
  })
})

test('whatever is done, a path comes out, without what is not to leave', () => {
  const asn = fc.constantFrom(1, 2000, 64512, 65101, 4200000000)
  const segment = fc.record({
    kind: fc.constantFrom('set', 'sequence', 'confedSequence', 'confedSet'),
    asns: fc.array(asn, { minLength: 1, maxLength: 255 }),
  })
  const form = fc.record({
    override: fc.boolean(),
    privateAsns: fc.constantFrom('keep', 'removeWhole', 'removeAll', 'replace'),
    prepend: fc.constantFrom([1000], [1000, 3000]),
  })
  fc.assert(
    fc.property(fc.array(segment, { maxLength: 4 }), form, (segments, form) => {
      const to = new Writer(8192)
      asPath.encode(segments, to)
      const sent = textOf(outgoingPath(to.take(), { ...PLAIN, ...form }))
      expect(sent).not.toContain('(')
      const numbers = sent.split(/[^0-9]+/).map(Number)
      if (form.override) expect(numbers).not.toContain(2000)
      if (form.privateAsns === 'removeAll') expect(numbers.some(isPrivateAsn)).toBe(false)
    }),
    { seed: 6, numRuns: 200 },
  )
})
