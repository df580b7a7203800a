import { beforeEach, describe, expect, test } from 'vitest'
import { NEXT_HOP_ID_FIRST, NEXT_HOP_LEG_ID_FIRST } from '../../../src/fib/kernel.ts'
import { Targets } from '../../../src/fib/targets.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryKernel } from '../../support/memory-kernel.ts'
import { target } from './stage.ts'

const A = target('10.0.0.1@1')
const B = target('10.0.1.1@2')
const NONE = target('')

let kernel: MemoryKernel
let clock: FakeClock
let targets: Targets
let failures: string[]
let due: number[]

beforeEach(() => {
  kernel = new MemoryKernel()
  clock = new FakeClock()
  failures = []
  due = []
  targets = new Targets(kernel, clock, {
    failed: (id, { text }) => failures.push(`${id - NEXT_HOP_ID_FIRST} ${text}`),
  })
  targets.onRoutesDue((id) => due.push(id))
})

describe('a target', () => {
  test('is one kernel object per name, however often it is asked for', () => {
    const id = targets.intern('tor', 'ipv4', A)
    expect(id).toBe(NEXT_HOP_ID_FIRST)
    expect(targets.intern('tor', 'ipv4', A)).toBe(id)
    expect(kernel.objectWrites).toBe(1)
    expect(targets.get(id)).toMatchObject({ key: 'tor', family: 'ipv4', target: A, ready: true })
    expect(targets.intern('other', 'ipv4', A)).toBe(id + 1)
    expect([...targets].map(({ key }) => key)).toEqual(['tor', 'other'])
  })

  test('is repointed in place', () => {
    const id = targets.intern('tor', 'ipv4', A)
    targets.retain(id)
    clock.advance(7_000)
    targets.intern('tor', 'ipv4', A)
    targets.update(id, B)
    expect(kernel.objects.size).toBe(1)
    expect(targets.get(id)).toMatchObject({ target: B, since: clock.wallNow() })
    expect(due).toEqual([])
    targets.update(id + 1, B)
    expect(kernel.objects.size).toBe(1)
  })

  test('is told of when it has gone, once', () => {
    const gone: number[] = []
    targets.onRemoved = (target) => gone.push(target)
    const id = targets.intern('ipv4 10.0.0.1', 'ipv4', A)
    targets.retain(id)
    clock.advance(60_000)
    expect(gone).toEqual([])
    targets.release(id)
    clock.advance(60_000)
    expect(gone).toEqual([id])
    expect(kernel.objects.size).toBe(0)
  })

  test('without a gateway is not made, and not unmade', () => {
    expect(targets.intern('tor', 'ipv4', NONE)).toBe(0)
    const id = targets.intern('tor', 'ipv4', A)
    targets.update(id, NONE)
    expect(kernel.objects.size).toBe(1)
    expect(targets.isReady(id)).toBe(false)
    expect(targets.intern('tor', 'ipv4', NONE)).toBe(0)
    expect(targets.intern('tor', 'ipv4', B)).toBe(id)
    expect(targets.isReady(id)).toBe(true)
  })

  test('that is retired keeps its routes, and leaves its name to another', () => {
    const id = targets.intern('tor', 'ipv4', A)
    targets.retain(id)
    targets.retire(id)
    targets.update(id, B)
    const successor = targets.intern('tor', 'ipv4', A)
    expect(successor).toBe(id + 1)
    targets.retain(successor)
    expect(kernel.objects.size).toBe(2)
    targets.release(id)
    clock.advance(60_000)
    expect(targets.get(id)).toBeUndefined()
    expect(targets.intern('tor', 'ipv4', A)).toBe(successor)
  })

  test('is written when its standby is another, and not when the kernel takes none', () => {
    const alone = target('10.0.0.1@1 or nothing')
    const withB = target('10.0.0.1@1 or 10.0.1.1@2')
    const id = targets.intern('tor', 'ipv4', alone)
    targets.update(id, withB)
    targets.update(id, target('10.0.0.1@1 or 10.0.1.1@2'))
    expect(kernel.objectWrites).toBe(2)
    kernel.standbys = false
    const plain = targets.intern('other', 'ipv4', withB)
    targets.update(plain, alone)
    expect(kernel.objectWrites).toBe(3)
    expect(targets.get(plain)?.target).toEqual(A)
  })

  test('that nobody uses goes after a while, and its id rests', () => {
    const id = targets.intern('tor', 'ipv4', A)
    targets.retain(id)
    clock.advance(60_000)
    targets.release(id)
    clock.advance(4_999)
    expect(kernel.objects.size).toBe(1)
    targets.retain(id)
    clock.advance(1)
    expect(kernel.objects.size).toBe(1)
    targets.release(id)
    clock.advance(5_000)
    expect(kernel.objects.size).toBe(0)
    expect(targets.get(id)).toBeUndefined()
    expect(targets.intern('tor', 'ipv4', A)).toBe(id + 1)
    expect(clock.pendingCount).toBe(1)
    targets.close()
    expect(clock.pendingCount).toBe(0)
  })

  test('that turns into a blackhole and back has its routes put again', () => {
    const id = targets.intern('tor', 'ipv4', A)
    targets.retain(id)
    targets.update(id, { kind: 'blackhole' })
    targets.update(id, B)
    expect(due).toEqual([id, id])
  })

  test('that the kernel refuses is told once, and tried again until it is taken', () => {
    kernel.downLinks.add(1)
    const id = targets.intern('tor', 'ipv4', A)
    targets.retain(id)
    clock.advance(10_000)
    expect(failures).toEqual(['0 ENETDOWN: Nexthop device is not up'])
    expect(targets.get(id)?.error?.errno).toBe(100)
    expect(kernel.objectWrites).toBeGreaterThan(3)
    kernel.downLinks.clear()
    clock.advance(60_000)
    expect(targets.isReady(id)).toBe(true)
    expect(due).toEqual([id])
  })
})

