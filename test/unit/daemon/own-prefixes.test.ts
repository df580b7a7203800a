import { describe, expect, test } from 'vitest'
import { Aggregates } from '../../../src/daemon/aggregates.ts'
import { DockerDiscovery } from '../../../src/daemon/docker-discovery.ts'
import { Events } from '../../../src/daemon/events.ts'
import { LocalRoutes } from '../../../src/daemon/local-routes.ts'
import { OwnPrefixes } from '../../../src/daemon/own-prefixes.ts'
import { container, network } from '../../support/engine-view.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryEngine, untilIdle } from '../../support/memory-engine.ts'
import { MemoryHost } from '../../support/memory-host.ts'
import { configOf } from '../config/loading.ts'
import { NOTHING, SmallRib } from '../rib/small-rib.ts'

const advertise = (yaml: string) => configOf(`asn: 65101\nadvertise: ${yaml}`).advertise

function stage(host = new MemoryHost(), engine = new MemoryEngine()) {
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
  const docker = new DockerDiscovery(engine.connect, host, events, clock)
  const own = new OwnPrefixes(routes, { host, aggregates, docker }, events, clock)
  own.start()
  return {
    rib,
    routes,
    own,
    host,
    clock,
    docker,
    take: () => told.splice(0),
    changes: () => changes,
  }
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

  test('are those of Docker, with their attributes, and stay while a reload changes something else', async () => {
    const host = new MemoryHost().link('docker0').address('docker0', '172.17.0.1/16')
    const engine = new MemoryEngine()
    const labels = { 'bgp.community': '65101:7,65101:1:2,no-export', 'bgp.med': '5' }
    engine.have(
      network('blue', {
        id: 'blue',
        subnets: ['172.17.0.0/16'],
        options: { 'com.docker.network.bridge.name': 'docker0' },
        labels: { ...labels, 'bgp.containers': 'true', 'bgp.metric': '1' },
      }),
      container('web', { blue: ['172.17.0.2'] }),
    )
    const { rib, own, docker, clock, take } = stage(host, engine)
    const settled = async () => {
      await untilIdle()
      rib.settle()
      return take()
    }
    own.configure(advertise('{ docker: true }'))
    expect(await settled()).toEqual([
      'network blue: the label bgp.metric means nothing here; there are bgp.advertise, bgp.containers, bgp.community, bgp.med',
      'announcing 172.17.0.0/16 (docker blue on docker0)',
      'announcing 172.17.0.2/32 (docker web on docker0)',
    ])
    expect(rib.offers('172.17.0.2/32').local).toMatchObject({
      communities: ['65101:7', 'no-export'],
      largeCommunities: ['65101:1:2'],
      med: 5,
    })
    own.configure(advertise('{ docker: true, prefixes: [10.1.0.0/16] }'))
    expect(await settled()).toEqual(['announcing 10.1.0.0/16 (static)'])
    own.configure(advertise('{ docker: { containers: false }, prefixes: [10.1.0.0/16] }'))
    expect(await settled()).toEqual(['no longer announcing 172.17.0.2/32'])
    expect(engine.calls).toBe(2)

    engine.refusal = 'there is no /run/docker.sock: start Docker'
    engine.end('it has hung up')
    clock.advance(1_000)
    expect(await settled()).toEqual([
      "Docker's networks are not followed: it has hung up",
      "Docker's networks are not followed: there is no /run/docker.sock: start Docker",
    ])
    expect(docker.problem).toBe(
      "Docker's networks are not followed: there is no /run/docker.sock: start Docker",
    )
    engine.refusal = undefined
    clock.advance(10_000)
    expect(await settled()).toEqual(['Docker answers'])
    expect(docker.problem).toBeUndefined()

    own.configure(advertise('{ prefixes: [10.1.0.0/16] }'))
    expect(await settled()).toEqual(['no longer announcing 172.17.0.0/16'])
    expect([engine.listeners, clock.pendingCount]).toEqual([0, 0])
  })

  test('wait for Docker a little at the start, but not for one that does not answer', async () => {
    const engine = new MemoryEngine()
    const { docker, clock } = stage(new MemoryHost(), engine)
    engine.held = new Promise(() => {})
    let started = false
    const { docker: wanted } = advertise('{ docker: true }')
    void docker.configure(wanted).then(() => (started = true))
    clock.advance(2_999)
    await untilIdle()
    expect(started).toBe(false)
    clock.advance(1)
    await untilIdle()
    expect(started).toBe(true)
    docker.close()
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
