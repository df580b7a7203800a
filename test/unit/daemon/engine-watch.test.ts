import { describe, expect, test } from 'vitest'
import { EngineWatch } from '../../../src/daemon/engine-watch.ts'
import { EngineError } from '../../../src/sources/docker-engine.ts'
import { container } from '../../support/engine-view.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryEngine, untilIdle } from '../../support/memory-engine.ts'

function stage(containers = true) {
  const engine = new MemoryEngine()
  const clock = new FakeClock()
  const said: string[] = []
  const watch = new EngineWatch(engine.connect, { endpoint: {}, containers }, clock, {
    seen: (view) =>
      said.push(
        [...view.networks.values(), ...view.containers.values()].map((it) => it.name).join(' '),
      ),
    missed: ({ message }) => said.push(`missed: ${message}`),
    gaveUp: () => said.push('gave up'),
  })
  return { engine, clock, watch, take: () => said.splice(0) }
}

async function connected(...names: readonly string[]) {
  const it = stage()
  it.engine.put(...names)
  await it.watch.start()
  expect(it.take()).toEqual([names.join(' ')])
  expect(it.engine.takeAsked()).toEqual(['networks all', 'containers all'])
  return it
}

describe('events', () => {
  test('cost one list of what has changed', async () => {
    const { engine, take } = await connected('blue')
    engine.put('green')
    engine.tell('green')
    await untilIdle()
    expect(take()).toEqual(['blue green'])
    engine.networks.delete('blue')
    engine.tell('blue')
    await untilIdle()
    expect(take()).toEqual(['green'])
    expect(engine.takeAsked()).toEqual(['networks 1', 'networks 1'])
  })

  test('that come while a list is under way wait for one list together', async () => {
    const { engine, take } = await connected()
    let release = (): void => {}
    engine.held = new Promise((resolve) => (release = resolve))
    engine.tell('n0')
    const names = Array.from({ length: 40 }, (_, i) => `n${i}`)
    engine.put(...names)
    engine.tell(...names, ...names)
    release()
    await untilIdle()
    expect(take()).toEqual(['n0', names.join(' ')])
    expect(engine.takeAsked()).toEqual(['networks 1', 'networks 40'])
  })

  test('of very many are one list of everything', async () => {
    const { engine, take } = await connected()
    const names = Array.from({ length: 500 }, (_, i) => `n${i}`)
    engine.put(...names)
    engine.tell(...names)
    await untilIdle()
    expect(engine.takeAsked()).toEqual(['networks 1', 'networks all', 'containers all'])
    expect(take().at(-1)).toBe(names.join(' '))
  })

  test('of containers are followed', async () => {
    const { engine, take } = await connected('blue')
    const web = container('web', { blue: ['10.78.1.2'] })
    engine.containers.set(web.id, web)
    engine.events?.touched('container', web.id, true)
    await untilIdle()
    engine.containers.clear() // paused
    engine.events?.touched('container', web.id, true)
    await untilIdle()
    expect(take()).toEqual(['blue web', 'blue'])
    expect(engine.takeAsked()).toEqual(['containers 1', 'containers 1'])
  })

  test.each([100, 1_000])(
    'that come before the lists say so are made up for after %d ms',
    async (ms) => {
      const { engine, clock, take } = await connected('blue')
      const web = container('web', { blue: ['10.78.1.2'] })
      engine.have(web)
      engine.events?.touched('container', web.id, true)
      await untilIdle()
      clock.advance(ms - 1)
      await untilIdle()
      expect(new Set(take())).toEqual(new Set(['blue web']))
      engine.containers.clear()
      clock.advance(1)
      await untilIdle()
      expect(take()).toEqual(['blue'])
    },
  )

  test('that are lost are made up for once a minute', async () => {
    const { engine, clock, take } = await connected('blue')
    engine.put('green')
    clock.advance(59_000)
    await untilIdle()
    expect(take()).toEqual([])
    for (const minute of [1, 2]) {
      clock.advance(60_000)
      await untilIdle()
      expect(take(), `${minute}`).toEqual(['blue green'])
    }
  })
})

