import { describe, expect, test } from 'vitest'
import { DockerSource } from '../../../src/sources/docker.ts'
import type { EngineContainer, EngineNetwork } from '../../../src/sources/docker-engine.ts'
import { container, network, readCommunity } from '../../support/engine-view.ts'
import { MemoryHost } from '../../support/memory-host.ts'

const BRIDGE = 'br-aaaaaaaaaaaa'
const blue = network('blue', { subnets: ['10.78.1.0/28'] })
const routed = network('routed', {
  id: 'b'.repeat(64),
  driver: 'ipvlan',
  subnets: ['10.90.0.0/24'],
  options: { parent: 'eth0', ipvlan_mode: 'l3' },
})
const web = container('web', { [blue.id]: ['10.78.1.2'] })
const db = container('db', { [blue.id]: ['10.78.1.3'] })
const far = container('far', { [routed.id]: ['10.90.0.2'] })

const view = (networks: readonly EngineNetwork[], containers: readonly EngineContainer[] = []) => ({
  networks: new Map(networks.map((it) => [it.id, it])),
  containers: new Map(containers.map((it) => [it.id, it])),
})

/** A host with two containers on a bridge, and what a source says: `+10.78.1.0/28`, `-10.78.1.0/28`. */
function stage() {
  const host = new MemoryHost().link('eth0', { kind: '' }).link(BRIDGE)
  host.address(BRIDGE, '10.78.1.1/28')
  const master = [...host.links()].find(({ name }) => name === BRIDGE)?.index ?? 0
  for (const name of ['veth1', 'veth2']) host.link(name, { kind: 'veth', master })
  const said: string[] = []
  const remarks: string[] = []
  const source = new DockerSource(host, ({ text }) => remarks.push(text))
  source.configure({ networks: 'all', containers: true, readCommunity })
  source.start({
    offer: ({ prefix }) => said.push(`+${prefix.text}`),
    retract: ({ text }) => said.push(`-${text}`),
  })
  return { host, source, remarks, take: () => said.splice(0).toSorted() }
}

const ALL = ['+10.78.1.0/28', '+10.78.1.2/32', '+10.78.1.3/32', '+10.90.0.0/24', '+10.90.0.2/32']

function running() {
  const it = stage()
  it.source.show(view([blue, routed], [web, db, far]))
  expect(it.take()).toEqual(ALL)
  return it
}

describe('what the engine has', () => {
  test('is offered, and only the difference is told', () => {
    const { source, take } = running()
    source.show(view([blue, routed], [web, db, far]))
    expect(take()).toEqual([])
    source.show(view([blue], [web]))
    expect(take()).toEqual(['-10.78.1.3/32', '-10.90.0.0/24', '-10.90.0.2/32'])
  })

  test('waits for its link, and goes with it', () => {
    const { host, source, take } = stage()
    const green = network('green', { id: 'c'.repeat(64), subnets: ['10.78.1.16/28'] })
    source.show(view([green]))
    expect(take()).toEqual([])
    host.link('br-cccccccccccc').tell()
    expect(take()).toEqual([])
    host.address('br-cccccccccccc', '10.78.1.17/28').tell()
    expect(take()).toEqual(['+10.78.1.16/28'])
    host.unlink('br-cccccccccccc').tell()
    expect(take()).toEqual(['-10.78.1.16/28'])
  })

  test('is judged anew when the rules change, and all goes when nothing is wanted', () => {
    const { source, take } = running()
    source.configure({ networks: 'labelled', containers: true, readCommunity })
    expect(take()).toEqual(['-10.78.1.0/28', '-10.90.0.0/24'])
    source.configure(undefined)
    expect(take()).toEqual(['-10.78.1.2/32', '-10.78.1.3/32', '-10.90.0.2/32'])
  })

  test('new attributes are offered without a withdrawal', () => {
    const { source, take } = running()
    const labels = { 'bgp.community': '65101:7' }
    source.show(view([{ ...blue, labels }, routed], [web, db, far]))
    expect(take()).toEqual(['+10.78.1.0/28', '+10.78.1.2/32', '+10.78.1.3/32'])
  })

  test('is remarked on once, and again when it has gone and come back', () => {
    const { source, remarks } = stage()
    const bad = { ...blue, labels: { 'bgp.med': 'x' } }
    source.show(view([bad]))
    source.show(view([bad, routed]))
    expect(remarks).toEqual(['network blue: the label bgp.med=x is ignored; write 0..4294967295'])
    source.show(view([]))
    source.show(view([bad]))
    expect(remarks).toHaveLength(2)
  })
})

describe('while the engine is away', () => {
  test('nothing is taken back while the host has everything', () => {
    const { host, source, take } = running()
    source.miss('away')
    host.tell()
    expect(take()).toEqual([])
  })

  test('containers of a bridge that loses a port are not counted on, those of others are', () => {
    const { host, source, take } = running()
    source.miss('away')
    host.unlink('veth2').tell()
    expect(take()).toEqual(['-10.78.1.2/32', '-10.78.1.3/32'])
    host.link('veth2', { kind: 'veth' }).tell()
    expect(take(), 'a new port is of an unknown container').toEqual([])
    source.show(view([blue, routed], [web, far]))
    expect(take()).toEqual(['+10.78.1.2/32'])
  })

  test('a port without a carrier has lost its container as well', () => {
    const { host, source, take } = running()
    source.miss('away')
    host.link('veth1', { carrier: false }).tell()
    expect(take()).toEqual(['-10.78.1.2/32', '-10.78.1.3/32'])
  })

  test('a bridge that goes takes its network along', () => {
    const { host, source, take } = running()
    source.miss('away')
    host.unlink(BRIDGE).tell()
    expect(take()).toEqual(['-10.78.1.0/28', '-10.78.1.2/32', '-10.78.1.3/32'])
  })

  test('containers that leave no trace in the host are given up when it is away for long', () => {
    const { source, take } = running()
    source.miss('away')
    source.miss('lost')
    expect(take()).toEqual(['-10.90.0.2/32'])
    source.miss('away') // the next attempt to call it
    expect(take()).toEqual([])
    source.show(view([blue, routed], [web, db, far]))
    expect(take()).toEqual(['+10.90.0.2/32'])
  })
})

describe('links for the preferred source', () => {
  test('are the bridges of networks, docker0 first', () => {
    const { host, source } = running()
    const heard: string[] = []
    source.onLinksChanged(() => heard.push(source.links.join(' ')))
    expect(source.links).toEqual([BRIDGE])
    host.link('docker0').address('docker0', '172.17.0.1/16').tell()
    const docker0 = network('bridge', {
      id: 'd'.repeat(64),
      subnets: ['172.17.0.0/16'],
      options: { 'com.docker.network.bridge.name': 'docker0' },
    })
    source.show(view([blue, docker0], [web]))
    source.show(view([blue, docker0]))
    source.show(view([]))
    expect(heard).toEqual([`docker0 ${BRIDGE}`, ''])
  })
})

test('stopped, it takes everything back and listens no more', () => {
  const { host, source, take } = running()
  source.stop()
  expect(take()).toEqual(ALL.map((it) => it.replace('+', '-')))
  expect(host.listeners).toBe(0)
})
