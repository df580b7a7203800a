import { describe, expect, test } from 'vitest'
import { CniSource, type CniFile, type CniView } from '../../../src/sources/cni.ts'
import { readCniNetworks } from '../../../src/sources/cni-networks.ts'
import { MemoryHost } from '../../support/memory-host.ts'

const hostLocal = (...subnets: string[]) => ({
  type: 'host-local',
  ranges: subnets.map((subnet) => [{ subnet }]),
})
const bridge = (...subnets: string[]) => ({
  name: 'pods',
  type: 'bridge',
  bridge: 'cni0',
  isGateway: true,
  ipam: hostLocal(...subnets),
})

const FILES: readonly { title: string; file: unknown; networks: readonly string[] }[] = [
  { title: 'a bridge', file: bridge('10.88.0.0/16'), networks: ['pods cni0 10.88.0.0/16'] },
  {
    title: 'both families',
    file: bridge('10.88.0.0/16', 'fd00:88::/64'),
    networks: ['pods cni0 10.88.0.0/16 fd00:88::/64'],
  },
  {
    title: 'the default bridge, and the older way to write a range',
    file: {
      name: 'old',
      type: 'bridge',
      isDefaultGateway: true,
      ipam: { type: 'host-local', subnet: '10.1.0.1/24' },
    },
    networks: ['old cni0 10.1.0.0/24'],
  },
  {
    title: 'a range that leaves addresses out is announced whole',
    file: {
      ...bridge(),
      ipam: {
        type: 'host-local',
        ranges: [[{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.10', rangeEnd: '10.1.0.20' }]],
      },
    },
    networks: ['pods cni0 10.1.0.0/24'],
  },
  {
    title: 'a chain: only the plugin with addresses counts',
    file: {
      cniVersion: '1.0.0',
      name: 'podman',
      plugins: [{ ...bridge('10.88.0.0/16'), bridge: 'cni-podman0' }, { type: 'portmap' }],
    },
    networks: ['podman cni-podman0 10.88.0.0/16'],
  },
  {
    title: 'ptp needs no link',
    file: { ...bridge('10.2.0.0/24'), type: 'ptp' },
    networks: ['pods - 10.2.0.0/24'],
  },
  {
    title: 'ipvlan l3 stands on its master',
    file: { ...bridge('10.3.0.0/24'), type: 'ipvlan', mode: 'l3', master: 'eth1' },
    networks: ['pods eth1 10.3.0.0/24'],
  },
  {
    title: 'ipvlan l2 is the network of others',
    file: { ...bridge('10.3.0.0/24'), type: 'ipvlan', master: 'eth1' },
    networks: [],
  },
  { title: 'so is macvlan', file: { ...bridge('10.3.0.0/24'), type: 'macvlan' }, networks: [] },
  {
    title: 'a bridge on which we have no address',
    file: { ...bridge('192.168.1.0/24'), isGateway: false },
    networks: [],
  },
  {
    title: 'addresses by DHCP',
    file: { ...bridge(), ipam: { type: 'dhcp' } },
    networks: [],
  },
  { title: 'the loopback', file: { name: 'lo', type: 'loopback' }, networks: [] },
  {
    title: 'flannel, which keeps its ranges elsewhere',
    file: { name: 'cbr0', plugins: [{ type: 'flannel', delegate: { isDefaultGateway: true } }] },
    networks: [],
  },
]

describe('a file of the CNI', () => {
  test.each(FILES)('$title', ({ file, networks }) => {
    const found = readCniNetworks(JSON.stringify(file))
    const texts = found.map(({ name, link, prefixes }) =>
      [name, link ?? '-', ...prefixes.map(({ text }) => text)].join(' '),
    )
    expect(texts).toEqual(networks)
  })

  const broken: readonly (readonly [text: string, problem: string])[] = [
    ['', 'it is no JSON'],
    ['{ "name": "x"', 'it is no JSON'],
    ['[]', 'it is no JSON object'],
    ['{}', 'it has no "name"'],
    ['{ "name": "x", "plugins": {} }', '"plugins" is no list'],
    ['{ "name": "x", "plugins": [1] }', 'a plugin is no object'],
    ['{ "name": "x", "ipam": { "type": "host-local", "ranges": 1 } }', '"ranges" is no list'],
    [JSON.stringify(bridge('10.0.0/8')), '"10.0.0/8" is no subnet'],
    ['{ "name": "x", "ipam": { "type": "host-local", "ranges": [[1]] } }', '1 is no subnet'],
  ]
  test.each(broken)('%s', (text, problem) => {
    expect(() => readCniNetworks(text)).toThrow(problem)
  })
})

/** A folder of plain values. */
class MemoryFolder implements CniView {
  files: readonly CniFile[] = []
  listeners = new Set<() => void>()

  read(): readonly CniFile[] {
    return this.files
  }

  watch(listener: () => void): () => void {
    this.listeners.add(listener)
    return () => this.listeners.delete(listener)
  }

  put(...files: readonly CniFile[]): void {
    this.files = files
    for (const listener of this.listeners) listener()
  }
}

function stage(host: MemoryHost) {
  const said: string[] = []
  const folder = new MemoryFolder()
  const source = new CniSource(folder, host, (text) => said.push(text))
  source.start({
    offer: ({ prefix, network, interface: link }) =>
      said.push(`+${prefix.text} ${network} ${link ?? '-'}`),
    retract: (prefix) => said.push(`-${prefix.text}`),
  })
  return { folder, source, take: () => said.splice(0) }
}

const PODS: CniFile = { name: 'net.d/10-pods.conf', text: JSON.stringify(bridge('10.88.0.0/16')) }
const PTP: CniFile = {
  name: 'net.d/20-ptp.conf',
  text: JSON.stringify({ ...bridge('10.2.0.0/24'), name: 'ptp', type: 'ptp' }),
}
const pods = (): MemoryHost => new MemoryHost().link('cni0', { carrier: false })

describe('what is offered', () => {
  test('comes and goes with files', () => {
    const { folder, take } = stage(pods())
    folder.put(PODS, PTP)
    expect(take()).toEqual(['+10.88.0.0/16 pods cni0', '+10.2.0.0/24 ptp -'])
    folder.put(PTP)
    expect(take()).toEqual(['-10.88.0.0/16'])
  })

  test('comes and goes with the bridge', () => {
    const host = new MemoryHost()
    const { folder, take } = stage(host)
    folder.put(PODS)
    expect(take()).toEqual([])
    host.link('cni0').tell()
    expect(take()).toEqual(['+10.88.0.0/16 pods cni0'])
    host.link('cni0', { up: false }).tell()
    expect(take()).toEqual(['-10.88.0.0/16'])
  })

  test('is the first file of two with one range', () => {
    const { folder, take } = stage(pods())
    folder.put(PODS, { ...PTP, text: JSON.stringify({ ...bridge('10.88.0.0/16'), name: 'two' }) })
    expect(take()).toEqual(['+10.88.0.0/16 pods cni0'])
  })

  test('stays while a file is no good, which is told once', () => {
    const { folder, take } = stage(pods())
    folder.put(PODS)
    take()
    const half = { name: PODS.name, text: '{ "name"' }
    folder.put(half)
    folder.put(half)
    expect(take()).toEqual(['net.d/10-pods.conf: it is no JSON'])
    folder.put(PODS)
    folder.put(half)
    expect(take()).toEqual(['net.d/10-pods.conf: it is no JSON'])
    folder.put()
    expect(take()).toEqual(['-10.88.0.0/16'])
  })

  test('goes with the source, which listens no more', () => {
    const host = pods()
    const { folder, source, take } = stage(host)
    folder.put(PODS)
    take()
    source.stop()
    expect(take()).toEqual(['-10.88.0.0/16'])
    expect([host.listeners, folder.listeners.size]).toEqual([0, 0])
  })
})
