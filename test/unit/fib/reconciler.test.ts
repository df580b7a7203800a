import { describe, expect, test } from 'vitest'
import { NEXT_HOP_LEG_ID_FIRST, type KernelError } from '../../../src/fib/kernel.ts'
import { MemoryKernel } from '../../support/memory-kernel.ts'
import { Stage, started } from './stage.ts'

const A = '10.0.0.1@1'
const B = '10.0.1.1@2'
const P1 = '10.1.0.0/16'
const P2 = '10.2.0.0/16'
const P6 = '2001:db8::/32'

/** A stage with some routes in the kernel; what has been written so far is forgotten. */
async function installed(wants: Record<string, string>, kernel?: MemoryKernel): Promise<Stage> {
  const stage = await started(kernel)
  for (const [prefix, to] of Object.entries(wants)) stage.want(prefix, to)
  await stage.settle()
  stage.kernel.log.length = 0
  return stage
}

/** As after a restart: a new FIB on the kernel that an earlier one has left. */
async function restarted(wants: Record<string, string>, kernel?: MemoryKernel): Promise<Stage> {
  const before = await installed(wants, kernel)
  const stopped = before.fib.stop('keep')
  await before.settle()
  await stopped
  before.kernel.log.length = 0
  before.kernel.objectWrites = 0
  return started(before.kernel)
}

describe('a restart', () => {
  test('adopts what is there, and writes nothing when the same is wanted', async () => {
    const stage = await restarted({ [P1]: A, [P2]: B, [P6]: 'fe80::1@1' })
    expect(stage.fib.counters).toMatchObject({ stale: 3, installed: 0 })
    for (const [prefix, to] of [
      [P2, B],
      [P1, A],
      [P6, 'fe80::1@1'],
    ]) {
      stage.want(prefix, to)
    }
    stage.fib.sweep()
    await stage.pass(10_000)
    expect(stage.fib.counters).toMatchObject({ stale: 0, installed: 3 })
    expect(stage.kernel.log).toEqual([])
    expect(stage.kernel.objects.size).toBe(3)
    expect([...stage.fib.rows(0)][0]).not.toHaveProperty('since')
  })

  test('moves what is wanted otherwise, and sweeps the rest', async () => {
    const stage = await restarted({ [P1]: A, [P2]: A, '10.3.0.0/16': B })
    stage.want(P1, B)
    await stage.settle()
    expect(stage.state(P2)).toBe('stale')
    stage.fib.sweep()
    await stage.pass(10_000)
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.1.1 link 2`])
    expect(stage.kernel.objects.size).toBe(1)
    expect(stage.prefixes[0].live).toBe(1)
  })

  test('peers that come back one by one change nothing that they agree on in the end', async () => {
    const stage = await restarted({ [P1]: `${A} + ${B}`, [P2]: B })
    const before = stage.kernel.table
    stage.want(P1, A)
    stage.want(P2, A)
    await stage.settle()
    expect(stage.kernel.table).toEqual(before)
    expect(stage.fib.counters).toMatchObject({ stale: 2, installed: 0 })
    stage.want(P1, `${A} + ${B}`)
    stage.want(P2, undefined)
    stage.want(P2, B)
    stage.fib.sweep()
    await stage.pass(10_000)
    expect(stage.kernel.log).toEqual([])
    expect(stage.fib.counters).toMatchObject({ stale: 0, installed: 2 })
  })

  test('a stale route that somebody deletes while another is wanted is put as wanted', async () => {
    const stage = await restarted({ [P1]: A })
    stage.want(P1, B)
    stage.kernel.dropRoute(P1)
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.1.1 link 2`])
  })

  test('leaves a stale route that nobody wants yet to the sweep', async () => {
    const stage = await restarted({ [P1]: A })
    stage.want(P1, undefined)
    await stage.settle()
    expect(stage.kernel.routes.size).toBe(1)
    stage.fib.sweep()
    await stage.settle()
    expect(stage.kernel.routes.size).toBe(0)
  })

  test('a sweep that is asked for before the start is over comes afterwards', async () => {
    const before = await restarted({ [P1]: A })
    await before.fib.stop('keep')
    const stage = new Stage(before.kernel)
    const start = stage.fib.start()
    stage.fib.sweep()
    await start
    await stage.settle()
    expect(stage.kernel.routes.size).toBe(0)
  })

  test('a stale route that somebody deletes is forgotten', async () => {
    const stage = await restarted({ [P1]: A })
    stage.kernel.dropRoute(P1)
    expect(stage.fib.counters.stale).toBe(0)
    expect(stage.prefixes[0].live).toBe(0)
  })

  test('from gateways in routes to objects, and back', async () => {
    const plain = new MemoryKernel()
    plain.nextHopObjects = false
    const stage = await restarted({ [P1]: A, [P2]: 'blackhole' }, plain)
    expect(stage.fib.counters.stale).toBe(2)
    await stage.fib.stop('keep')
    plain.nextHopObjects = true
    const withObjects = await started(plain)
    withObjects.want(P1, A)
    withObjects.want(P2, 'blackhole')
    withObjects.fib.sweep()
    await withObjects.pass(10_000)
    expect(plain.log).toEqual([`put ${P1}`])
    expect(plain.objects.size).toBe(1)
    expect(plain.table).toEqual([`${P1} via 10.0.0.1 link 1`, `${P2} blackhole`])
  })

  test('without objects, what forwards the same is kept', async () => {
    const plain = new MemoryKernel()
    plain.nextHopObjects = false
    const stage = await restarted({ [P1]: A, [P2]: `${A} + ${B}`, [P6]: 'fe80::1@1' }, plain)
    stage.want(P1, A)
    stage.want(P2, `${B} + ${A}`)
    stage.want(P6, 'fe80::1@2')
    stage.fib.sweep()
    await stage.settle()
    expect(plain.log).toEqual([`put ${P6}`])
  })
})

