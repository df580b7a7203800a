/**
 * ADD-PATH with each daemon (RFC 7911): a suite of the matrix, and what its rows do.
 *
 * The feeder announces two paths of a prefix to linnet and to the daemon, and both of these have one of their
 * own: each of the two has three to tell the other.
 */
import { expect } from 'vitest'
import { route } from '../support/daemons/route.ts'
import { eventuallyEqual } from '../support/eventually.ts'
import type { Suite } from './cases.ts'
import { FEEDER_ASN, linnetConfig, type Scene } from './scene.ts'
import { awaken } from './steps.ts'

const PREFIX = '10.205.1.0/24'
const LINNET_ASN = 65001
const DAEMON_ASN = 65002

const FED = ['65021', '65022 65022'].map((asPath) => route({ prefix: PREFIX, asPath }))
const fedPaths = (asn: number, fed = FED): string[] =>
  fed.map(({ asPath }) => `${asn} ${FEEDER_ASN} ${asPath}`)

export const SEVERAL_PATHS: Suite = {
  title: 'several paths of a prefix (ADD-PATH, RFC 7911)',
  scene: () => ({
    ...{ linnetAsn: LINNET_ASN, daemonAsn: DAEMON_ASN, feeder: true, addPath: true },
    ...{ linnetHoldTime: 90, daemonHoldTime: 90, overIpv4: ['ipv4'], overIpv6: [] },
  }),
  cases: [
    { title: 'both offer it, both ways', run: offered },
    {
      title: 'has all of our paths (`send: all`), our own and those of the feeder, ExaBGP',
      run: async (scene) => {
        await announce(scene, 'all')
        await scene.feeder?.originate(FED)
        await daemonHas(scene, [String(LINNET_ASN), ...fedPaths(LINNET_ASN)])
      },
    },
    {
      title: 'we have all of its paths, its own and what it passes on; each has an identifier',
      needs: ['passesOn'],
      run: async (scene) => {
        await scene.daemon.originate([route({ prefix: PREFIX })])
        await linnetHas(scene, [String(DAEMON_ASN), ...fedPaths(DAEMON_ASN)])
        const rows = await scene.linnet.received(scene.sessions[0].name, 'ipv4')
        const ids = new Set(rows.map(({ pathId }) => pathId))
        expect(ids.size).toBe(3)
        expect(ids).not.toContain(null)
      },
    },
    {
      title: 'a path that it withdraws goes alone',
      needs: ['passesOn'],
      run: async (scene) => {
        await scene.daemon.originate([])
        await linnetHas(scene, fedPaths(DAEMON_ASN))
      },
    },
    {
      title: 'a path that we withdraw goes alone, and comes back',
      run: async (scene) => {
        const [, kept] = FED
        await scene.feeder?.originate([kept])
        await daemonHas(scene, [String(LINNET_ASN), ...fedPaths(LINNET_ASN, [kept])])
        await scene.feeder?.originate(FED)
        await daemonHas(scene, [String(LINNET_ASN), ...fedPaths(LINNET_ASN)])
      },
    },
    {
      title: '`send: 2`: it has the two best',
      run: async (scene) => {
        await announce(scene, 2)
        await daemonHas(scene, [String(LINNET_ASN), ...fedPaths(LINNET_ASN, FED.slice(0, 1))])
      },
    },
  ],
}

async function offered(scene: Scene): Promise<void> {
  await scene.established()
  const { perFamily, capabilities } = await scene.linnet.peer(scene.sessions[0].name)
  expect(perFamily).toMatchObject([{ addPathReceive: true, addPathSend: 'all' }])
  expect(capabilities).toEqual(
    expect.arrayContaining(['add-path ipv4 receive', 'add-path ipv4 send']),
  )
}

async function announce(scene: Scene, send: 'all' | number): Promise<void> {
  await scene.linnet.reload(
    linnetConfig(
      { ...scene.options, ours: { addPath: { receive: true, send } } },
      { advertise: { prefixes: [PREFIX] } },
    ),
  )
  await awaken(scene)
  await scene.established()
}

/** AS paths of what linnet has told the daemon of the prefix. */
async function daemonHas(scene: Scene, paths: readonly string[]): Promise<void> {
  await eventuallyEqual(
    "our paths in the daemon's table",
    async () =>
      (await scene.daemon.table(scene.sessions[0], 'ipv4')).map(({ asPath }) => asPath).toSorted(),
    paths.toSorted(),
  )
}

async function linnetHas(scene: Scene, paths: readonly string[]): Promise<void> {
  await eventuallyEqual(
    'its paths in our table',
    async () =>
      (await scene.linnet.received(scene.sessions[0].name, 'ipv4'))
        .map(({ asPath }) => asPath)
        .toSorted(),
    paths.toSorted(),
  )
}
