import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteArena } from '../../../src/rib/byte-arena.ts'

const read = (arena: ByteArena, address: number, length: number): number[] => {
  const at = arena.offset(address)
  return [...arena.segment(address).subarray(at, at + length)]
}

describe('an arena of byte strings', () => {
  const lengths = [0, 1, 15, 16, 17, 255, 4096, 65_535, 65_536]
  test.each(lengths)('gives back %i bytes as they were', (length) => {
    const arena = new ByteArena()
    const bytes = Uint8Array.from({ length: length + 3 }, (_, i) => i * 7)
    const before = arena.store(bytes, 0, 3)
    const address = arena.store(bytes, 1, length + 1)
    const after = arena.store(bytes, 0, 3)
    expect(read(arena, address, length)).toEqual([...bytes.subarray(1, length + 1)])
    expect(arena.equals(address, bytes, 1, length + 1)).toBe(true)
    expect(read(arena, before, 3)).toEqual([0, 7, 14])
    expect(read(arena, after, 3)).toEqual([0, 7, 14])
  })

  test('tells strings apart', () => {
    const arena = new ByteArena()
    const address = arena.store(Uint8Array.of(1, 2, 3), 0, 3)
    expect(arena.equals(address, Uint8Array.of(1, 2, 4), 0, 3)).toBe(false)
  })

  test('uses freed memory again, by size', () => {
    const arena = new ByteArena()
    const bytes = new Uint8Array(40)
    const first = arena.store(bytes, 0, 40)
    const second = arena.store(bytes, 0, 40)
    arena.free(first, 40)
    arena.free(second, 40)
    expect(arena.live).toBe(0)
    expect(arena.store(bytes, 0, 33)).toBe(second)
    expect(arena.store(bytes, 0, 48 - 8)).toBe(first)
  })

  test('a feed that comes and goes needs no more memory the second time, and none between', () => {
    const arena = new ByteArena()
    const bytes = new Uint8Array(100).fill(7)
    const fill = (): number[] => Array.from({ length: 30_000 }, () => arena.store(bytes, 0, 100))
    const first = fill()
    const { bytes: size } = arena
    for (const address of first) arena.free(address, 100)
    expect(arena.bytes).toBeLessThanOrEqual(1 << 20)
    fill()
    expect(arena.bytes).toBe(size)
    expect(size).toBeGreaterThan(3 << 20)
  })

  test('gives back what one peer has used, whatever the sizes of its sets', () => {
    const arena = new ByteArena()
    const kept = arena.store(Uint8Array.of(1, 2, 3), 0, 3)
    const bytes = new Uint8Array(4096)
    for (let length = 40; length < 4096; length += 16) {
      const all = Array.from({ length: 600 }, () => arena.store(bytes, 0, length))
      for (const address of all) arena.free(address, length)
    }
    // The segment that holds what is kept, and the one that is being cut.
    expect(arena.bytes).toBeLessThanOrEqual(2 << 20)
    expect(read(arena, kept, 3)).toEqual([1, 2, 3])
  })

  test('never overwrites what lives, whatever comes and goes', () => {
    // Strings of every size, also such that few of them fill a segment.
    const string = fc.oneof(
      fc.uint8Array({ maxLength: 70 }),
      fc.integer({ min: 30_000, max: 65_536 }).map((length) => new Uint8Array(length).fill(length)),
    )
    const step = fc.oneof(fc.record({ store: string }), fc.record({ free: fc.nat({ max: 30 }) }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const arena = new ByteArena()
        const live: { address: number; bytes: Uint8Array }[] = []
        for (const it of steps) {
          if ('store' in it) {
            live.push({ address: arena.store(it.store, 0, it.store.length), bytes: it.store })
          } else if (live.length > 0) {
            const [{ address, bytes }] = live.splice(it.free % live.length, 1)
            arena.free(address, bytes.length)
          }
        }
        for (const { address, bytes } of live) {
          expect(arena.equals(address, bytes, 0, bytes.length)).toBe(true)
        }
        const units = live.reduce(
          (sum, { bytes }) => sum + Math.max(1, Math.ceil(bytes.length / 16)),
          0,
        )
        expect(arena.live).toBe(16 * units)
      }),
      { seed: 2, numRuns: 200 },
    )
  })
})
