import { describe, expect, test } from 'vitest'
import { prefix } from '../../../src/net/prefix.ts'
import { InterfaceSource } from '../../../src/sources/interface.ts'
import { PrefixSources } from '../../../src/sources/prefix-sources.ts'
import { StaticSource } from '../../../src/sources/static.ts'
import { MemoryHost } from '../../support/memory-host.ts'

/** All sources together, and what they make of it: `+10.1.0.0/24 static`, `-10.1.0.0/24`. */
function together() {
  const said: string[] = []
  const time = { now: 1_000 }
  const sources = new PrefixSources(() => time.now, {
    announced: ({ prefix: { text }, source }) => said.push(`+${text} ${source}`),
    withdrawn: ({ text }) => said.push(`-${text}`),
  })
  const rows = (): string[] =>
    [...sources.records()].map(
      ({ sourced, since }) => `${sourced.prefix.text} ${sourced.source} ${since}`,
    )
  return { sources, time, rows, take: () => said.splice(0) }
}

const block = (text: string): StaticSource =>
  new StaticSource([{ prefix: prefix(text), blackhole: true, communities: ['65101:7'], med: 5 }])

const bridge = (text: string): InterfaceSource =>
  new InterfaceSource(['docker0'], new MemoryHost().link('docker0').address('docker0', text))

describe('prefixes of the configuration', () => {
  test('come with their facts, from start to stop', () => {
    const { sources, take, rows } = together()
    const source = block('10.244.7.0/26')
    sources.add(source)
    expect(take()).toEqual(['+10.244.7.0/26 static'])
    expect([...sources.records()][0].sourced).toEqual({
      prefix: prefix('10.244.7.0/26'),
      source: 'static',
      blackhole: true,
      communities: ['65101:7'],
      med: 5,
    })
    sources.remove(source)
    expect(take()).toEqual(['-10.244.7.0/26'])
    expect(rows()).toEqual([])
  })
})

describe('the same prefix from two sources', () => {
  test.each([
    { first: 'interface', firstGone: 'interface', said: [] },
    { first: 'interface', firstGone: 'static', said: ['+10.1.0.0/24 interface'] },
    { first: 'static', firstGone: 'interface', said: [] },
    { first: 'static', firstGone: 'static', said: ['+10.1.0.0/24 interface'] },
  ])('$first came first, $firstGone goes first', ({ first, firstGone, said }) => {
    const { sources, take, rows, time } = together()
    const all = { interface: bridge('10.1.0.1/24'), static: block('10.1.0.0/24') }
    const order = first === 'static' ? [all.static, all.interface] : [all.interface, all.static]
    for (const source of order) {
      sources.add(source)
      time.now++
    }
    // What somebody wrote down ranks before what was found, whichever came first.
    expect(take().at(-1)).toBe('+10.1.0.0/24 static')
    expect(rows()).toEqual(order.map(({ kind }, i) => `10.1.0.0/24 ${kind} ${1_000 + i}`))

    const [goes, stays] =
      firstGone === 'static' ? [all.static, all.interface] : [all.interface, all.static]
    sources.remove(goes)
    expect(take(), 'it stays announced').toEqual(said)
    sources.remove(stays)
    expect(take()).toEqual(['-10.1.0.0/24'])
    expect(rows()).toEqual([])
  })

  test('a source in place of an equal one, as a reload does it: nothing is said', () => {
    const { sources, take } = together()
    const [before, after] = [block('10.1.0.0/24'), block('10.1.0.0/24')]
    sources.add(before)
    take()
    sources.add(after)
    sources.remove(before)
    expect(take()).toEqual([])
  })
})

describe('what sources may do wrong', () => {
  test('taking back what was never offered, or removing a source twice, is nothing', () => {
    const { sources, take } = together()
    const source = block('10.1.0.0/24')
    sources.add({
      kind: 'fan',
      start: (events) => events.retract(prefix('10.1.0.0/24')),
      stop: () => {},
    })
    sources.remove(source)
    expect(take()).toEqual([])
    sources.add(source)
    sources.remove(source)
    sources.remove(source)
    expect(take()).toEqual(['+10.1.0.0/24 static', '-10.1.0.0/24'])
  })

  test('offering a prefix again replaces its facts, and keeps the time', () => {
    const { sources, take, rows, time } = together()
    const offered = { prefix: prefix('10.1.0.0/24'), source: 'docker' } as const
    sources.add({
      kind: 'docker',
      start: (events) => {
        events.offer({ ...offered, network: 'one' })
        time.now += 60_000
        events.offer({ ...offered, network: 'two' })
      },
      stop: () => {},
    })
    expect(take()).toEqual(['+10.1.0.0/24 docker', '+10.1.0.0/24 docker'])
    expect(rows()).toEqual(['10.1.0.0/24 docker 1000'])
    expect([...sources.records()][0].sourced.network).toBe('two')
  })
})
