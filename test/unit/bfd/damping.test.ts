import { expect, test } from 'vitest'
import { Damping } from '../../../src/bfd/damping.ts'

/** The waits of a path that comes up and fails: seconds up, and seconds down before. */
function waits(lives: readonly (readonly [downSeconds: number, upSeconds: number])[]): number[] {
  const damping = new Damping()
  let now = 0
  return lives.map(([down, up]) => {
    damping.cameUp((now += down * 1000))
    return damping.failed((now += up * 1000))
  })
}

const FLAP = [1, 5] as const

test.each([
  ['the first failure costs nothing', [FLAP], [0]],
  ['each that follows soon doubles the wait', [FLAP, FLAP, FLAP, FLAP], [0, 5, 10, 20]],
  [
    'up to five minutes',
    Array.from({ length: 9 }, () => FLAP),
    [0, 5, 10, 20, 40, 80, 160, 300, 300],
  ],
  ['a path that held for a minute has a clean sheet', [FLAP, FLAP, [1, 60], FLAP], [0, 5, 0, 5]],
  ['however long it was down', [FLAP, [4000, 5]], [0, 5]],
] as const)('%s', (_title, lives, expected) => {
  expect(waits(lives)).toEqual(expected)
})