describe('what an earlier run has left', () => {
  const LEG = NEXT_HOP_LEG_ID_FIRST
  const leg = {
    id: LEG,
    protocol: 179,
    group: [],
    blackhole: false,
    ...(A.kind === 'gateways' && { hop: A.hops[0] }),
  }
  const group = (id: number, protocol = 179) => ({
    id: NEXT_HOP_ID_FIRST + id,
    protocol,
    group: [{ id: LEG, weight: 1 }],
    blackhole: false,
  })

  test('is claimed by the first that forwards alike, and of the same family', () => {
    targets.adopt([leg, group(0), group(8), group(9)], 179)
    targets.found('ipv6', NEXT_HOP_ID_FIRST, NONE)
    expect(targets.intern('tor', 'ipv4', B)).toBe(NEXT_HOP_ID_FIRST + 1)
    expect(targets.intern('tor-a', 'ipv4', A)).toBe(NEXT_HOP_ID_FIRST + 8)
    expect(targets.intern('tor-b', 'ipv4', A)).toBe(NEXT_HOP_ID_FIRST + 9)
    expect(targets.intern('tor-c', 'ipv4', A)).toBe(NEXT_HOP_ID_FIRST + 2)
    expect(targets.intern('tor', 'ipv6', A)).toBe(NEXT_HOP_ID_FIRST + 1)
  })

  test('goes with the sweep when nobody claims it and no route has it', () => {
    kernel.objects.set(NEXT_HOP_ID_FIRST, [])
    kernel.objects.set(NEXT_HOP_ID_FIRST + 8, [])
    targets.adopt([leg, group(0), group(8)], 179)
    targets.retain(NEXT_HOP_ID_FIRST)
    clock.advance(60_000)
    expect(kernel.objects.size).toBe(2)
    targets.sweep()
    clock.advance(5_000)
    expect([...kernel.objects.keys()]).toEqual([NEXT_HOP_ID_FIRST])
    targets.release(NEXT_HOP_ID_FIRST)
    clock.advance(5_000)
    expect(kernel.objects.size).toBe(0)
  })

  test('of another protocol is left alone, and its id not used', () => {
    kernel.objects.set(NEXT_HOP_ID_FIRST, [])
    targets.adopt([leg, group(0, 186)], 179)
    expect(targets.intern('tor', 'ipv4', A)).toBe(NEXT_HOP_ID_FIRST + 1)
    targets.sweep()
    clock.advance(60_000)
    expect(kernel.objects.has(NEXT_HOP_ID_FIRST)).toBe(true)
  })
})

test('ids are not used up by many short lives', () => {
  for (let i = 0; i < 1_000; i++) {
    const id = targets.intern(`set ${i}`, 'ipv4', A)
    expect(id).toBe(NEXT_HOP_ID_FIRST + i)
    targets.retain(id)
    targets.release(id)
    if (i % 100 === 99) clock.advance(5_000)
  }
  expect([...targets]).toHaveLength(0)
  expect(kernel.objects.size).toBe(0)
})
