import { describe, expect, test } from 'vitest'
import { Aggregates } from '../../../src/daemon/aggregates.ts'
import { Events } from '../../../src/daemon/events.ts'
import { LocalRoutes } from '../../../src/daemon/local-routes.ts'
import { OwnPrefixes } from '../../../src/daemon/own-prefixes.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryHost } from '../../support/memory-host.ts'
import { configOf } from '../config/loading.ts'
import { NOTHING, SmallRib } from '../rib/small-rib.ts'

const advertise = (yaml: string) => configOf(`asn: 65101\nadvertise: ${yaml}`).advertise

function stage(host = new MemoryHost()) {
  const rib = new SmallRib()
  const clock = new FakeClock()
  const events = new Events(clock)
  const told: string[] = []
  events.subscribe(({ text }) => told.push(text))
  let changes = 0
  const routes = new LocalRoutes(rib.rib, clock, '65101 10.0.0.100', () => changes++)
  const tables = rib.rib.families.map(({ prefixes }) => prefixes)
  const nothing = () => undefined
  const aggregates = new Aggregates(tables, { reconsiderWithin: nothing, lookAgainWithin: nothing })
  const own = new OwnPrefixes(routes, { host, aggregates }, events, clock)
  return { rib, routes, own, host, take: () => told.splice(0), changes: () => changes }
}

describe('our own prefixes', () => {
  test('are in the RIB with what the configuration says of them', () => {
    const { rib, routes, own, take } = stage()
    own.configure(
      advertise("{ prefixes: [{ prefix: 10.244.7.0/26, community: ['65101:7'], med: 5 }] }"),
    )
    rib.settle()
    expect(rib.offers('10.244.7.0/26').local).toMatchObject({
      origin: 'IGP',
      asPath: '',
      communities: ['65101:7'],
      med: 5,
    })
    expect(routes.size).toBe(1)
    expect(take()).toEqual(['announcing 10.244.7.0/26 (static)'])
  })

  test('follow the links of the host', () => {
    const { rib, own, host, take } = stage()
    own.configure(advertise("{ interfaces: ['br-*'] }"))
    host.link('br-1').address('br-1', '172.18.1.1/24').tell()
    expect(take()).toEqual(['announcing 172.18.1.0/24 (interface br-1)'])
    expect(rib.settle().best('172.18.1.0/24')).toBe('local')
    host.unlink('br-1').tell()
    expect(take()).toEqual(['no longer announcing 172.18.1.0/24'])
    expect(rib.settle().live()).toEqual(NOTHING)
  })

  test('that stay in a new configuration are not touched', () => {
    const { rib, own, take } = stage()
    own.configure(advertise('{ prefixes: [{ prefix: 10.1.0.0/16 }, { prefix: 10.2.0.0/16 }] }'))
    rib.settle()
    take()
    rib.forwarded.clear()
    own.configure(advertise('{ prefixes: [{ prefix: 10.1.0.0/16 }, { prefix: 10.3.0.0/16 }] }'))
    expect(take().toSorted()).toEqual([
      'announcing 10.3.0.0/16 (static)',
      'no longer announcing 10.2.0.0/16',
    ])
    rib.settle()
    expect([...rib.forwarded.keys()].toSorted()).toEqual(['10.2.0.0/16', '10.3.0.0/16'])
  })

  test('whose facts change are announced with the new ones, never withdrawn', () => {
    const { rib, own, take } = stage()
    own.configure(advertise('{ prefixes: [{ prefix: 10.1.0.0/16, med: 1 }] }'))
    take()
    own.configure(advertise('{ prefixes: [{ prefix: 10.1.0.0/16, med: 2 }] }'))
    expect(take()).toEqual(['announcing 10.1.0.0/16 (static)'])
    expect(rib.settle().offers('10.1.0.0/16').local).toMatchObject({ med: 2 })
  })

  test('are all gone in the end', () => {
    const host = new MemoryHost().link('docker0').address('docker0', '172.17.0.1/16')
    const { rib, own, routes, changes } = stage(host)
    const both =
      '{ interfaces: [docker0], prefixes: [{ prefix: 172.17.0.0/16 }, { prefix: 10.1.0.0/16 }] }'
    own.configure(advertise(both))
    expect([...routes.values()].map(({ prefix, source }) => `${prefix.text} ${source}`)).toEqual([
      '172.17.0.0/16 static',
      '10.1.0.0/16 static',
    ])
    own.close()
    expect(rib.settle().live()).toEqual(NOTHING)
    expect([routes.size, host.listeners]).toEqual([0, 0])
    expect(changes()).toBeGreaterThan(0)
  })
})
