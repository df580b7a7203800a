/** Tables of int32 rows, and columns beside them. */
import { describe, expect, test } from 'vitest'
import { Column, Rows } from '../../../src/net/rows.ts'

describe('rows', () => {
  test('keep what they hold while the table grows', () => {
    const rows = new Rows(3)
    const count = 50_000
    for (let i = 1; i <= count; i++) {
      const row = rows.allocate()
      expect(row).toBe(i)
      expect([rows.get(row, 0), rows.get(row, 1), rows.get(row, 2)]).toEqual([0, 0, 0])
      rows.set(row, 0, i)
      rows.set(row, 2, -i)
    }
    for (let i = 1; i <= count; i += 997) {
      expect([rows.get(i, 0), rows.get(i, 1), rows.get(i, 2)]).toEqual([i, 0, -i])
      expect(rows.words[rows.offset(i) + 2]).toBe(-i)
    }
    expect([rows.live, rows.end]).toEqual([count, count + 1])
    // What was reserved and not used is no memory.
    expect(rows.bytes).toBe((count + 1) * 12)
  })

  test('that were freed are given out again, cleared, the last one first', () => {
    const rows = new Rows(2)
    const [a, b, c] = [rows.allocate(), rows.allocate(), rows.allocate()]
    for (const row of [a, b, c]) rows.set(row, 1, 7)
    rows.free(a)
    rows.free(c)
    expect(rows.live).toBe(1)
    expect([rows.get(a, 0) < 0, rows.get(b, 0) < 0]).toEqual([true, false])
    expect([rows.allocate(), rows.allocate()]).toEqual([c, a])
    expect([rows.get(a, 0), rows.get(a, 1), rows.get(c, 1)]).toEqual([0, 0, 0])
    expect(rows.allocate()).toBe(4)
  })
})

test('a column is 0 where nothing was written', () => {
  const column = new Column(2)
  expect([column.get(0), column.get(5_000_000, 1)]).toEqual([0, 0])
  column.set(5_000_000, 9, 1)
  column.set(3, -4)
  expect([column.get(5_000_000), column.get(5_000_000, 1), column.get(3)]).toEqual([0, 9, -4])
  expect([column.get(4_999_999, 1), column.get(2)]).toEqual([0, 0])
})
