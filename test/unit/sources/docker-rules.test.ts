import { describe, expect, test } from 'vitest'
import type { EngineContainer, EngineNetwork } from '../../../src/sources/docker-engine.ts'
import { dockerOffers, type DockerRules } from '../../../src/sources/docker-rules.ts'
import type { SourcedPrefix } from '../../../src/sources/source.ts'
import { container, network, readCommunity } from '../../support/engine-view.ts'
import { MemoryHost } from '../../support/memory-host.ts'

/** A host as Docker leaves it: each bridge has the first address of its networks. */
const dockerHost = (): MemoryHost =>
  new MemoryHost()
    .link('eth0', { kind: '' })
    .address('eth0', '10.0.1.2/30')
    .link('docker0', { carrier: false })
    .address('docker0', '172.17.0.1/16')
    .link('br-aaaaaaaaaaaa')
    .address('br-aaaaaaaaaaaa', '10.78.1.1/28')
    .address('br-aaaaaaaaaaaa', '2001:db8:78::1/64')
    .address('br-aaaaaaaaaaaa', 'fe80::1/64', { scope: 253 })
    .link('blue0')
    .address('blue0', '10.79.0.1/24')

const docker0 = network('bridge', {
  subnets: ['172.17.0.0/16'],
  options: { 'com.docker.network.bridge.name': 'docker0' },
})
const lan = { driver: 'macvlan', subnets: ['10.0.1.0/30'], options: { parent: 'eth0' } }
const l3 = (mode: string): Partial<EngineNetwork> => ({
  driver: 'ipvlan',
  subnets: ['10.90.0.0/24', '10.91.0.0/24', '2001:db8:90::/64'],
  options: { parent: 'eth0', ipvlan_mode: mode },
})

function offersOf(
  networks: readonly EngineNetwork[],
  containers: readonly EngineContainer[] = [],
  rules: Partial<DockerRules> = {},
  host = dockerHost(),
): { found: string[]; remarks: string[] } {
  const view = {
    networks: new Map(networks.map((it) => [it.id, it])),
    containers: new Map(containers.map((it) => [it.id, it])),
  }
  const all = { networks: 'all', containers: 'labelled', readCommunity, ...rules } as const
  const { found, remarks } = dockerOffers(view, host, all, () => true)
  return {
    found: [...found.values()].map(told),
    remarks: remarks.map(({ level, text }) => `${level}: ${text}`),
  }
}

/** `10.78.1.0/28 br-1 blue`, and what is attached. */
const told = (it: SourcedPrefix): string =>
  [
    it.prefix.text,
    it.interface,
    it.network,
    it.container,
    ...(it.communities ?? []),
    ...(it.largeCommunities ?? []),
    it.med === undefined ? undefined : `med ${it.med}`,
  ]
    .filter((part) => part !== undefined)
    .join(' ')

