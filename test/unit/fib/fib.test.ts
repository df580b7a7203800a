import { describe, expect, test } from 'vitest'
import type { KernelError } from '../../../src/fib/kernel.ts'
import { MemoryKernel } from '../../support/memory-kernel.ts'
import { started, type Stage } from './stage.ts'

const ENOBUFS: KernelError = { errno: 105, text: 'ENOBUFS' }
const ENOSPC: KernelError = { errno: 28, text: 'ENOSPC: no room' }
const NOTHING = { installed: 0, pending: 0, failed: 0, stale: 0, repairs: 0, fights: 0 }

describe('what the RIB wants is in the kernel', () => {
  const cases: {
    title: string
    wants: [prefix: string, to: string | undefined][]
    table: string[]
  }[] = [
    {
      title: 'one route',
      wants: [['10.1.0.0/16', '10.0.0.1@1']],
      table: ['10.1.0.0/16 via 10.0.0.1 link 1'],
    },
    {
      title: 'both families, and over an IPv6 next hop',
      wants: [
        ['10.1.0.0/16', 'fe80::1@1'],
        ['2001:db8::/32', 'fe80::1@1'],
      ],
      table: ['10.1.0.0/16 via fe80::1 link 1', '2001:db8::/32 via fe80::1 link 1'],
    },
    {
      title: 'several gateways with weights',
      wants: [['0.0.0.0/0', '10.0.0.1@1*3 + 10.0.1.1@2']],
      table: ['0.0.0.0/0 via 10.0.0.1 link 1 weight 3 + via 10.0.1.1 link 2'],
    },
    {
      title: 'a blackhole',
      wants: [['10.244.7.0/26', 'blackhole']],
      table: ['10.244.7.0/26 blackhole'],
    },
    {
      title: 'the last word counts',
      wants: [
        ['10.1.0.0/16', '10.0.0.1@1'],
        ['10.2.0.0/16', '10.0.0.1@1'],
        ['10.1.0.0/16', '10.0.1.1@2'],
        ['10.2.0.0/16', undefined],
      ],
      table: ['10.1.0.0/16 via 10.0.1.1 link 2'],
    },
    { title: 'nothing, when there is no gateway', wants: [['10.1.0.0/16', '']], table: [] },
  ]
  test.each(cases)('$title', async ({ wants, table }) => {
    const stage = await started()
    for (const [prefix, to] of wants) stage.want(prefix, to)
    await stage.settle()
    expect(stage.kernel.table).toEqual(table)
    expect(stage.fib.counters).toEqual({ ...NOTHING, installed: table.length })
    expect(stage.told).toEqual([])
  })

  test('also where the kernel has no nexthop objects', async () => {
    const kernel = new MemoryKernel()
    kernel.nextHopObjects = false
    const stage = await started(kernel)
    stage.want('10.1.0.0/16', '10.0.0.1@1', 'tor')
    await stage.settle()
    stage.reach('ipv4 tor', { kind: 'gateways', hops: [] })
    stage.want('10.2.0.0/16', '10.0.1.1@2', 'tor')
    await stage.settle()
    expect(kernel.table).toEqual([
      '10.1.0.0/16 via 10.0.1.1 link 2',
      '10.2.0.0/16 via 10.0.1.1 link 2',
    ])
    expect(kernel.objects.size).toBe(0)
  })

  test('a withdrawn route leaves nothing behind: no row, no prefix, and soon no object', async () => {
    const stage = await started()
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    stage.want('2001:db8::/32', '10.0.0.1@1')
    await stage.settle()
    expect([...stage.targets].map(({ routes }) => routes)).toEqual([1, 1])
    stage.want('10.1.0.0/16', undefined)
    stage.want('2001:db8::/32', undefined)
    await stage.settle()
    expect(stage.kernel.routes.size).toBe(0)
    expect(stage.fib.counters).toEqual(NOTHING)
    expect(stage.prefixes.map(({ live }) => live)).toEqual([0, 0])
    await stage.pass(5_000)
    expect(stage.kernel.objects.size).toBe(0)
    expect([...stage.targets]).toEqual([])
  })
})

