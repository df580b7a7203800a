/** `advertise.aggregates`, played to a whole speaker: what a listener hears, whatever comes and goes. */
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import { changeOf } from '../../../src/config/change.ts'
import type { AggregateConfig } from '../../../src/config/config.ts'
import { routeRows } from '../../../src/daemon/route-rows.ts'
import { covers, prefix } from '../../../src/net/prefix.ts'
import { SpeakerStage } from '../../support/speaker-stage.ts'
import { updateMessage } from '../../support/update-builder.ts'

const stages: SpeakerStage[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.stop()
})

async function newStage(): Promise<SpeakerStage> {
  const stage = new SpeakerStage([
    { name: 'feeder', address: '10.0.0.1', asn: 65_001 },
    { name: 'listener', address: '10.0.0.2', asn: 65_002 },
  ])
  stages.push(stage)
  return await stage.start()
}

const aggregate = (text: string, summaryOnly = false): AggregateConfig => ({
  prefix: prefix(text),
  summaryOnly,
  blackhole: true,
  communities: [],
})

/** As a reload of the configuration does. */
async function configure(
  stage: SpeakerStage,
  ...aggregates: readonly AggregateConfig[]
): Promise<void> {
  const { config } = stage.speaker
  const after = { ...config, advertise: { ...config.advertise, aggregates } }
  const change = changeOf(config, after)
  expect(change.refusals).toEqual([])
  stage.speaker.reconfigure(after, change)
  await stage.pass()
}

async function announce(stage: SpeakerStage, ...prefixes: readonly string[]): Promise<void> {
  const set = { origin: 'IGP', asPath: '65001 65009' } as const
  const feed = updateMessage({ announce: prefixes, set, nextHop6: '2001:db8::1' })
  stage.peer('feeder').send(feed)
  await stage.pass()
}

async function withdraw(stage: SpeakerStage, ...prefixes: readonly string[]): Promise<void> {
  stage.peer('feeder').send(updateMessage({ withdraw: prefixes }))
  await stage.pass()
}

const THEIRS = [65_000, 65_001, 65_009]

const heard = (stage: SpeakerStage, name = 'listener'): string[] =>
  [...stage.peer(name).routes.keys()].toSorted()

describe('an aggregate', () => {
  test('is announced as ours while there is a route inside, and beside it', async () => {
    const stage = await newStage()
    await configure(stage, aggregate('10.244.0.0/16'))
    await announce(stage, '10.244.0.0/16', '10.245.0.0/24')
    expect(heard(stage)).toEqual(['10.244.0.0/16', '10.245.0.0/24'])
    expect(stage.peer('listener').routes.get('10.244.0.0/16')?.asPath).toEqual(THEIRS)
    await announce(stage, '10.244.1.0/24')
    expect(stage.peer('listener').routes.get('10.244.0.0/16')?.asPath).toEqual([65_000])
    const [route] = routeRows(stage.speaker, {
      view: 'best',
      prefix: prefix('10.244.0.0/16'),
      longer: false,
    })
    expect(route).toMatchObject({
      ...{ source: 'aggregate', atomicAggregate: true, aggregator: '65000 10.0.0.100' },
    })
    await withdraw(stage, '10.244.1.0/24', '10.244.0.0/16')
    expect(heard(stage)).toEqual(['10.245.0.0/24'])
  })

  test('stands for what is inside with summaryOnly, towards everybody', async () => {
    const stage = await newStage()
    await announce(stage, '10.244.1.0/24', '10.244.2.0/24', '2001:db8:1::/64', '10.245.0.0/24')
    await configure(stage, aggregate('10.244.0.0/16', true), aggregate('2001:db8::/32', true))
    expect(heard(stage)).toEqual(['10.244.0.0/16', '10.245.0.0/24', '2001:db8::/32'])
    expect(heard(stage, 'feeder')).toEqual(['10.244.0.0/16', '2001:db8::/32'])
    await configure(stage, aggregate('10.244.0.0/16', false))
    expect(heard(stage)).toEqual([
      ...['10.244.0.0/16', '10.244.1.0/24', '10.244.2.0/24'],
      ...['10.245.0.0/24', '2001:db8:1::/64'],
    ])
    await configure(stage)
    expect(heard(stage, 'feeder')).toEqual([])
  })
})

const INSIDE = [
  '10.244.1.0/24',
  '10.244.1.64/26',
  '10.244.2.0/24',
  '10.245.0.0/24',
  '10.244.0.0/16',
]
const AGGREGATES = ['10.244.0.0/16', '10.244.1.0/24', '10.0.0.0/8']

/** What a listener shall hear. */
function expected(
  announced: ReadonlySet<string>,
  aggregates: readonly AggregateConfig[],
): string[] {
  // A larger one contains smaller ones, which are routes themselves: from the longest to the shortest.
  const routes = new Set(announced)
  const active: AggregateConfig[] = []
  for (const it of aggregates.toSorted((a, b) => b.prefix.length - a.prefix.length)) {
    const isInside = (text: string): boolean =>
      prefix(text).length > it.prefix.length && covers(it.prefix, prefix(text))
    if (![...routes].some(isInside)) continue
    active.push(it)
    routes.add(it.prefix.text)
  }
  return [...routes]
    .filter((text) =>
      active.every(
        ({ prefix: outer, summaryOnly }) =>
          !summaryOnly || prefix(text).length <= outer.length || !covers(outer, prefix(text)),
      ),
    )
    .toSorted()
}

test('whatever comes and goes, in whatever order', async () => {
  const somePrefixes = fc.subarray(INSIDE, { minLength: 1 })
  const someAggregates = fc
    .tuple(fc.subarray(AGGREGATES), fc.array(fc.boolean(), { minLength: 3, maxLength: 3 }))
    .map(([texts, summaries]) => texts.map((it, i) => aggregate(it, summaries[i])))
  const steps = fc.oneof(
    fc.record({ announce: somePrefixes }),
    fc.record({ withdraw: somePrefixes }),
    fc.record({ configure: someAggregates }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 1, maxLength: 12 }), async (story) => {
      const stage = await newStage()
      const announced = new Set<string>()
      let aggregates: readonly AggregateConfig[] = []
      for (const step of story) {
        if ('announce' in step) {
          for (const it of step.announce) announced.add(it)
          await announce(stage, ...step.announce)
        } else if ('withdraw' in step) {
          for (const it of step.withdraw) announced.delete(it)
          await withdraw(stage, ...step.withdraw)
        } else {
          aggregates = step.configure
          await configure(stage, ...aggregates)
        }
        expect(heard(stage)).toEqual(expected(announced, aggregates))
      }
      await configure(stage)
      for (const name of ['feeder', 'listener']) stage.peer(name).hangUp()
      await stage.pass()
      expect(stage.live()).toEqual({ prefixes: 0, paths: 0, sets: 0, nextHops: 0 })
    }),
    { numRuns: 60 },
  )
})
