/**
 * Calico's selectors over labels: `all()`, `has(rack)`, `rack == "r1"`, `rack != 'r1'`, `rack in {"r1", "r2"}`,
 * `rack not in {...}`, `zone contains "b"`, `zone starts with "eu-"`, `zone ends with "-b"`, with `!`, `&&`, `||`
 * and parentheses; `&&` binds closer than `||`. A comparison that denies (`!=`, `not in`) holds where the label
 * is missing.
 */
export type Labels = Readonly<Record<string, string>>

/** True for what has labels that match. */
export type Selector = (labels: Labels) => boolean

export interface SelectorProblem {
  readonly message: string
  readonly remedy: string
}

type Token =
  | { readonly kind: 'sign'; readonly text: string }
  | { readonly kind: 'word'; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }

/** An empty selector selects all, as Calico has it. */
export function parseSelector(written: string): Selector | SelectorProblem {
  const tokens = tokensOf(written)
  if (!Array.isArray(tokens)) return tokens
  if (tokens.length === 0) return () => true
  const parser = new Parser(tokens)
  return parser.whole()
}

const SHAPES = /\s*(?:(&&|\|\||==|!=|[!(){},])|([\w./-]+)|"([^"]*)"|'([^']*)')/y

function tokensOf(written: string): Token[] | SelectorProblem {
  const tokens: Token[] = []
  const text = written.trimEnd()
  SHAPES.lastIndex = 0
  while (SHAPES.lastIndex < text.length) {
    const at = SHAPES.lastIndex
    const found = SHAPES.exec(text)
    if (found === null) return strange(text.slice(at).trimStart())
    const [, sign, word, double, single] = found
    if (sign !== undefined) tokens.push({ kind: 'sign', text: sign })
    else if (word !== undefined) tokens.push({ kind: 'word', text: word })
    else tokens.push({ kind: 'text', text: double ?? single ?? '' })
  }
  return tokens
}

function strange(rest: string): SelectorProblem {
  if (/^["']/.test(rest)) return { message: `${rest} has no closing quote`, remedy: 'add it' }
  const meant = { '=': '==', '&': '&&', '|': '||' }[rest[0] ?? '']
  const remedy = meant === undefined ? HOW : `write ${meant}`
  return { message: `${rest[0]} is no part of a selector`, remedy }
}

const HOW = `write all(), has(rack) or rack == "r1", joined by && and ||`

const MOST_DEPTH = 100

/** Thrown and caught in here. */
class Wrong extends Error {
  readonly remedy: string

  constructor(message: string, remedy: string) {
    super(message)
    this.remedy = remedy
  }
}

class Parser {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Selector | SelectorProblem {
    try {
      const selector = this.#either()
      const rest = this.#tokens[this.#at]
      if (rest !== undefined) throw new Wrong(`${rest.text} is too much`, HOW)
      return selector
    } catch (error) {
      if (!(error instanceof Wrong)) throw error
      return { message: error.message, remedy: error.remedy }
    }
  }

  #either(): Selector {
    const parts = [this.#both()]
    while (this.#take('||')) parts.push(this.#both())
    return (labels) => parts.some((part) => part(labels))
  }

  #both(): Selector {
    const parts = [this.#single()]
    while (this.#take('&&')) parts.push(this.#single())
    return (labels) => parts.every((part) => part(labels))
  }

  #single(): Selector {
    if (++this.#depth > MOST_DEPTH) throw new Wrong('too many parentheses', 'write it shorter')
    const single = this.#unbounded()
    this.#depth--
    return single
  }

  #unbounded(): Selector {
    if (this.#take('!')) {
      const denied = this.#single()
      return (labels) => !denied(labels)
    }
    if (this.#take('(')) {
      const inside = this.#either()
      this.#need(')')
      return inside
    }
    const word = this.#word()
    const calls = this.#tokens[this.#at]
    if (calls?.kind === 'sign' && calls.text === '(') return this.#call(word)
    return this.#comparison(word)
  }

  #call(name: string): Selector {
    this.#need('(')
    if (name === 'all' || name === 'global') {
      this.#need(')')
      return () => true
    }
    if (name !== 'has') throw new Wrong(`there is no ${name}()`, HOW)
    const label = this.#word()
    this.#need(')')
    return (labels) => valueOf(labels, label) !== undefined
  }

  #comparison(label: string): Selector {
    const of = (test: (value: string) => boolean, otherwise = false): Selector => {
      return (labels) => {
        const value = valueOf(labels, label)
        return value === undefined ? otherwise : test(value)
      }
    }
    if (this.#take('==')) {
      const wanted = this.#text()
      return of((value) => value === wanted)
    }
    if (this.#take('!=')) {
      const unwanted = this.#text()
      return of((value) => value !== unwanted, true)
    }
    if (this.#take('in')) {
      const wanted = this.#set()
      return of((value) => wanted.includes(value))
    }
    if (this.#take('not', 'in') || this.#take('notin')) {
      const unwanted = this.#set()
      return of((value) => !unwanted.includes(value), true)
    }
    if (this.#take('contains')) {
      const part = this.#text()
      return of((value) => value.includes(part))
    }
    if (this.#take('starts', 'with') || this.#take('startswith')) {
      const part = this.#text()
      return of((value) => value.startsWith(part))
    }
    if (this.#take('ends', 'with') || this.#take('endswith')) {
      const part = this.#text()
      return of((value) => value.endsWith(part))
    }
    throw new Wrong(`nothing is said about ${label}`, `write has(${label}), or ${label} == "value"`)
  }

  #set(): string[] {
    this.#need('{')
    const values: string[] = []
    while (!this.#take('}')) {
      values.push(this.#text())
      if (this.#take(',')) continue
      this.#need('}')
      break
    }
    return values
  }

  #word(): string {
    const token = this.#tokens[this.#at++]
    if (token?.kind === 'word') return token.text
    throw new Wrong(`a label is missing${behind(token)}`, HOW)
  }

  #text(): string {
    const token = this.#tokens[this.#at++]
    if (token?.kind === 'text') return token.text
    throw new Wrong(`a text in quotes is missing${behind(token)}`, 'write "value"')
  }

  #need(sign: string): void {
    if (this.#take(sign)) return
    throw new Wrong(`${sign} is missing${behind(this.#tokens[this.#at])}`, 'add it')
  }

  /** True, and past them, when these come next. */
  #take(...texts: readonly string[]): boolean {
    const next = this.#tokens.slice(this.#at, this.#at + texts.length)
    const found = texts.every((text, i) => next[i]?.kind !== 'text' && next[i]?.text === text)
    if (found) this.#at += texts.length
    return found
  }
}

const behind = (token: Token | undefined): string =>
  token === undefined ? ' at the end' : ` before ${token.text}`

const valueOf = (labels: Labels, label: string): string | undefined =>
  Object.hasOwn(labels, label) ? labels[label] : undefined
