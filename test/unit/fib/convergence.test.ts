/**
 * Whatever happens in whatever order, once the world is quiet the kernel has exactly what the RIB wants,
 * and nobody holds anything that is not needed for it.
 */
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { factsOf } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { NEXT_HOP_ID_FIRST, type KernelError } from '../../../src/fib/kernel.ts'
import { MemoryKernel, targetText } from '../../support/memory-kernel.ts'
import { started, target, type Stage } from './stage.ts'

const PREFIXES = ['0.0.0.0/0', '10.1.0.0/16', '10.2.0.0/16', '10.2.0.0/24', '::/0', '2001:db8::/32']
/** The sets of next hops, and the ways that each may be reached. */
const WAYS: Readonly<Record<string, readonly string[]>> = {
  torA: ['10.0.0.1@1', '10.0.9.1@3', ''],
  torB: ['10.0.1.1@2', 'fe80::1@2', ''],
  both: ['10.0.0.1@1 + 10.0.1.1@2', '10.0.0.1@1', '10.0.1.1@2*3 + 10.0.0.1@1', ''],
  none: ['blackhole', 'unreachable'],
}
const KEYS = Object.keys(WAYS)
const LINKS = [1, 2, 3]
const REFUSAL: KernelError = { errno: 105, text: 'ENOBUFS' }

/** A world: what the RIB wants, how next hops are reached, and the stage that shall follow. */
class World {
  stage: Stage
  readonly kernel: MemoryKernel
  readonly wanted = new Map<string, string>()
  readonly ways = new Map(KEYS.map((key) => [key, WAYS[key][0]]))

  constructor(stage: Stage) {
    this.stage = stage
    this.kernel = stage.kernel
  }

  want(text: string, key: string | undefined): void {
    if (key === undefined) this.wanted.delete(text)
    else this.wanted.set(text, key)
    this.stage.want(text, key && this.ways.get(key), key)
  }

  reach(key: string, way: string): void {
    this.ways.set(key, way)
    for (const family of ['ipv4', 'ipv6']) this.stage.reach(`${family} ${key}`, target(way))
  }

  /** The RIB decides again for what has no way, or has one again. */
  redecide(): void {
    for (const [text, key] of this.wanted) this.stage.want(text, this.ways.get(key), key)
  }

  /** The daemon goes and comes again; the kernel keeps. */
  async restart(): Promise<void> {
    const stopped = this.stage.fib.stop('keep')
    await this.stage.settle()
    await stopped
    this.stage = await started(this.kernel, this.stage.clock)
    this.redecide()
  }

  get expected(): string[] {
    const lines: string[] = []
    for (const [text, key] of this.wanted) {
      const way = this.ways.get(key) ?? ''
      if (way !== '') lines.push(`${text} ${targetText(target(way))}`)
    }
    return lines.toSorted()
  }
}

type Happening = [title: string, happen: (world: World) => Promise<void> | void]

const happening = (title: string, happen: Happening[1]): Happening => [title, happen]
const aPrefix = fc.constantFrom(...PREFIXES)
const aLink = fc.constantFrom(...LINKS)
const aKey = fc.constantFrom(...KEYS)
const aBoolean = fc.boolean()
const aFalse = fc.constant(false)