describe('changes are few and in order', () => {
  test('a prefix that flaps before it is written is written once, or not at all', async () => {
    const stage = await started()
    for (let i = 0; i < 100; i++) {
      stage.want('10.1.0.0/16', i % 2 === 0 ? '10.0.0.1@1' : '10.0.1.1@2')
      stage.want('10.2.0.0/16', i % 2 === 0 ? '10.0.0.1@1' : undefined)
    }
    await stage.settle()
    expect(stage.kernel.log).toEqual(['put 10.1.0.0/16'])
  })

  test('what changes while it is under way is written again afterwards', async () => {
    const stage = await started()
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    stage.fib.step(Infinity)
    for (const to of ['10.0.1.1@2', undefined, '10.0.2.1@3']) stage.want('10.1.0.0/16', to)
    expect(stage.fib.busy).toBe(false) // one operation at a time
    expect(stage.state('10.1.0.0/16')).toBe('pending')
    await stage.settle()
    expect(stage.kernel.table).toEqual(['10.1.0.0/16 via 10.0.2.1 link 3'])
    expect(stage.kernel.log).toHaveLength(2)
  })

  test('withdrawn while under way: deleted afterwards', async () => {
    const stage = await started()
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    stage.fib.step(Infinity)
    stage.want('10.1.0.0/16', undefined)
    await stage.settle()
    expect(stage.kernel.log).toEqual(['put 10.1.0.0/16', 'delete 10.1.0.0/16'])
    expect(stage.fib.counters).toEqual(NOTHING)
    expect(stage.prefixes[0].live).toBe(0)
  })

  test('what is wanted already costs nothing', async () => {
    const stage = await started()
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    await stage.settle()
    stage.woken = false
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    expect(stage.fib.busy).toBe(false)
    expect(stage.woken).toBe(false)
  })

  test('a full ring is waited for', async () => {
    const kernel = new MemoryKernel()
    kernel.capacity = 3
    const stage = await started(kernel)
    for (let i = 0; i < 8; i++) stage.want(`10.${i}.0.0/16`, '10.0.0.1@1')
    expect(stage.woken).toBe(true)
    stage.fib.step(Infinity)
    expect(stage.fib.busy).toBe(false)
    expect(stage.fib.counters).toEqual({ ...NOTHING, pending: 8 })
    stage.woken = false
    expect(kernel.work(2)).toBe(2)
    expect(stage.woken).toBe(true)
    expect(stage.fib.busy).toBe(true)
    stage.fib.step(Infinity)
    await stage.settle()
    expect(stage.fib.counters).toEqual({ ...NOTHING, installed: 8 })
  })

  test('a step ends at its deadline', async () => {
    const stage = await started()
    for (let i = 0; i < 200; i++) stage.want(`10.${i}.0.0/16`, '10.0.0.1@1')
    stage.fib.step(stage.clock.now())
    expect(stage.kernel.work()).toBe(64)
    expect(stage.fib.busy).toBe(true)
  })

  test('a route stays where it is until its next target is there', async () => {
    const stage = await started()
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    await stage.settle()
    stage.kernel.downLinks.add(2)
    stage.want('10.1.0.0/16', '10.0.1.1@2')
    await stage.settle()
    expect(stage.kernel.table).toEqual(['10.1.0.0/16 via 10.0.0.1 link 1'])
    expect(stage.state('10.1.0.0/16')).toBe('failed')
    expect([...stage.fib.rows(0)]).toMatchObject([{ error: 'ENETDOWN: Nexthop device is not up' }])
    expect(stage.told).toEqual(['object failed: ENETDOWN: Nexthop device is not up'])
    stage.kernel.downLinks.clear()
    await stage.pass(1_000)
    expect(stage.kernel.table).toEqual(['10.1.0.0/16 via 10.0.1.1 link 2'])
  })
})