describe('somebody else changes what is ours', () => {
  test('a deleted route is put back at once, and told', async () => {
    const stage = await installed({ [P1]: A })
    stage.kernel.dropRoute(P1)
    expect(stage.state(P1)).toBe('pending')
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.0.1 link 1`])
    expect(stage.told).toEqual([`${P1} repaired: somebody deleted it`])
    expect(stage.fib.counters).toMatchObject({ installed: 1, repairs: 1 })
  })

  test('a changed one too', async () => {
    const stage = await installed({ [P1]: A })
    stage.kernel.writeRoute(P1, '192.0.2.66', 9)
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.0.1 link 1`])
    expect(stage.told).toEqual([`${P1} repaired: somebody changed it to via 192.0.2.66 link 9`])
  })

  test('one that was added with our mark goes after the sweep, not before', async () => {
    const stage = await installed({ [P1]: A })
    stage.kernel.writeRoute(P2, '192.0.2.66', 9)
    await stage.settle()
    expect(stage.state(P2)).toBe('stale')
    stage.fib.sweep()
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.0.1 link 1`])
    stage.kernel.writeRoute(P2, '192.0.2.66', 9)
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.0.1 link 1`])
    expect(stage.told).toEqual([`${P2} repaired: somebody added it`])
  })

  test('a route that is being withdrawn is not put back', async () => {
    const stage = await installed({ [P1]: A })
    stage.want(P1, undefined)
    stage.kernel.dropRoute(P1)
    await stage.settle()
    expect(stage.kernel.routes.size).toBe(0)
    expect(stage.fib.counters.repairs).toBe(0)
  })

  test('a change while our own is under way is written over', async () => {
    const stage = await installed({ [P1]: A })
    stage.want(P1, B)
    stage.fib.step(Infinity)
    stage.kernel.dropRoute(P1)
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.1.1 link 2`])
  })

  test('a route that is fought over is left to the rival, who is named; and tried again later', async () => {
    const stage = await installed({ [P1]: A, [P2]: A })
    const meddle = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second++) {
        stage.kernel.dropRoute(P1, false, 'zebra (pid 812)')
        await stage.pass(1_000)
      }
    }
    await meddle(60)
    const fight = `${P1} fighting: 11 times, zebra (pid 812) deleted it, rests 300 s`
    expect(stage.told.filter((it) => it.includes('fighting'))).toEqual([fight])
    expect(stage.fib.counters).toMatchObject({ installed: 1, failed: 1, repairs: 11, fights: 1 })
    const row = [...stage.fib.rows(0)].find(({ state }) => state === 'failed')
    expect(row?.error).toBe('left alone for 5 minutes: zebra (pid 812) deleted it')
    await meddle(200)
    expect(stage.kernel.table).toEqual([`${P2} via 10.0.0.1 link 1`])
    await stage.pass(100_000)
    expect(stage.kernel.table).toHaveLength(2)
    expect(stage.fib.counters).toMatchObject({ installed: 2, failed: 0, repairs: 11, fights: 1 })
  })

  test('a route that is fought over and decided otherwise is written', async () => {
    const stage = await installed({ [P1]: A })
    for (let second = 0; second < 60; second++) {
      stage.kernel.dropRoute(P1)
      await stage.pass(1_000)
    }
    expect(stage.kernel.table).toEqual([])
    stage.want(P1, B)
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.1.1 link 2`])
  })

  test('a flush of everything is repaired, and told in a sum', async () => {
    const wants = Object.fromEntries(Array.from({ length: 50 }, (_, i) => [`10.${i}.0.0/16`, A]))
    const stage = await installed(wants)
    for (const prefix of Object.keys(wants)) stage.kernel.dropRoute(prefix)
    await stage.pass(10_000)
    expect(stage.fib.counters).toMatchObject({ installed: 50, repairs: 50 })
    expect(stage.told.at(-1)).toBe('10.5.0.0/16 and 44 more prefixes repaired: somebody deleted it')
    expect(stage.told).toHaveLength(6)
  })

  test('a deleted nexthop object is written again, with its routes', async () => {
    const stage = await installed({ [P1]: A, [P2]: A, '10.3.0.0/16': B })
    const [first] = [...stage.targets]
    stage.kernel.dropObject(first.id)
    expect(stage.kernel.routes.size).toBe(1)
    await stage.settle()
    expect(stage.kernel.routes.size).toBe(3)
    expect(stage.told).toEqual([`next hop ipv4 ${A} repaired: somebody deleted its nexthop object`])
  })

  const losses: { title: string; lose: (stage: Stage) => void }[] = [
    {
      title: 'with its object',
      lose: ({ kernel, targets }) => kernel.dropObject([...targets][0].id),
    },
    { title: 'alone', lose: ({ kernel }) => kernel.dropRoute(P1) },
  ]
  test.each(losses)(
    'a route that went $title, wanted again before its end was written',
    async (it) => {
      const stage = await installed({ [P1]: A })
      const { capacity } = stage.kernel
      stage.kernel.capacity = 0
      stage.want(P1, undefined)
      it.lose(stage)
      await stage.settle()
      stage.want(P1, A)
      stage.kernel.capacity = capacity
      await stage.settle()
      expect(stage.kernel.table).toEqual([`${P1} via 10.0.0.1 link 1`])
      expect(stage.state(P1)).toBe('installed')
    },
  )

  test('a leg goes before its group, and who deleted it is told of that', async () => {
    const stage = await installed({ [P1]: A })
    const [first] = [...stage.targets]
    stage.kernel.dropObject(first.id, true)
    const leg = { id: NEXT_HOP_LEG_ID_FIRST, protocol: 179, group: [], blackhole: false }
    stage.kernel.tellAll((events) => events.ourNextHopChanged('deleted', leg, 'ip (pid 7)'))
    await stage.settle()
    const told = `next hop ipv4 ${A} repaired: ip (pid 7) deleted its nexthop object`
    expect(stage.told).toEqual([told])
    expect(stage.kernel.routes.size).toBe(1)
  })

  const foreign: { title: string; route: object }[] = [
    { title: 'of another protocol', route: { protocol: 186 } },
    { title: 'of another table', route: { table: 255 } },
    { title: 'of another metric', route: { metric: 0 } },
    { title: 'with a nexthop object out of our range', route: { nextHopId: 17 } },
  ]
  test.each(foreign)('a route $title is never touched', async ({ route }) => {
    const stage = await installed({ [P1]: A })
    stage.fib.sweep()
    const { reconciled } = notify(stage, route)
    await stage.settle()
    expect(stage.kernel.log).toEqual([])
    expect(reconciled()).toBe(0)
  })
})

