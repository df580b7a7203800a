/**
 * Regular expressions over AS_PATHs in the notation of routers: `^65001`, `_65001_`, `65001$`, `.*`.
 *
 * The text is that of `show routes`: `65001 65102 {1,2} (65201)`. `_` is a border between numbers: a blank,
 * a comma, a brace, a parenthesis, or an end of the text. Beside it there are `. [0-9] [^..] ( ) | * + ? {n,m}`
 * and `\` before a character that shall stand for itself.
 *
 * A pattern becomes a small machine that is in all its states at once (Thompson, 1968): time grows with the
 * length of the text and never with what the pattern could try, so no pattern can hold up the daemon.
 */
import type { Malformed } from './malformed.ts'

/** What a machine does in a state. */
type Step =
  /** Reads one character of these, 128 of ASCII. */
  | { readonly kind: 'read'; readonly set: Uint8Array; next: number }
  /** Goes on in both. */
  | { readonly kind: 'split'; next: number; other: number }
  /** Goes on when the text begins, or ends, here. */
  | { readonly kind: 'start' | 'end'; next: number }
  | { readonly kind: 'found' }

const MOST_STATES = 2000
const MOST_REPETITIONS = 64
const BORDERS = ' ,{}()'

export class AsPathPattern {
  readonly #steps: readonly Step[]
  readonly #start: number
  readonly #seen: Int32Array
  #stamp = 0

  constructor(steps: readonly Step[], start: number) {
    this.#steps = steps
    this.#start = start
    this.#seen = new Int32Array(steps.length)
  }

  /** True when the pattern is found somewhere in `text`. */
  test(text: string): boolean {
    let states: number[] = []
    for (let at = 0; ; at++) {
      const now: number[] = []
      this.#stamp = (this.#stamp + 1) | 0
      for (const state of states) if (this.#enter(state, at, text.length, now)) return true
      // Anywhere in the text a new attempt may begin.
      if (this.#enter(this.#start, at, text.length, now)) return true
      if (at === text.length) return false
      const code = text.charCodeAt(at)
      states = []
      for (const state of now) {
        const step = this.#steps[state]
        if (step?.kind === 'read' && step.set[code] === 1) states.push(step.next)
      }
    }
  }

  /** Follows all that reads nothing; true when the pattern is found. */
  #enter(first: number, at: number, length: number, into: number[]): boolean {
    const waiting = [first]
    for (let state = waiting.pop(); state !== undefined; state = waiting.pop()) {
      if (this.#seen[state] === this.#stamp) continue
      this.#seen[state] = this.#stamp
      const step = this.#steps[state]
      switch (step.kind) {
        case 'found':
          return true
        case 'read':
          into.push(state)
          break
        case 'split':
          waiting.push(step.other, step.next)
          break
        case 'start':
          if (at === 0) waiting.push(step.next)
          break
        case 'end':
          if (at === length) waiting.push(step.next)
      }
    }
    return false
  }
}

/** The machine for a pattern, or what is wrong with it. */
export function parseAsPathPattern(text: string): AsPathPattern | Malformed {
  const parser = new Parser(text)
  const problem = parser.parse()
  return problem ?? new AsPathPattern(parser.steps, parser.start)
}

/** Makes the machine from its end to its beginning: each part is given the state that follows it. */
type Part = (next: number) => number

class Parser {
  readonly steps: Step[] = []
  start = 0
  readonly #text: string
  #at = 0
  #depth = 0
  #problem: Malformed | undefined

  constructor(text: string) {
    this.#text = text
  }

  parse(): Malformed | undefined {
    const whole = this.#alternatives()
    if (this.#at < this.#text.length) this.#fail(') has no (', 'write \\) for the character')
    if (this.#problem === undefined) this.start = whole(this.#add({ kind: 'found' }))
    return this.#problem
  }

  #alternatives(): Part {
    const first = this.#sequence()
    if (this.#text[this.#at] !== '|') return first
    this.#at++
    const others = this.#alternatives()
    return (next) => this.#add({ kind: 'split', next: first(next), other: others(next) })
  }

  #sequence(): Part {
    const parts: Part[] = []
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at] ?? '')) {
      parts.push(this.#repeated(this.#single()))
    }
    return (next) => parts.reduceRight((after, part) => part(after), next)
  }

  #repeated(part: Part): Part {
    let whole = part
    for (;;) {
      const [least, most] = this.#repetition() ?? []
      if (least === undefined || most === undefined) return whole
      whole = this.#times(whole, least, most)
    }
  }