describe('a network', () => {
  const cases: readonly {
    title: string
    network: EngineNetwork
    rules?: Partial<DockerRules>
    host?: MemoryHost
    found: readonly string[]
    remarks?: readonly string[]
  }[] = [
    {
      title: 'docker0, without a carrier before the first container',
      network: docker0,
      found: ['172.17.0.0/16 docker0 bridge'],
    },
    {
      title: 'a bridge, whose name comes from the id, with both families',
      network: network('blue', { subnets: ['10.78.1.0/28', '2001:db8:78::/64'] }),
      found: ['10.78.1.0/28 br-aaaaaaaaaaaa blue', '2001:db8:78::/64 br-aaaaaaaaaaaa blue'],
    },
    {
      title: 'a bridge with a name of its own',
      network: network('blue', {
        subnets: ['10.79.0.0/24'],
        options: { 'com.docker.network.bridge.name': 'blue0' },
      }),
      found: ['10.79.0.0/24 blue0 blue'],
    },
    {
      title: 'whose bridge the kernel does not have, as with a rootless engine',
      network: network('far', { id: 'b'.repeat(64), subnets: ['10.78.1.16/28'] }),
      found: [],
    },
    {
      title: 'whose bridge is switched off',
      network: docker0,
      host: dockerHost().link('docker0', { up: false }),
      found: [],
    },
    {
      title: 'whose bridge is there with other addresses: it is of another engine',
      network: network('bridge', { ...docker0, subnets: ['172.18.0.0/16'] }),
      found: [],
    },
    {
      title: 'an internal one',
      network: network('inside', { subnets: ['10.78.1.0/28'], internal: true }),
      found: [],
      remarks: [
        'info: network inside is not announced: it is internal, made so that nobody outside reaches it; docker network create --label bgp.advertise=true announces it all the same',
      ],
    },
    {
      title: 'an internal one that is told to',
      network: network('inside', {
        subnets: ['10.78.1.0/28'],
        internal: true,
        labels: { 'bgp.advertise': 'true' },
      }),
      found: ['10.78.1.0/28 br-aaaaaaaaaaaa inside'],
    },
    {
      title: 'one that is told not to',
      network: network('quiet', {
        subnets: ['10.78.1.0/28'],
        labels: { 'bgp.advertise': 'false' },
      }),
      found: [],
    },
    {
      title: 'one without a label where only labelled ones are wanted',
      network: docker0,
      rules: { networks: 'labelled' },
      found: [],
    },
    {
      title: 'one with a label where only labelled ones are wanted',
      network: network('blue', {
        subnets: ['10.78.1.0/28'],
        labels: { 'bgp.advertise': 'true' },
      }),
      rules: { networks: 'labelled' },
      found: ['10.78.1.0/28 br-aaaaaaaaaaaa blue'],
    },
    {
      title: 'attributes by label',
      network: network('blue', {
        subnets: ['10.78.1.0/28'],
        labels: { 'bgp.community': '65101:7, no-export,65101:1:2', 'bgp.med': '10' },
      }),
      found: ['10.78.1.0/28 br-aaaaaaaaaaaa blue 65101:7 no-export 65101:1:2 med 10'],
    },
    {
      title: 'labels that mean nothing are told and ignored',
      network: network('blue', {
        subnets: ['10.78.1.0/28'],
        labels: {
          'bgp.community': '65101:7,65101',
          'bgp.med': '-1',
          'bgp.advertise': 'yes',
          'bgp.localpref': '200',
          'com.example.bgp': 'x',
        },
      }),
      found: ['10.78.1.0/28 br-aaaaaaaaaaaa blue'],
      remarks: [
        'warn: network blue: the label bgp.community=65101:7,65101 is ignored; write 65101:7, or several with commas: 65101:7,no-export,65101:1:2',
        'warn: network blue: the label bgp.med=-1 is ignored; write 0..4294967295',
        'warn: network blue: the label bgp.advertise=yes is ignored; write true or false',
        'warn: network blue: the label bgp.localpref means nothing here; there are bgp.advertise, bgp.containers, bgp.community, bgp.med',
      ],
    },
    {
      title: 'macvlan, with the reason',
      network: network('lan', lan),
      found: [],
      remarks: [
        'info: network lan is not announced: macvlan puts its containers on the segment of eth0, where neighbours reach them without us; docker network create --label bgp.advertise=true announces it all the same',
      ],
    },
    {
      title: 'macvlan by label',
      network: network('lan', { ...lan, labels: { 'bgp.advertise': 'true' } }),
      found: ['10.0.1.0/30 eth0 lan'],
    },
    {
      title: 'ipvlan l2, which is its default',
      network: network('lan', { ...lan, driver: 'ipvlan' }),
      found: [],
      remarks: [
        'info: network lan is not announced: ipvlan l2 puts its containers on the segment of eth0, where neighbours reach them without us; docker network create --label bgp.advertise=true announces it all the same',
      ],
    },
    ...['l3', 'l3s'].map((mode) => ({
      title: `ipvlan ${mode}, all subnets, though the host has no address there`,
      network: network('routed', l3(mode)),
      found: [
        '10.90.0.0/24 eth0 routed',
        '10.91.0.0/24 eth0 routed',
        '2001:db8:90::/64 eth0 routed',
      ],
    })),
    {
      title: 'ipvlan l3 without a parent: a link of its own that leads nowhere',
      network: network('routed', { ...l3('l3'), options: { ipvlan_mode: 'l3' } }),
      found: [],
    },
    {
      title: 'ipvlan l3 whose parent is down',
      network: network('routed', l3('l3')),
      host: dockerHost().link('eth0', { up: false }),
      found: [],
    },
    {
      title: 'link-local subnets, and nonsense',
      network: network('blue', { subnets: ['fe80::/64', '10.78.1.0/28', 'x', '10.78.1.1/28'] }),
      found: ['10.78.1.0/28 br-aaaaaaaaaaaa blue'],
    },
    {
      title: 'a template for others',
      network: network('blue', { subnets: ['10.78.1.0/28'], template: true }),
      found: [],
    },
    {
      title: "the bridge that overlay networks' containers leave by",
      network: network('docker_gwbridge', { subnets: ['10.78.1.0/28'] }),
      found: [],
      remarks: [
        'info: network docker_gwbridge is not announced: it only leads out of overlay networks; docker network create --label bgp.advertise=true announces it all the same',
      ],
    },
    ...['overlay', 'host', 'null', 'weave', 'constructor'].map((driver) => ({
      title: `of the driver ${driver}`,
      network: network('other', {
        driver,
        subnets: ['10.78.1.0/28'],
        labels: { 'bgp.advertise': 'true' },
      }),
      found: [],
    })),
  ]

  test.each(cases)('$title', ({ network: it, rules, host, found, remarks = [] }) => {
    expect(offersOf([it], [], rules, host)).toEqual({ found, remarks })
  })

  test('of two with one subnet the first keeps it', () => {
    const twins = ['one', 'two'].map((name, i) =>
      network(name, { ...l3('l3'), id: `${i}`.repeat(64), subnets: ['10.90.0.0/24'] }),
    )
    expect(offersOf(twins).found).toEqual(['10.90.0.0/24 eth0 one'])
  })
})