describe('refusals', () => {
  test('the kernel’s words are kept, told once, and it is tried again', async () => {
    const stage = await started()
    stage.kernel.refuses = () => ENOBUFS
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    await stage.pass(20_000, 1_000)
    expect(stage.state('10.1.0.0/16')).toBe('failed')
    expect([...stage.fib.rows(0)]).toMatchObject([{ state: 'failed', error: 'ENOBUFS' }])
    expect(stage.told).toEqual(['10.1.0.0/16 failed: ENOBUFS'])
    stage.kernel.refuses = () => undefined
    await stage.pass(60_000)
    expect(stage.fib.counters).toEqual({ ...NOTHING, installed: 1 })
    expect([...stage.fib.rows(0)][0]).not.toHaveProperty('error')
  })

  test('the delays grow', async () => {
    const stage = await started()
    const triedAt: number[] = []
    stage.kernel.refuses = () => {
      triedAt.push(stage.clock.now() / 1_000)
      return ENOBUFS
    }
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    await stage.settle()
    await stage.pass(200_000, 1_000)
    expect(triedAt).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183])
  })

  test('many of one kind are told in a sum', async () => {
    const stage = await started()
    stage.kernel.refuses = () => ENOSPC
    for (let i = 0; i < 100; i++) stage.want(`10.${i}.0.0/16`, '10.0.0.1@1')
    await stage.settle()
    expect(stage.told).toHaveLength(5)
    await stage.pass(10_000)
    expect(stage.told.slice(5)).toEqual([
      '10.5.0.0/16 and 94 more prefixes failed: ENOSPC: no room',
    ])
  })

  test('only the refused ones of a batch fail', async () => {
    const stage = await started()
    stage.kernel.refuses = (prefix) => (prefix === '10.3.0.0/16' ? ENOSPC : undefined)
    for (let i = 0; i < 6; i++) stage.want(`10.${i}.0.0/16`, '10.0.0.1@1')
    await stage.settle()
    expect(stage.state('10.3.0.0/16')).toBe('failed')
    expect(stage.fib.counters).toEqual({ ...NOTHING, installed: 5, failed: 1 })
  })

  test('something else that is wanted then is tried at once', async () => {
    const stage = await started()
    stage.kernel.refuses = () => ENOBUFS
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    await stage.settle()
    stage.kernel.refuses = () => undefined
    stage.want('10.1.0.0/16', '10.0.1.1@2')
    await stage.settle()
    expect(stage.fib.counters).toEqual({ ...NOTHING, installed: 1 })
  })

  test('a delete that is refused is tried again too', async () => {
    const stage = await started()
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    await stage.settle()
    stage.kernel.refuses = () => ENOBUFS
    stage.want('10.1.0.0/16', undefined)
    await stage.settle()
    expect(stage.state('10.1.0.0/16')).toBe('failed')
    stage.kernel.refuses = () => undefined
    await stage.pass(1_000)
    expect(stage.kernel.routes.size).toBe(0)
    expect(stage.prefixes[0].live).toBe(0)
  })

  test.each([0, 1, 2, 3])(
    'a worker that dies after %i of 3 leaves no doubt behind',
    async (done) => {
      const stage = await started()
      stage.want('10.0.0.0/16', '10.0.0.1@1')
      await stage.settle()
      stage.want('10.0.0.0/16', undefined)
      for (const i of [1, 2]) stage.want(`10.${i}.0.0/16`, '10.0.0.1@1')
      stage.fib.step(Infinity)
      stage.want('10.2.0.0/16', undefined)
      stage.kernel.breakDown(done)
      await stage.settle()
      expect(stage.kernel.table).toEqual(['10.1.0.0/16 via 10.0.0.1 link 1'])
      expect(stage.fib.counters).toEqual({ ...NOTHING, installed: 1 })
    },
  )
})

