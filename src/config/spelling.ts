/**
 * Which word was meant: for `did you mean holdTime?`.
 */

/** The word of `known` that a hasty hand meant by `written`, if any. */
export function nearest(written: string, known: readonly string[]): string | undefined {
  let best: { word: string; distance: number } | undefined
  for (const word of known) {
    const distance = editDistance(written.toLowerCase(), word.toLowerCase())
    if (distance < (best?.distance ?? Infinity)) best = { word, distance }
  }
  const allowed = Math.max(1, Math.floor(written.length / 3))
  return best !== undefined && best.distance <= allowed ? best.word : undefined
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        least = Math.min(least, before[j - 2] + 1)
      }
      row.push(least)
    }
    before = above
    above = row
  }
  return above[b.length]
}