describe('a container', () => {
  const blue = network('blue', { subnets: ['10.78.1.0/28'] })
  const labelled = (labels: Readonly<Record<string, string>>): EngineNetwork =>
    network('blue', { ...blue, labels })
  const web = (labels: Readonly<Record<string, string>> = {}): EngineContainer =>
    container('web', { [blue.id]: ['10.78.1.2', '2001:db8:78::2'] }, labels)
  const BLUE = '10.78.1.0/28 br-aaaaaaaaaaaa blue'
  const WEB = ['10.78.1.2/32', '2001:db8:78::2/128'].map((it) => `${it} br-aaaaaaaaaaaa blue web`)

  const cases: readonly {
    title: string
    network: EngineNetwork
    container: EngineContainer
    rules?: Partial<DockerRules>
    found: readonly string[]
    remarks?: readonly string[]
  }[] = [
    { title: 'without a label', network: blue, container: web(), found: [BLUE] },
    {
      title: 'by its own label',
      network: blue,
      container: web({ 'bgp.advertise': 'true' }),
      found: [BLUE, ...WEB],
    },
    {
      title: 'by a label of its network',
      network: labelled({ 'bgp.containers': 'true' }),
      container: web(),
      found: [BLUE, ...WEB],
    },
    {
      title: 'its own label goes before that of its network',
      network: labelled({ 'bgp.containers': 'true' }),
      container: web({ 'bgp.advertise': 'false' }),
      found: [BLUE],
    },
    {
      title: 'all of them',
      network: blue,
      container: web(),
      rules: { containers: true },
      found: [BLUE, ...WEB],
    },
    {
      title: 'all of them but those of one network',
      network: labelled({ 'bgp.containers': 'false' }),
      container: web(),
      rules: { containers: true },
      found: [BLUE],
    },
    {
      title: 'a network that is told not to keeps its containers to itself',
      network: labelled({ 'bgp.advertise': 'false' }),
      container: web(),
      rules: { containers: true },
      found: [],
    },
    {
      title: 'anycast: the containers, but not the network that every host has',
      network: labelled({ 'bgp.advertise': 'false', 'bgp.containers': 'true' }),
      container: web(),
      found: WEB,
    },
    {
      title: 'only containers, no networks',
      network: blue,
      container: web(),
      rules: { networks: 'labelled', containers: true },
      found: WEB,
    },
    {
      title: 'none at all, whatever labels say',
      network: labelled({ 'bgp.containers': 'true' }),
      container: web({ 'bgp.advertise': 'true' }),
      rules: { containers: false },
      found: [BLUE],
    },
    {
      title: 'with the attributes of its network where it has none of its own',
      network: labelled({
        'bgp.containers': 'true',
        'bgp.community': '65101:7',
        'bgp.med': '10',
      }),
      container: web({ 'bgp.med': '20' }),
      found: [`${BLUE} 65101:7 med 10`, ...WEB.map((it) => `${it} 65101:7 med 20`)],
    },
    {
      title: 'on the segment of the uplink, as little as its network',
      network: network('lan', { ...lan, id: blue.id, labels: { 'bgp.community': '65101:7' } }),
      container: web(),
      rules: { networks: 'labelled', containers: true },
      found: [],
    },
    {
      title: 'in a network that is not known, or has no addresses',
      network: blue,
      container: container('web', { other: ['10.99.0.2'], [blue.id]: [] }),
      rules: { containers: true },
      found: [BLUE],
    },
    {
      title: 'a label that belongs to networks',
      network: blue,
      container: web({ 'bgp.containers': 'true' }),
      found: [BLUE],
      remarks: [
        'warn: container web: the label bgp.containers means nothing here; there are bgp.advertise, bgp.community, bgp.med',
      ],
    },
  ]

  test.each(cases)('$title', ({ network: it, container: one, rules, found, remarks = [] }) => {
    expect(offersOf([it], [one], rules)).toEqual({ found, remarks })
  })
})
