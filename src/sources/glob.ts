/** Names with `*` and `?`, as people write interface names: `br-*`, `eth?`. */

/** A test for names that match any of `patterns`. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  const tests = patterns.map((pattern) => new RegExp(`^${pattern.replace(SPECIAL, escape)}$`))
  return (name) => tests.some((test) => test.test(name))
}

const SPECIAL = /[\\^$.*+?()[\]{}|]/g

const escape = (character: string): string =>
  character === '*' ? '.*' : character === '?' ? '.' : `\\${character}`
