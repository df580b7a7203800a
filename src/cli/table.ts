/**
 * Aligned columns, for tables that fit on a screen and for tables of a million rows.
 *
 * Widths come from the first rows only; later rows that are wider push their line, and nothing is ever
 * cut off. So a long table prints as it arrives, in constant memory. Columns of things that few have are
 * there when one of the first rows has them.
 */
import { paint, type Style } from './style.ts'

export interface Column<Row> {
  readonly title: string
  /** The cell's text; '' shows as `-` unless `blank`. `now` is milliseconds since the epoch. */
  readonly of: (row: Row, now: number) => string
  readonly align?: 'right'
  readonly style?: (row: Row) => Style
  /** An empty cell stays empty. */
  readonly blank?: boolean
  /** Left out where it would be empty. */
  readonly optional?: boolean
}

export interface TableLayout<Row> {
  readonly columns: readonly Column<Row>[]
  /** Lines that follow a row, indented. */
  readonly notes?: (row: Row, now: number) => readonly string[]
}

export interface Look {
  readonly colour: boolean
  readonly now: number
}

/** Rows that decide the widths, and rows handed over at a time. */
const SAMPLE_ROWS = 500
const GAP = '  '

/** The table as text, a piece at a time; nothing at all when there are no rows. */
export async function* formatTable<Row>(
  rows: AsyncIterable<Row> | Iterable<Row>,
  layout: TableLayout<Row>,
  look: Look,
): AsyncGenerator<string> {
  let columns: readonly Column<Row>[] | undefined
  let widths: readonly number[] = []
  let batch: Row[] = []
  const take = (): string => {
    const head = columns === undefined
    const shown = (columns ??= layout.columns.filter(
      ({ optional, of }) => optional !== true || batch.some((row) => of(row, look.now) !== ''),
    ))
    const cells = batch.map((row) => cellsOf(row, shown, look.now))
    if (head) widths = widthsOf(cells, shown)
    let text = head ? headOf(shown, widths, look) : ''
    for (const [i, row] of batch.entries()) {
      text += lineOf(row, cells[i] ?? [], shown, widths, look)
      for (const note of layout.notes?.(row, look.now) ?? []) text += `    ${note}\n`
    }
    batch = []
    return text
  }
  for await (const row of rows) {
    batch.push(row)
    if (batch.length === SAMPLE_ROWS) yield take()
  }
  if (batch.length > 0) yield take()
}

function cellsOf<Row>(row: Row, columns: readonly Column<Row>[], now: number): string[] {
  return columns.map((column) => {
    const text = column.of(row, now)
    return text === '' && column.blank !== true ? '-' : text
  })
}

const widthsOf = (cells: readonly string[][], columns: readonly { title: string }[]): number[] =>
  columns.map(({ title }, i) =>
    cells.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), title.length),
  )

function headOf<Row>(
  columns: readonly Column<Row>[],
  widths: readonly number[],
  { colour }: Look,
): string {
  const titles = columns.map(({ title, align }, i) => padded(title, widths[i] ?? 0, align))
  return `${paint(titles.join(GAP).trimEnd(), 'bold', colour)}\n`
}

function lineOf<Row>(
  row: Row,
  cells: readonly string[],
  columns: readonly Column<Row>[],
  widths: readonly number[],
  { colour }: Look,
): string {
  let line = ''
  let gap = ''
  for (const [i, { align, style }] of columns.entries()) {
    const cell = cells[i] ?? ''
    const width = widths[i] ?? 0
    const spaces = ' '.repeat(Math.max(0, width - cell.length))
    const text = paint(cell, style?.(row) ?? 'plain', colour)
    // Blanks are kept back until something follows them, so that no line ends in blanks.
    if (align === 'right') gap += spaces
    if (cell !== '') {
      line += gap + text
      gap = ''
    }
    gap += (align === 'right' ? '' : spaces) + GAP
  }
  return `${line}\n`
}

const padded = (text: string, width: number, align: 'right' | undefined): string =>
  align === 'right' ? text.padStart(width) : text.padEnd(width)

/** `name  value` lines, names aligned; for one thing with many properties. */
export function formatProperties(
  properties: readonly (readonly [name: string, value: string])[],
  { colour }: Pick<Look, 'colour'>,
): string {
  const width = properties.reduce((longest, [name]) => Math.max(longest, name.length), 0)
  return properties
    .map(([name, value]) => `${paint(name.padEnd(width), 'bold', colour)}${GAP}${value || '-'}\n`)
    .join('')
}
