import { expect, test } from 'vitest'
import { RouteRing } from '../../../src/linux/route-ring.ts'

test('a record is read back at its position, also from another view of the memory', () => {
  const ring = RouteRing.ofCapacity(4)
  ring.write(2, 1, 1, 48, 0x4c000001, Int32Array.of(9, 1, 2, 3, 4), 1)
  const other = new RouteRing(ring.memory)
  const at = other.at(2)
  expect(other.capacity).toBe(4)
  expect([...other.words.subarray(at, at + 6)]).toEqual([
    1 | (1 << 8) | (48 << 16),
    0x4c000001,
    1,
    2,
    3,
    4,
  ])
})

test('positions go round, and past the end of 32 bits', () => {
  const ring = RouteRing.ofCapacity(4)
  expect(ring.at(5)).toBe(ring.at(1))
  expect(ring.at(-1)).toBe(ring.at(3)) // 0xffffffff as the int32 that follows 0x7fffffff...
  expect(ring.at(0x7fffffff)).toBe(ring.at(3))
  expect(ring.at((0x7fffffff + 1) | 0)).toBe(ring.at(0))
})

test('the bell rings for news and for the end', () => {
  const ring = RouteRing.ofCapacity(4)
  const heard = ring.bell
  ring.publish(3)
  expect([ring.head, ring.tail, ring.stopped]).toEqual([3, 0, false])
  expect(ring.bell).not.toBe(heard)
  ring.wait(heard) // returns at once, or the test would hang
  ring.consume(3)
  ring.skipTo(5)
  expect([ring.head, ring.tail]).toEqual([5, 5])
  ring.stop()
  expect(ring.stopped).toBe(true)
})