/** Tells of a route that differs in `change` from ours: deleted where ours is, new where nothing is wanted. */
function notify(stage: Stage, change: object): { reconciled: () => number } {
  const { kernel } = stage
  const told: ((events: Parameters<MemoryKernel['watch']>[0]) => void)[] = []
  for (const text of [P1, P2]) {
    kernel.writeRoute(text, '192.0.2.66', 9, true)
    const route = kernel.routes.get(text)
    if (route === undefined) throw new Error('no route')
    const base = { ...route, protocol: 179, table: 254, metric: 20, scope: 0, flags: 0 }
    told.push((events) => events.ourRouteChanged('new', { ...base, ...change }, 'ip (pid 7)'))
  }
  for (const tell of told) kernel.tellAll(tell)
  return { reconciled: () => stage.fib.counters.repairs }
}

describe('links', () => {
  test('objects that the kernel dropped with a link come back with their routes', async () => {
    const stage = await installed({ [P1]: A, [P2]: B })
    stage.kernel.linkDown(1)
    expect(stage.kernel.table).toEqual([`${P2} via 10.0.1.1 link 2`])
    await stage.settle()
    expect(stage.state(P1)).not.toBe('installed')
    stage.kernel.linkUp(1)
    await stage.pass(60_000)
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.0.1 link 1`, `${P2} via 10.0.1.1 link 2`])
    expect(stage.fib.counters).toMatchObject({ installed: 2, repairs: 0 })
    expect(stage.told.filter((it) => !it.startsWith('object failed'))).toEqual([])
  })

  test('a link that blinks unseen, told once afterwards, costs one look', async () => {
    const stage = await installed({ [P1]: A, [P2]: B })
    stage.kernel.linkDown(1, false)
    stage.kernel.linkUp(1)
    await stage.settle()
    expect(stage.kernel.table).toHaveLength(2)
    expect(stage.kernel.log).toEqual([`put ${P1}`])
  })

  test('a change that took nothing along writes nothing', async () => {
    const stage = await installed({ [P1]: A, [P2]: B })
    const writes = stage.kernel.objectWrites
    stage.kernel.linkUp(1)
    await stage.settle()
    expect(stage.kernel.log).toEqual([])
    expect(stage.kernel.objectWrites).toBe(writes)
  })

  test('a group that lost a leg gets it back; its routes never left', async () => {
    const stage = await installed({ [P1]: `${A} + ${B}` })
    stage.kernel.linkDown(2)
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.0.1 link 1`])
    stage.kernel.linkUp(2)
    await stage.pass(60_000)
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.0.1 link 1 + via 10.0.1.1 link 2`])
    expect(stage.kernel.log).toEqual([])
  })

  test('failover: the object is repointed before anything else happens, no route is written', async () => {
    const stage = await started()
    stage.want(P1, `${A} + ${B}`, 'tors')
    await stage.settle()
    stage.kernel.log.length = 0
    stage.reach('ipv4 tors', { kind: 'gateways', hops: [{ link: 2 }] })
    expect(stage.kernel.table).toEqual([`${P1} via undefined link 2`])
    await stage.settle()
    expect(stage.kernel.log).toEqual([])
  })

  test('repointed after its link took it away, but before that was told: routes are put again', async () => {
    const stage = await started()
    stage.want(P1, A, 'tor')
    await stage.settle()
    stage.kernel.linkDown(1, false)
    stage.want(P2, B, 'tor') // the resolver is first
    expect(stage.kernel.routes.size).toBe(0)
    stage.kernel.linkUp(1)
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.1.1 link 2`, `${P2} via 10.0.1.1 link 2`])
  })

  test('repointed while the objects are looked through: routes are put again', async () => {
    const stage = await started()
    stage.want(P1, A, 'tor')
    await stage.settle()
    stage.kernel.linkDown(1)
    stage.want(P2, B, 'tor')
    expect(stage.kernel.routes.size).toBe(0)
    await stage.settle()
    expect(stage.kernel.table).toEqual([`${P1} via 10.0.1.1 link 2`, `${P2} via 10.0.1.1 link 2`])
  })

  test('without objects, a next hop that is reached otherwise has its routes put again', async () => {
    const plain = new MemoryKernel()
    plain.nextHopObjects = false
    const stage = await started(plain)
    stage.want(P1, A, 'tor')
    stage.want('10.3.0.0/16', A)
    await stage.settle()
    plain.log.length = 0
    stage.want(P2, B, 'tor')
    await stage.settle()
    expect(plain.table).toEqual([
      `${P1} via 10.0.1.1 link 2`,
      `${P2} via 10.0.1.1 link 2`,
      '10.3.0.0/16 via 10.0.0.1 link 1',
    ])
    expect(plain.log.toSorted()).toEqual([`put ${P1}`, `put ${P2}`])
  })

  test('unreachable and back before the RIB has moved its routes', async () => {
    const stage = await started()
    stage.want(P1, A, 'tor')
    await stage.settle()
    stage.reach('ipv4 tor', { kind: 'gateways', hops: [] })
    stage.kernel.linkDown(1)
    await stage.settle()
    stage.kernel.linkUp(1)
    stage.want(P2, A, 'tor')
    await stage.settle()
    expect(stage.kernel.table).toHaveLength(2)
  })

  test('without objects, routes of the link are put again', async () => {
    const plain = new MemoryKernel()
    plain.nextHopObjects = false
    const stage = await installed({ [P1]: A, [P2]: B }, plain)
    plain.linkDown(1, false)
    plain.linkUp(1)
    await stage.settle()
    expect(plain.log).toEqual([`put ${P1}`])
    expect(plain.table).toHaveLength(2)
  })

  test('a route that is refused because its object is gone finds out, and is not told', async () => {
    const stage = await installed({ [P1]: A })
    stage.kernel.dropObject([...stage.targets][0].id, true)
    stage.want(P2, A)
    await stage.settle()
    expect(stage.kernel.table).toHaveLength(2)
    expect(stage.told).toEqual([])
  })
})

