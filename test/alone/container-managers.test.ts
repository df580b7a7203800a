/**
 * Container managers other than Docker: bridges of LXD, Incus, Podman by name, networks of the CNI by its
 * files. What is made here by hand, they make.
 */
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { BgpPeer } from '../support/bgp-peer.ts'
import { linnet, Workshop, type Daemon } from '../support/daemon.ts'
import { enterFabric, wire, type Host } from '../support/fabric.ts'
import { until } from '../support/until.ts'

const WITHIN_MS = 1_000
const workshop = new Workshop()
const files = join(workshop.folder, 'net.d')
let host: Host
let daemon: Daemon
let tor: BgpPeer

beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  await wire(host, { link: 'eth0', host: ['10.0.1.1/24'], fabric: ['10.0.1.2/24'] })
  mkdirSync(files)
  daemon = await workshop.daemon(
    host,
    `
asn: 65101
routerId: 10.0.1.1
peers: [{ name: tor, address: 10.0.1.2, asn: 65001, passive: true }]
advertise:
  interfaces: [lxdbr0, incusbr0, "podman*"]
  cni: { directory: ${files} }
`,
  )
  const families = ['ipv4'] as const
  tor = await new BgpPeer({ local: '10.0.1.2', remote: '10.0.1.1', asn: 65001, families }).up()
})
afterAll(async () => {
  tor.close()
  await workshop.close()
})

const heard = (...prefixes: string[]): Promise<void> => {
  const wanted = prefixes.toSorted().join()
  return until(wanted, () => [...tor.heard.keys()].toSorted().join() === wanted, WITHIN_MS)
}

function addBridge(name: string, address: string): void {
  host.ip(`link add ${name} type bridge`)
  host.ip(`addr add ${address} dev ${name}`)
  host.ip(`link set ${name} up`)
}

/** As podman and others write: beside it, and then in its place. */
function write(name: string, text: string): void {
  writeFileSync(join(workshop.folder, name), text)
  renameSync(join(workshop.folder, name), join(files, name))
}

const conflist = (subnet: string): string =>
  JSON.stringify({
    cniVersion: '1.0.0',
    name: 'pods',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        ipam: { type: 'host-local', ranges: [[{ subnet }]] },
      },
      { type: 'portmap' },
    ],
  })

test.each([
  ['lxdbr0', '10.130.7.1/24', '10.130.7.0/24'],
  ['incusbr0', '10.131.7.1/24', '10.131.7.0/24'],
  ['podman1', '10.89.0.1/24', '10.89.0.0/24'],
])('the bridge %s is announced while it is there', async (name, address, prefix) => {
  addBridge(name, address)
  await heard(prefix)
  host.ip(`link del ${name}`)
  await heard()
})

test('a range of the CNI is announced while its file and its bridge are there', async () => {
  write('10-pods.conflist', conflist('10.88.0.0/24'))
  addBridge('cni0', '10.88.0.1/24')
  await heard('10.88.0.0/24')
  const shown = await linnet(host, ['show', 'sources', '--socket', daemon.socket])
  expect(shown.stdout).toMatch(/10\.88\.0\.0\/24 +cni +pods on cni0|10\.88\.0\.0\/24 +cni +cni0/)
  write('10-pods.conflist', conflist('10.88.1.0/24'))
  await heard('10.88.1.0/24')
  host.ip('link del cni0')
  await heard()
  addBridge('cni0', '10.88.1.1/24')
  await heard('10.88.1.0/24')
  rmSync(join(files, '10-pods.conflist'))
  await heard()
})

test('a file that is none is told by its name', async () => {
  write('20-broken.conf', '{ "name": "half"')
  const { level, text } = await daemon.logged('CniFileUnread')
  expect(level).toBe('warn')
  expect(text).toContain('20-broken.conf: it is no JSON')
})
