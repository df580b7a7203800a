/** Spans of whole numbers as people write them: `100`, `100..200`, `le 100`, `ge 100`, and `*` for all. */
export interface Span {
  readonly least: number
  readonly most: number
}

/** The span that is written, between `least` and `most`; undefined when it is none. */
export function parseSpan(text: string, least: number, most: number): Span | undefined {
  if (text === '*') return { least, most }
  const match = /^(?:(\d{1,10})(?: *\.\. *(\d{1,10}))?|(le|ge|<=|>=) *(\d{1,10}))$/.exec(text)
  if (match === null) return undefined
  const [, first, last, sign, limit] = match
  const atMost = sign === 'le' || sign === '<='
  const span = {
    least: first !== undefined ? Number(first) : atMost ? least : Number(limit),
    most: first !== undefined ? Number(last ?? first) : atMost ? Number(limit) : most,
  }
  return span.least < least || span.most > most || span.least > span.most ? undefined : span
}

export const isWithin = (value: number, { least, most }: Span): boolean =>
  value >= least && value <= most

export const MOST_U32 = 0xffffffff
