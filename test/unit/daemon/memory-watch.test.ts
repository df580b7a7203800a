import { expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { heapRoom, watchMemory } from '../../../src/daemon/memory-watch.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const GIB = 1 << 30
const MIB = 1 << 20

interface Look {
  /** MiB left, of 8 GiB of the machine and of 512 MiB of a control group. */
  readonly left: readonly [machine: number, group: number]
  readonly told?: string
  /** Routes are taken, or no longer. */
  readonly taking: boolean
}

/** One after the other. Of the machine 256 MiB are near its end and 128 short, of the group 102 and 51. */
const looks: readonly Look[] = [
  { left: [4000, 400], taking: true },
  { left: [300, 400], taking: true },
  { left: [255, 400], told: 'MemoryNearEnd', taking: true },
  // Not clearly more than 256.
  { left: [300, 400], taking: true },
  { left: [127, 400], told: 'MemoryShort', taking: false },
  { left: [140, 400], taking: false },
  { left: [200, 400], told: 'MemoryNearEnd', taking: true },
  { left: [4000, 400], told: 'MemoryRecovered', taking: true },
  { left: [4000, 50], told: 'MemoryShort', taking: false },
  { left: [100, 400], taking: false },
  { left: [4000, 400], told: 'MemoryRecovered', taking: true },
]

test('the end of memory is told early, and no more routes are taken when it is short', () => {
  const events = new Events(new FakeClock())
  const told: string[] = []
  events.subscribe(({ kind }) => told.push(kind))
  let now: Look = looks[0]
  let taking = true
  const it = watchMemory({
    events,
    rooms: () => [
      { of: 'the machine', limitBytes: 8 * GIB, leftBytes: now.left[0] * MIB },
      { of: 'control group /a', limitBytes: 512 * MIB, leftBytes: now.left[1] * MIB },
    ],
    takeNoMore: (on) => {
      expect(on).toBe(taking) // told of changes only
      taking = !on
    },
  })
  const expected: string[] = []
  for (const look of looks) {
    now = look
    it.look()
    if (look.told !== undefined) expected.push(look.told)
    expect(told, JSON.stringify(look)).toEqual(expected)
    expect(taking, JSON.stringify(look)).toBe(look.taking)
    if (!look.taking) expect(it.warning()).toMatch(/MiB memory left: no more routes are taken/)
  }
  expect(it.warning()).toBeUndefined()
})

test('the text says whose memory it is, and what happens', () => {
  const events = new Events(new FakeClock())
  const it = watchMemory({
    events,
    rooms: () => [{ of: 'control group /a', limitBytes: 512 * MIB, leftBytes: 90 * MIB }],
    takeNoMore: () => {},
  })
  it.look()
  expect(it.warning()).toBe(
    'control group /a has 90 MiB of 512 MiB memory left: below 51 MiB no more routes are taken',
  )
})

test("Node's heap has room", () => {
  const { limitBytes, leftBytes } = heapRoom()
  expect(leftBytes).toBeGreaterThan(0)
  expect(leftBytes).toBeLessThan(limitBytes)
})