test('without interest in containers nobody asks for them', async () => {
  const { engine, watch, take } = stage(false)
  engine.put('blue')
  await watch.start()
  expect(take()).toEqual(['blue'])
  expect(engine.takeAsked()).toEqual(['networks all'])
})

describe('an engine that can not be heard', () => {
  test('is called again and again, less and less often, and looked at as a whole when it is back', async () => {
    const { engine, clock, take } = await connected('blue')
    engine.refusal = 'refused'
    engine.put('green')
    engine.end('hung up')
    expect([engine.closed, engine.calls]).toEqual([1, 1])
    const waits: number[] = []
    for (let i = 0; i < 11; i++) {
      const before = clock.now()
      const { calls } = engine
      clock.advanceUntil(() => engine.calls > calls, 20_000, 100)
      waits.push(clock.now() - before)
      await untilIdle()
    }
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, ...Array<number>(5).fill(5000)])
    const [first, ...rest] = take()
    expect(first).toBe('missed: hung up')
    expect(new Set(rest)).toEqual(new Set(['missed: refused', 'gave up']))
    expect(rest.filter((it) => it === 'gave up')).toHaveLength(1)
    engine.refusal = undefined
    clock.advance(10_000)
    await untilIdle()
    expect(take()).toEqual(['blue green'])
    expect(engine.takeAsked()).toEqual(['networks all', 'containers all'])
  })

  test('from the start is missed at once', async () => {
    const { engine, watch, take } = stage()
    engine.refusal = 'no such socket'
    await watch.start()
    expect(take()).toEqual(['missed: no such socket'])
  })

  test('is not given up when it comes back in time', async () => {
    const { engine, clock, take } = await connected('blue')
    engine.end('hung up')
    clock.advance(100)
    await untilIdle()
    expect(take()).toEqual(['missed: hung up', 'blue'])
    clock.advance(29_000)
    await untilIdle()
    expect(take()).toEqual([])
    clock.advance(2_000)
    await untilIdle()
    expect(take()).toEqual([])
  })

  test('has been heard well for a while: it is called again soon', async () => {
    const { engine, clock } = await connected('blue')
    for (const [wait, lasted] of [
      [100, 0],
      [200, 0],
      [400, 11_000],
      [100, 0],
    ] as const) {
      engine.end('hung up')
      const { calls } = engine
      clock.advance(wait - 1)
      expect(engine.calls).toBe(calls)
      clock.advance(1)
      expect(engine.calls).toBe(calls + 1)
      await untilIdle()
      clock.advance(lasted)
    }
  })

  test('because it does not answer is left, and called anew', async () => {
    const { engine, clock, take } = await connected('blue')
    engine.failure = 'no answer'
    engine.tell('blue')
    await untilIdle()
    expect(take()).toEqual(['missed: no answer'])
    expect(engine.closed).toBe(1)
    engine.failure = undefined
    clock.advance(100)
    await untilIdle()
    expect(take()).toEqual(['blue'])
  })
})

test('what an old connection still brings is nobody’s', async () => {
  const { engine, clock, take } = await connected('blue')
  let release = (): void => {}
  engine.held = new Promise((resolve) => (release = resolve))
  engine.tell('blue')
  const old = engine.events
  old?.ended(new EngineError('hung up'))
  old?.ended(new EngineError('twice'))
  engine.held = undefined
  clock.advance(100)
  await untilIdle()
  expect(take()).toEqual(['missed: hung up', 'blue'])
  engine.networks.clear()
  release()
  old?.touched('network', 'blue', false)
  await untilIdle()
  expect(take()).toEqual([])
})

test('closed, it is silent and has no timers', async () => {
  const { engine, clock, watch, take } = await connected('blue')
  watch.close()
  engine.tell('blue')
  engine.end('hung up')
  await untilIdle()
  expect([take(), clock.pendingCount, engine.closed]).toEqual([[], 0, 1])
  const late = stage()
  const starting = late.watch.start()
  late.watch.close()
  await starting
  expect([late.take(), late.clock.pendingCount, late.engine.closed]).toEqual([[], 0, 1])
})