/** `silence`: things may happen that nobody tells of, which only a dump of everything brings to light. */
const happenings = (silence: boolean) =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(aPrefix, fc.option(aKey, { nil: undefined }))
        .map(([text, key]) => happening(`want ${text} ${key}`, (it) => it.want(text, key))),
    },
    {
      weight: 4,
      arbitrary: fc.constant(happening('step', ({ stage }) => stage.fib.step(Infinity))),
    },
    {
      weight: 4,
      arbitrary: fc
        .integer({ min: 1, max: 4 })
        .map((most) => happening(`work ${most}`, ({ kernel }) => void kernel.work(most))),
    },
    { weight: 3, arbitrary: fc.constant(happening('settle', ({ stage }) => stage.settle())) },
    {
      weight: 3,
      arbitrary: fc.tuple(aKey, fc.nat(3), aBoolean).map(([key, n, redecide]) => {
        const way = WAYS[key][n % WAYS[key].length]
        return happening(`reach ${key} by ${way}${redecide ? ', decide' : ''}`, (it) => {
          it.reach(key, way)
          if (redecide) it.redecide()
        })
      }),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(aLink, aBoolean)
        .map(([link, told]) =>
          happening(`down ${link}${told ? '' : ' untold'}`, ({ kernel }) =>
            kernel.linkDown(link, told),
          ),
        ),
    },
    {
      weight: 2,
      arbitrary: aLink.map((link) => happening(`up ${link}`, ({ kernel }) => kernel.linkUp(link))),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(aPrefix, silence ? aBoolean : aFalse)
        .map(([text, silently]) =>
          happening(`drop ${text}${silently ? ' silently' : ''}`, ({ kernel }) =>
            kernel.dropRoute(text, silently),
          ),
        ),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(aPrefix, silence ? aBoolean : aFalse)
        .map(([text, silently]) =>
          happening(`spoil ${text}${silently ? ' silently' : ''}`, ({ kernel }) =>
            kernel.writeRoute(text, '192.0.2.66', 9, silently),
          ),
        ),
    },
    {
      weight: 2,
      arbitrary: fc
        .tuple(fc.nat(4), silence ? aBoolean : aFalse)
        .map(([n, silently]) =>
          happening(`drop object ${n}${silently ? ' silently' : ''}`, ({ kernel }) =>
            kernel.dropObject(NEXT_HOP_ID_FIRST + n, silently),
          ),
        ),
    },
    {
      weight: 1,
      arbitrary: fc.constant(
        happening('refuse', ({ kernel }) => {
          kernel.refuses = () => REFUSAL
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constant(
        happening('accept', ({ kernel }) => {
          kernel.refuses = () => undefined
        }),
      ),
    },
    {
      weight: 1,
      arbitrary: fc
        .nat(3)
        .map((done) =>
          happening(`worker dies after ${done}`, ({ kernel }) => kernel.breakDown(done)),
        ),
    },
    {
      weight: 1,
      arbitrary: fc.constant(happening('lose', ({ kernel }) => kernel.loseNotifications())),
    },
    { weight: 1, arbitrary: fc.constant(happening('sweep', ({ stage }) => stage.fib.sweep())) },
    { weight: 1, arbitrary: fc.constant(happening('restart', (it) => it.restart())) },
    {
      weight: 2,
      arbitrary: fc
        .constantFrom(1, 500, 1_000, 6_000, 60_000, 600_000)
        .map((ms) => happening(`pass ${ms} ms`, ({ stage }) => stage.pass(ms))),
    },
  )

const MINUTE_MS = 60_000

test.each([
  { title: 'nexthop objects', nextHopObjects: true, silence: true, minutes: 30 },
  { title: 'gateways in the routes', nextHopObjects: false, silence: true, minutes: 30 },
  { title: 'nexthop objects, and no dump', nextHopObjects: true, silence: false, minutes: 4 },
  { title: 'gateways, and no dump', nextHopObjects: false, silence: false, minutes: 4 },
])('with $title, all ends well', async ({ nextHopObjects, silence, minutes }) => {
  const stories = fc.array(
    happenings(silence).map(([title, happen]) => ({ happen, toString: () => title })),
    { minLength: 5, maxLength: 40 },
  )
  await fc.assert(
    fc.asyncProperty(stories, async (story) => {
      const kernel = new MemoryKernel()
      kernel.nextHopObjects = nextHopObjects
      kernel.capacity = 4
      const world = new World(await started(kernel))
      for (const { happen } of story) {
        await happen(world)
        await Promise.resolve()
      }
      await calm(world, minutes)
      expect(kernel.table).toEqual(world.expected)
      const { stage } = world
      const count = world.expected.length
      expect(stage.fib.counters).toMatchObject({
        installed: count,
        pending: 0,
        failed: 0,
        stale: 0,
      })
      for (const text of PREFIXES) expect(isInstalled(stage, text)).toBe(isExpected(world, text))
      expect(stage.prefixes[0].live + stage.prefixes[1].live).toBe(count)
      const targets = [...stage.targets]
      expect(targets.every(({ routes, ready }) => routes > 0 && ready)).toBe(true)
      const objects = targets.filter(({ target: it }) => nextHopObjects && it.kind === 'gateways')
      expect(kernel.objects.size).toBe(objects.length)
    }),
    { numRuns: 200, seed: 4271 },
  )
})

/** All links are up, the kernel takes everything, the RIB has decided; some time goes by. */
async function calm(world: World, minutes: number): Promise<void> {
  const { kernel } = world
  kernel.refuses = () => undefined
  for (const link of LINKS) kernel.linkUp(link)
  world.redecide()
  world.stage.fib.sweep()
  await world.stage.pass(minutes * MINUTE_MS, MINUTE_MS / 2)
}

const isInstalled = (stage: Stage, text: string): boolean => stage.state(text) === 'installed'

const isExpected = ({ wanted, ways }: World, text: string): boolean => {
  const key = wanted.get(text)
  return key !== undefined && ways.get(key) !== ''
}

test('the prefixes of the stories are of both families', () => {
  expect(new Set(PREFIXES.map((text) => factsOf(prefix(text).family).index)).size).toBe(2)
})
