import { expect, test } from 'vitest'
import { firstOf, sliced, type Pace } from '../../../src/control/slices.ts'
import { manyRoutes } from './fake-daemon.ts'

/** A pace whose clock moves by `costMs` per row made, and which counts the pauses. */
function ownPace(costMs: number) {
  let now = 0
  let sliceBegan = 0
  const seen = { pauses: 0, longestSliceMs: 0 }
  const pace: Pace = {
    now: () => now,
    pause: async () => {
      seen.pauses++
      seen.longestSliceMs = Math.max(seen.longestSliceMs, now - sliceBegan)
      sliceBegan = now
    },
  }
  const costly = function* <Row>(rows: Iterable<Row>): Generator<Row> {
    for (const row of rows) {
      now += costMs
      yield row
    }
  }
  return { pace, seen, costly }
}

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}

const ROWS = [{ a: 1 }, { a: 'x\ny' }, { a: null }]

const texts: { format: 'json' | 'ndjson'; rows: readonly unknown[]; text: string }[] = [
  { format: 'json', rows: [], text: '[]\n' },
  { format: 'json', rows: [{ a: 1 }], text: '[\n{"a":1}\n]\n' },
  { format: 'json', rows: ROWS, text: '[\n{"a":1},\n{"a":"x\\ny"},\n{"a":null}\n]\n' },
  { format: 'ndjson', rows: [], text: '' },
  { format: 'ndjson', rows: ROWS, text: '{"a":1}\n{"a":"x\\ny"}\n{"a":null}\n' },
]
for (const { format, rows, text } of texts) {
  test(`${rows.length} rows as ${format}`, async () => {
    expect(await textOf(sliced(rows, format))).toBe(text)
  })
}

test('50,000 rows are one JSON array of 50,000 rows', async () => {
  const { pace } = ownPace(0)
  const text = await textOf(sliced(manyRoutes(50_000), 'json', pace))
  expect(JSON.parse(text)).toHaveLength(50_000)
})

test('50,000 rows at 5 us each give the event loop a turn every 2 ms or so', async () => {
  const { pace, seen, costly } = ownPace(0.005)
  await textOf(sliced(costly(manyRoutes(50_000)), 'ndjson', pace))
  expect(seen.pauses).toBeGreaterThan(100)
  expect(seen.longestSliceMs).toBeLessThan(3)
})

test('a table that is slow to walk pauses although little text comes of it', async () => {
  const { pace, seen, costly } = ownPace(0.1)
  await textOf(sliced(costly(manyRoutes(1000)), 'ndjson', pace))
  expect(seen.longestSliceMs).toBeLessThan(10)
  expect(seen.pauses).toBeGreaterThan(10)
})

test('nothing is made ahead of a reader that does not pull', async () => {
  let made = 0
  const counted = (function* () {
    for (const row of manyRoutes(100_000)) {
      made++
      yield row
    }
  })()
  const chunks = sliced(counted, 'ndjson')
  await chunks.next()
  const afterOne = made
  await chunks.next()
  expect(afterOne).toBeLessThan(1000)
  expect(made).toBeLessThan(2000)
})

test('an error of the table comes out of the text', async () => {
  const broken = (function* () {
    yield { a: 1 }
    throw new Error('column gone')
  })()
  await expect(textOf(sliced(broken, 'json'))).rejects.toThrow('column gone')
})

test('firstOf ends the source after so many rows', () => {
  let ended = false
  const source = (function* () {
    try {
      yield* [1, 2, 3]
    } finally {
      ended = true
    }
  })()
  expect([...firstOf(source, 2)]).toEqual([1, 2])
  expect(ended).toBe(true)
  expect([...firstOf([1, 2], 5)]).toEqual([1, 2])
  expect([...firstOf([1, 2], 0)]).toEqual([])
})