  /** How often the part before may stand: `* + ? {n} {n,} {n,m}`. */
  #repetition(): readonly [number, number] | undefined {
    const rest = this.#text.slice(this.#at)
    const sign = rest[0] ?? ''
    if ('*+?'.includes(sign) && sign !== '') {
      this.#at++
      return sign === '*' ? [0, Infinity] : sign === '+' ? [1, Infinity] : [0, 1]
    }
    const counted = /^\{(\d+)(,?)(\d*)\}/.exec(rest)
    if (counted === null) return undefined
    this.#at += counted[0].length
    const least = Number(counted[1])
    const most = counted[2] === '' ? least : counted[3] === '' ? Infinity : Number(counted[3])
    const largest = most === Infinity ? least : most
    if (most < least || largest > MOST_REPETITIONS) {
      this.#fail(`${counted[0]} is no number of times`, `write up to ${MOST_REPETITIONS}`)
    }
    return [least, most]
  }

  #times(part: Part, least: number, most: number): Part {
    return (next) => {
      if (this.#problem !== undefined) return next
      let after = next
      if (most === Infinity) {
        const loop: Step = { kind: 'split', next: 0, other: next }
        after = this.#add(loop)
        loop.next = part(after)
      } else {
        for (let i = least; i < most; i++) {
          after = this.#add({ kind: 'split', next: part(after), other: next })
        }
      }
      for (let i = 0; i < least; i++) after = part(after)
      return after
    }
  }

  #single(): Part {
    const sign = this.#text[this.#at++] ?? ''
    switch (sign) {
      case '(':
        return this.#group()
      case '[':
        return this.#reads(this.#oneOf())
      case '.':
        return this.#reads(() => true)
      case '^':
        return (next) => this.#add({ kind: 'start', next })
      case '$':
        return (next) => this.#add({ kind: 'end', next })
      case '_':
        return this.#border()
      case '*':
      case '+':
      case '?':
        return this.#fail(`${sign} repeats nothing`, `write .${sign}`)
      case '\\': {
        const escaped = this.#text[this.#at++]
        if (escaped === undefined) return this.#fail('\\ stands at the end', 'remove it')
        return this.#reads((it) => it === escaped)
      }
      default:
        return this.#reads((it) => it === sign)
    }
  }

  #group(): Part {
    if (++this.#depth > 100) return this.#fail('too many parentheses', 'write it shorter')
    const inside = this.#alternatives()
    if (this.#text[this.#at++] !== ')') return this.#fail('( has no )', 'add one')
    this.#depth--
    return inside
  }

  #border(): Part {
    const read = this.#reads((it) => BORDERS.includes(it))
    return (next) => {
      const end = this.#add({ kind: 'end', next })
      const ends = this.#add({
        kind: 'split',
        next: this.#add({ kind: 'start', next }),
        other: end,
      })
      return this.#add({ kind: 'split', next: read(next), other: ends })
    }
  }

  /** What stands between [ and ]. */
  #oneOf(): (character: string) => boolean {
    const negative = this.#text[this.#at] === '^'
    if (negative) this.#at++
    const ranges: [string, string][] = []
    for (let first = true; ; first = false) {
      const from = this.#text[this.#at++]
      if (from === undefined) {
        this.#fail('[ has no ]', 'add one')
        return () => false
      }
      if (from === ']' && !first) break
      const isRange = this.#text[this.#at] === '-' && (this.#text[this.#at + 1] ?? ']') !== ']'
      const to = isRange ? (this.#text[this.#at + 1] ?? from) : from
      if (isRange) this.#at += 2
      if (to < from) this.#fail(`${from}-${to} is no range`, `write ${to}-${from}`)
      ranges.push([from, to])
    }
    return (it) => ranges.some(([from, to]) => it >= from && it <= to) !== negative
  }

  #reads(accepts: (character: string) => boolean): Part {
    const set = Uint8Array.from({ length: 128 }, (_, code) =>
      Number(accepts(String.fromCharCode(code))),
    )
    return (next) => this.#add({ kind: 'read', set, next })
  }

  #add(step: Step): number {
    if (this.steps.length >= MOST_STATES) {
      this.#fail('it is too large', 'write it with fewer repetitions')
      return 0
    }
    this.steps.push(step)
    return this.steps.length - 1
  }

  /** The first problem is the one to tell. */
  #fail(message: string, remedy: string): Part {
    this.#problem ??= { message, remedy }
    return (next) => next
  }
}
