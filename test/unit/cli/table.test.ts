import { expect, test } from 'vitest'
import { formatBytes, formatDuration } from '../../../src/cli/style.ts'
import { formatTable, type TableLayout } from '../../../src/cli/table.ts'

interface Row {
  readonly name: string
  readonly size: number
}

const layout: TableLayout<Row> = {
  columns: [
    { title: 'NAME', of: (row) => row.name },
    { title: 'SIZE', of: (row) => String(row.size), align: 'right' },
    { title: 'MARK', of: (row) => (row.size > 99 ? 'big' : ''), blank: true },
  ],
}
const plain = { colour: false, now: 0 }

async function textOf(rows: Iterable<Row>): Promise<string[]> {
  const pieces: string[] = []
  for await (const piece of formatTable(rows, layout, plain)) pieces.push(piece)
  return pieces
}

const tables: { title: string; rows: readonly Row[]; text: string }[] = [
  { title: 'nothing, not even a head, without rows', rows: [], text: '' },
  {
    title: 'columns as wide as their widest cell',
    rows: [
      { name: 'a', size: 1 },
      { name: 'abcdefgh', size: 12345 },
    ],
    text: 'NAME       SIZE  MARK\na             1\nabcdefgh  12345  big\n',
  },
  {
    title: 'a dash for what is empty',
    rows: [{ name: '', size: 1 }],
    text: 'NAME  SIZE  MARK\n-        1\n',
  },
]
for (const { title, rows, text } of tables) {
  test(`a table has ${title}`, async () => {
    expect((await textOf(rows)).join('')).toBe(text)
  })
}

test('a column that is optional is there when one of the first rows has something in it', async () => {
  const optional = layout.columns.map((it) =>
    it.title === 'MARK' ? { ...it, optional: true } : it,
  )
  const shown = async (rows: readonly Row[]): Promise<string> => {
    let text = ''
    for await (const piece of formatTable(rows, { columns: optional }, plain)) text += piece
    return text
  }
  expect(await shown([{ name: 'a', size: 1 }])).toBe('NAME  SIZE\na        1\n')
  expect(
    await shown([
      { name: 'a', size: 1 },
      { name: 'b', size: 100 },
    ]),
  ).toBe('NAME  SIZE  MARK\na        1\nb      100  big\n')
})

test('a long table comes in pieces, and a later wider cell is not cut off', async () => {
  const rows = Array.from({ length: 1200 }, (_, i) => ({
    name: i === 1100 ? 'x'.repeat(40) : 'x',
    size: i,
  }))
  const pieces = await textOf(rows)
  expect(pieces.length).toBe(3)
  const lines = pieces.join('').trimEnd().split('\n')
  expect(lines).toHaveLength(1201)
  expect(lines[1101]).toContain(`${'x'.repeat(40)}  1100`)
})

const durations: readonly (readonly [milliseconds: number, text: string])[] = [
  [-5, '0s'],
  [0, '0s'],
  [999, '0s'],
  [45_000, '45s'],
  [60_000, '1m'],
  [750_000, '12m30s'],
  [11_520_000, '3h12m'],
  [3_605_000, '1h'],
  [187_200_000, '2d4h'],
]
for (const [milliseconds, text] of durations) {
  test(`${milliseconds} ms is ${text}`, () => expect(formatDuration(milliseconds)).toBe(text))
}

test('sizes', () => {
  expect([2048, 64 * 1024 * 1024].map(formatBytes)).toEqual(['2 KiB', '64 MiB'])
})
