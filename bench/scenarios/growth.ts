/**
 * Another scenario at several sizes: how do its time and its memory grow? The figures are exponents, by the straight line
 * through the logarithms: 1 is in proportion, 2 is four times as much for twice the size.
 */
import type { Scenario } from './scenario.ts'

export const growth =
  (sizes: readonly number[], ofSize: (size: number) => Scenario['run']): Scenario['run'] =>
  async (subject, conditions) => {
    const runs: { readonly size: number; readonly seconds: number; readonly MB: number }[] = []
    for (const size of sizes) {
      const { seconds, MB } = await ofSize(size)(subject, conditions)
      runs.push({ size, seconds, MB })
    }
    return {
      'time exponent': exponent(runs.map((it) => [it.size, it.seconds])),
      'memory exponent': exponent(runs.map((it) => [it.size, it.MB])),
      ...Object.fromEntries(runs.map(({ size, seconds }) => [`s at ${size}`, seconds])),
    }
  }

/** Slope of the line with the least squares. */
function exponent(points: readonly (readonly [size: number, value: number])[]): number {
  const logs = points.map((point) => point.map(Math.log))
  const mean = (of: number): number => logs.reduce((sum, it) => sum + it[of], 0) / logs.length
  const [x, y] = [mean(0), mean(1)]
  const along = logs.reduce((sum, it) => sum + (it[0] - x) * (it[1] - y), 0)
  return along / logs.reduce((sum, it) => sum + (it[0] - x) ** 2, 0)
}
