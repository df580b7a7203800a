/** The index that tables find their rows by, held against a plain Map. */
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { HashIndex } from '../../../src/rib/hash-index.ts'

/** All rows that are found under a hash. */
function found(index: HashIndex, hash: number): number[] {
  const rows: number[] = []
  for (let row = index.first(hash); row !== 0; row = index.next()) rows.push(row)
  return rows.toSorted((a, b) => a - b)
}

/** Spreads 0, 1, 2... over all hashes: a multiplication by an odd number loses none. */
const spread = (n: number): number => Math.imul(n, 0x9e3779b1) ^ (n << 7)

describe('an index', () => {
  test('finds each of many rows, and nothing else, whatever it grew through', () => {
    const index = new HashIndex()
    const count = 40_000
    for (let row = 1; row <= count; row++) index.add(row, spread(row))
    for (let row = 1; row <= count; row++) expect(found(index, spread(row))).toContain(row)
    expect(found(index, spread(count + 1))).toEqual([])
    // Between a half and 13 sixteenths full, at 8 bytes a slot.
    expect(index.bytes / count).toBeLessThan(8 / 0.4)
  })

  test('keeps its size while rows come and go', () => {
    const index = new HashIndex()
    for (let row = 1; row <= 2000; row++) index.add(row, spread(row))
    const { bytes } = index
    for (let n = 2001; n < 50_000; n++) {
      index.remove(((n - 1) % 2000) + 1, spread(n - 2000))
      index.add(((n - 1) % 2000) + 1, spread(n))
    }
    expect(index.bytes).toBe(bytes)
    expect(found(index, spread(48_500))).toEqual([((48_500 - 1) % 2000) + 1])
    expect(found(index, spread(40_000))).toEqual([])
  })

  test('stands hashes that somebody has made alike', () => {
    const index = new HashIndex()
    // The same first 20 bits: splitting would never part them.
    for (let row = 1; row <= 10_000; row++) index.add(row, 0x12345000 | (row & 0xfff))
    expect(found(index, 0x12345007)).toEqual([7, 4103, 8199])
    // Two pages at each depth on the way, and one that has grown.
    expect(index.bytes).toBeLessThan(1 << 20)
    for (let row = 1; row <= 10_000; row++) index.remove(row, 0x12345000 | (row & 0xfff))
    expect(found(index, 0x12345007)).toEqual([])
  })

  test('does what a Map of lists does', () => {
    const hash = fc.oneof(fc.integer({ min: 0, max: 7 }), fc.integer())
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), hash), { maxLength: 400 }), (steps) => {
        const index = new HashIndex()
        const model = new Map<number, number[]>()
        steps.forEach(([adds, at], i) => {
          const rows = model.get(at) ?? []
          model.set(at, rows)
          const last = adds ? undefined : rows.pop()
          if (adds) {
            index.add(i + 1, at)
            rows.push(i + 1)
          } else if (last !== undefined) index.remove(last, at)
        })
        for (const [at, rows] of model) expect(found(index, at)).toEqual(rows)
      }),
    )
  })
})