describe('stopping', () => {
  async function full(): Promise<Stage> {
    const stage = await started()
    for (let i = 0; i < 4; i++) stage.want(`10.${i}.0.0/16`, '10.0.0.1@1')
    await stage.settle()
    return stage
  }

  test('keep: what peers withdraw on the way out stays in the kernel', async () => {
    const stage = await full()
    const stopped = stage.fib.stop('keep')
    for (let i = 0; i < 4; i++) stage.want(`10.${i}.0.0/16`, undefined)
    await stage.settle()
    await stopped
    expect(stage.kernel.routes.size).toBe(4)
    expect(stage.kernel.watchers).toBe(0)
    expect(stage.clock.pendingCount).toBe(0)
  })

  test('keep: waits for what is under way', async () => {
    const stage = await full()
    stage.want('10.9.0.0/16', '10.0.0.1@1')
    stage.fib.step(Infinity)
    let over = false
    const stopped = stage.fib.stop('keep').then(() => (over = true))
    await Promise.resolve()
    expect(over).toBe(false)
    stage.kernel.work()
    await stopped
    expect(stage.kernel.routes.size).toBe(5)
  })

  test('remove: routes and objects are gone, also stale ones and those under way', async () => {
    const kernel = (await full()).kernel
    const stage = await started(kernel)
    stage.want('10.1.0.0/16', '10.0.0.1@1')
    stage.want('10.8.0.0/16', '10.0.0.1@1')
    stage.fib.step(Infinity)
    stage.want('10.9.0.0/16', '10.0.1.1@2')
    const stopped = stage.fib.stop('remove')
    await stage.settle()
    await stopped
    expect(kernel.routes.size).toBe(0)
    expect(kernel.objects.size).toBe(0)
    expect(stage.prefixes[0].live).toBe(0)
    expect(stage.clock.pendingCount).toBe(0)
  })

  test('a kernel that never answers is not waited for longer than 10 s', async () => {
    const stage = await full()
    stage.want('10.9.0.0/16', '10.0.0.1@1')
    stage.fib.step(Infinity)
    const stopped = stage.fib.stop('remove')
    stage.clock.advance(10_000)
    await stopped
    expect(stage.clock.pendingCount).toBe(0)
  })
})

test('rewriting puts all routes again, and nothing else', async () => {
  const stage = await started()
  stage.want('10.1.0.0/16', '10.0.0.1@1')
  stage.want('2001:db8::/32', 'fe80::1@1')
  stage.want('10.2.0.0/16', '10.0.0.1@1')
  await stage.settle()
  stage.want('10.2.0.0/16', undefined)
  await stage.settle()
  stage.kernel.log.length = 0
  stage.woken = false
  stage.fib.rewrite()
  expect(stage.woken).toBe(true)
  await stage.settle()
  expect(stage.kernel.log).toEqual(['put 10.1.0.0/16', 'put 2001:db8::/32'])
  expect(stage.told).toEqual([])
})

test('rows name prefix, target, state and time', async () => {
  const stage = await started()
  const start = stage.clock.wallNow()
  await stage.pass(3_000)
  stage.want('10.1.0.0/16', '10.0.0.1@1')
  stage.want('2001:db8::/32', 'fe80::1@1')
  await stage.settle()
  stage.want('10.2.0.0/16', '10.0.0.1@1')
  const [one, two] = [...stage.targets].map(({ id }) => id)
  expect([...stage.fib.rows(0)]).toEqual([
    { prefixId: stage.id('10.1.0.0/16'), targetId: one, state: 'installed', since: start + 3_000 },
    { prefixId: stage.id('10.2.0.0/16'), targetId: one, state: 'pending' },
  ])
  expect([...stage.fib.rows(1)]).toMatchObject([{ targetId: two, state: 'installed' }])
})

test('a million wishes are all taken', async () => {
  const stage = await started()
  const id = stage.targets.intern('ipv4 tor', 'ipv4', {
    kind: 'gateways',
    hops: [{ link: 1 }],
  })
  const words = new Int32Array(1)
  const { prefixes, fib } = stage
  const ids = Int32Array.from({ length: 1_000_000 }, (_, i) => {
    words[0] = i << 8
    const prefixId = prefixes[0].intern(words, 0, 24)
    prefixes[0].retain(prefixId)
    return prefixId
  })
  for (const prefixId of ids) fib.want(0, prefixId, id)
  expect(fib.counters.pending).toBe(1_000_000)
})
