/**
 * How much of the load each of several ways gets, in small whole numbers: the kernel's weights have eight
 * bits, link bandwidths (RFC 10005) are floats.
 *
 * The smallest numbers that keep the ratios to within a hundredth: 10 and 40 Gbit/s are 1 and 4. Where none
 * do, the fastest link gets the most that fits.
 */

/** The kernel takes 256, also where a next hop's share is split among its gateways. */
const MOST = 255
const TOLERANCE = 0.01

export const greatestCommonDivisor = (a: number, b: number): number =>
  b === 0 ? a : greatestCommonDivisor(b, a % b)

/** Of `rates`, which are above 0. */
export function sharesOf(rates: readonly number[]): number[] {
  const slowest = Math.min(...rates)
  const ratios = rates.map((rate) => rate / slowest)
  const widest = Math.max(...ratios)
  for (let times = 1; times * widest <= MOST; times++) {
    const shares = ratios.map((ratio) => Math.round(ratio * times))
    const fits = shares.every((share, i) => {
      const exact = ratios[i] * times
      return Math.abs(share - exact) <= TOLERANCE * exact
    })
    if (fits) return shares
  }
  return ratios.map((ratio) => Math.max(1, Math.round((ratio / widest) * MOST)))
}