describe('against a dump', () => {
  test('what vanished or changed without a word is repaired within ten minutes', async () => {
    const stage = await installed({ [P1]: A, [P2]: A, [P6]: A, '10.3.0.0/16': A })
    stage.fib.sweep()
    await stage.settle()
    stage.kernel.dropRoute(P1, true)
    stage.kernel.dropRoute(P6, true)
    stage.kernel.writeRoute(P2, '192.0.2.66', 9, true)
    stage.kernel.writeRoute('10.9.0.0/16', '192.0.2.66', 9, true)
    await stage.pass(600_000)
    expect(stage.kernel.table).toEqual([
      `${P1} via 10.0.0.1 link 1`,
      `${P2} via 10.0.0.1 link 1`,
      '10.3.0.0/16 via 10.0.0.1 link 1',
      `${P6} via 10.0.0.1 link 1`,
    ])
    expect(stage.told.toSorted()).toEqual([
      `${P1} repaired: it was missing`,
      '10.2.0.0/16 repaired: somebody changed it to via 192.0.2.66 link 9',
      '10.9.0.0/16 repaired: somebody added it',
      `${P6} repaired: it was missing`,
    ])
  })

  test('a loss of notifications is a reason, but not for one dump after the other', async () => {
    const stage = await installed({ [P1]: A })
    const before = stage.kernel.dumps
    stage.kernel.dropRoute(P1, true)
    stage.kernel.loseNotifications()
    await stage.pass(1)
    expect(stage.kernel.table).toHaveLength(1)
    for (let i = 0; i < 9; i++) {
      stage.kernel.loseNotifications()
      await stage.pass(100)
    }
    expect(stage.kernel.dumps - before).toBe(2) // one, of two families
    await stage.pass(100)
    expect(stage.kernel.dumps - before).toBe(4)
  })

  test('after a loss, dumps cost a tenth of the time at most', async () => {
    const stage = await installed({ [P1]: A })
    const before = stage.kernel.dumps
    let answer = (): void => {}
    stage.kernel.dumpGate = new Promise((resolve) => (answer = resolve))
    stage.kernel.loseNotifications()
    await stage.pass(2_000)
    answer()
    await stage.settle()
    for (let i = 0; i < 19; i++) {
      stage.kernel.loseNotifications()
      await stage.pass(1_000)
    }
    expect(stage.kernel.dumps - before).toBe(2)
    await stage.pass(1_000)
    expect(stage.kernel.dumps - before).toBe(4)
  })

  test('what changes while the dump runs is newer than the dump', async () => {
    const stage = await installed({ [P1]: A, [P2]: A })
    let open: () => void = () => {}
    stage.kernel.dumpGate = new Promise((resolve) => (open = resolve))
    stage.kernel.loseNotifications()
    stage.clock.advance(1)
    stage.want(P1, B)
    stage.want(P2, undefined)
    stage.want('10.3.0.0/16', A)
    stage.fib.step(Infinity)
    stage.kernel.work()
    open()
    await stage.settle()
    expect(stage.fib.counters).toMatchObject({ installed: 2, repairs: 0 })
    expect(stage.kernel.log).toHaveLength(3)
  })

  test('a dump that fails is tried again', async () => {
    const stage = await installed({ [P1]: A })
    stage.kernel.dumpGate = Promise.reject(new Error('EINTR'))
    stage.kernel.dropRoute(P1, true)
    await stage.pass(600_000)
    stage.kernel.dumpGate = Promise.resolve()
    await stage.pass(30_000)
    expect(stage.kernel.table).toHaveLength(1)
  })
})

test('a refusal that is no matter of objects does not dump them', async () => {
  const stage = await started()
  const refusal: KernelError = { errno: 28, text: 'ENOSPC' }
  stage.kernel.refuses = () => refusal
  stage.want(P1, A)
  const writes = stage.kernel.objectWrites
  await stage.settle()
  expect(stage.kernel.objectWrites).toBe(writes)
})
