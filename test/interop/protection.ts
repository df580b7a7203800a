/** What guards a session: TCP MD5 keys, GTSM, limits of prefixes. Suites of the matrix, and what their rows do. */
import { expect } from 'vitest'
import type { DropCounter } from '../../src/linux/drop-counts.ts'
import { eventually, eventuallyEqual } from '../support/eventually.ts'
import type { Suite } from './cases.ts'
import { expectedAtLinnet, ofFamily, OFFERED, sendable } from './routes.ts'
import { linnetConfig, type Scene, type SceneOptions } from './scene.ts'
import { awaken, bothHaveAll, linnetHas, sessionsUp, weHear } from './steps.ts'

const EXTERNAL: Omit<SceneOptions, 'daemon'> = {
  ...{ linnetAsn: 65001, daemonAsn: 4200000002, feeder: false },
  ...{ linnetHoldTime: 30, daemonHoldTime: 30 },
  ...{ overIpv4: ['ipv4'], overIpv6: ['ipv6'] },
}

const KEY = 'first.key-4/both'
const OTHER_KEY = 'the.next-1'
const KEYED = { password: KEY, ttlSecurity: 1 }

const FEWER = OFFERED.slice(2)

/** Of a family; fewer and more are announced. */
const MOST_OF_IT = 3
const MOST_OF_US = 4

const setOurs = (scene: Scene, ours: Readonly<Record<string, unknown>>): Promise<void> =>
  scene.linnet.reload(linnetConfig({ ...scene.options, ours }))

export const PROTECTION: readonly Suite[] = [
  {
    title: 'TCP MD5 (RFC 2385) and GTSM (RFC 5082)',
    needs: ['tcpMd5', 'ttlSecurity'],
    scene: () => ({
      ...EXTERNAL,
      ours: KEYED,
      theirs: { password: KEY, ttlSecurity: true },
    }),
    cases: [
      {
        title: 'with a key and GTSM on both sides, over IPv4 and IPv6, routes go both ways',
        run: async (scene) => {
          await sessionsUp(scene, 30)
          await weHear(scene)
          await bothHaveAll(scene)
        },
      },
      {
        title:
          'our key changes and changes back: the sessions live, what was said meanwhile arrives',
        run: ourKeyChanges,
      },
      {
        title: 'both keys change, its own first: the sessions are back, or never left',
        needs: ['changesPassword'],
        run: bothKeysChange,
      },
      { title: 'it has another key: `show peer` names that as the cause', run: itHasAnotherKey },
      { title: 'it sends without GTSM: `show peer` names that as the cause', run: itSendsFromAfar },
      {
        title: 'we send without GTSM: it drops that',
        needs: ['dropsLowTtl'],
        run: weSendFromAfar,
      },
    ],
  },
  {
    title: 'limits of prefixes (RFC 4486)',
    scene: () => ({
      ...EXTERNAL,
      ours: { maxPrefixes: { limit: MOST_OF_IT, action: 'block' } },
      theirs: { maxPrefixes: MOST_OF_US },
    }),
    cases: [
      {
        title: 'announces more than `maxPrefixes`, `block`: so many are taken, the session lives',
        run: weBlock,
      },
      {
        title: 'the limit is raised: it is asked for the rest',
        needs: ['answersRefresh'],
        run: weRaiseTheLimit,
      },
      {
        title: '`disconnect`: it shows our Cease 6/1; all is back after `linnet startup`',
        run: weDisconnect,
      },
      {
        title: 'we announce more than its limit: `show peer` tells its Cease 6/1 in words',
        needs: ['limitsPrefixes'],
        run: itDisconnects,
      },
    ],
  },
]

async function ourKeyChanges(scene: Scene): Promise<void> {
  const since = (): Promise<unknown[]> =>
    Promise.all(scene.sessions.map(async ({ name }) => (await scene.linnet.peer(name)).since))
  const before = await since()
  await setOurs(scene, { ...KEYED, password: OTHER_KEY })
  await scene.daemon.originate(sendable(scene.options.daemon, FEWER))
  await dropping(scene, 'linnet', 'TCPMD5Failure')
  await setOurs(scene, KEYED)
  await linnetHas(scene, (family) => expectedAtLinnet({ options: scene.options, family }, FEWER))
  await scene.daemon.originate(sendable(scene.options.daemon, OFFERED))
  await bothHaveAll(scene)
  expect(await since(), 'since when they are up').toEqual(before)
}

async function bothKeysChange(scene: Scene): Promise<void> {
  await scene.daemon.changePassword(OTHER_KEY)
  await setOurs(scene, { ...KEYED, password: OTHER_KEY })
  await awaken(scene)
  await scene.established()
  await scene.daemon.originate(sendable(scene.options.daemon, FEWER))
  await linnetHas(scene, (family) => expectedAtLinnet({ options: scene.options, family }, FEWER))
}

/** Fulfilled when the kernel of a host drops more than it has so far. */
async function dropping(
  scene: Scene,
  host: 'linnet' | 'daemon',
  counter: DropCounter,
): Promise<void> {
  const before = await scene.dropped(host, counter)
  await eventually(
    `${counter} grows at ${host}`,
    () => scene.dropped(host, counter),
    (now) => now > before,
  )
}

async function itHasAnotherKey(scene: Scene): Promise<void> {
  await scene.daemon.kill()
  await setOurs(scene, KEYED)
  await scene.restartDaemon({ password: OTHER_KEY })
  await causeShown(
    scene,
    /signed with another key .*TCPMD5Failure.* the password likely differs from the peer's/,
  )
}

async function itSendsFromAfar(scene: Scene): Promise<void> {
  await scene.daemon.kill()
  await scene.restartDaemon({ ttlSecurity: false })
  await causeShown(scene, /TTL below 255 .*TCPMinTTLDrop.* does not send with TTL 255 \(GTSM\)/)
}

async function causeShown(scene: Scene, cause: RegExp): Promise<void> {
  for (const { name } of scene.sessions) {
    await eventually(
      `the likely cause is shown of ${name}`,
      async () => (await scene.linnet.command('show', 'peer', name)).replaceAll(/\s+/g, ' '),
      (text) => cause.test(text),
    )
    expect(await scene.linnet.isEstablished(name)).toBe(false)
  }
}

async function weSendFromAfar(scene: Scene): Promise<void> {
  await scene.daemon.kill()
  await setOurs(scene, { password: KEY })
  await scene.restartDaemon()
  await dropping(scene, 'daemon', 'TCPMinTTLDrop')
  // We may think so: an OPEN that is there before it knows who calls gets through.
  for (const session of scene.sessions)
    expect(await scene.daemon.session(session), session.name).toMatchObject({ established: false })
}

async function weBlock(scene: Scene): Promise<void> {
  await scene.established()
  const since = async (): Promise<unknown[]> =>
    Promise.all(scene.sessions.map(async ({ name }) => (await scene.linnet.peer(name)).since))
  const before = await since()
  await scene.daemon.originate(sendable(scene.options.daemon, OFFERED))
  for (const { name, families } of scene.sessions) {
    const [family] = families
    const offered = ofFamily(OFFERED, family).length
    await eventually(
      `some of ${family} are left out`,
      async () => (await scene.linnet.peer(name)).perFamily[0],
      ({ received, blocked }) => received === MOST_OF_IT && blocked === offered - MOST_OF_IT,
    )
    expect(await scene.linnet.received(name, family)).toHaveLength(MOST_OF_IT)
  }
  expect(await since(), 'since when they are up').toEqual(before)
}

async function weRaiseTheLimit(scene: Scene): Promise<void> {
  await setOurs(scene, { maxPrefixes: OFFERED.length })
  await linnetHas(scene, (family) => expectedAtLinnet({ options: scene.options, family }))
}

/** BIRD, FRR and ExaBGP; GoBGP; OpenBGPD. */
const SAYS_TOO_MANY = /maximum number of prefixes reached|max-prefix exceeded/i

async function weDisconnect(scene: Scene): Promise<void> {
  await setOurs(scene, { maxPrefixes: { limit: MOST_OF_IT, action: 'disconnect' } })
  await scene.daemon.originate([])
  await scene.daemon.originate(sendable(scene.options.daemon, OFFERED))
  for (const session of scene.sessions) {
    const [family] = session.families
    const peer = await eventually(
      'we end the session',
      () => scene.linnet.peer(session.name),
      ({ state }) => state === 'Idle',
    )
    expect(peer.lastError).toContain(
      `sent Cease/Maximum Number of Prefixes Reached: ${family}, the limit is ${MOST_OF_IT}`,
    )
    await eventually(
      'it shows why',
      () => scene.daemon.session(session),
      ({ complaints }) => SAYS_TOO_MANY.test(complaints),
    )
  }
  const fewer = OFFERED.slice(0, 2 * MOST_OF_IT)
  await scene.daemon.originate(sendable(scene.options.daemon, fewer))
  for (const { name } of scene.sessions) await scene.linnet.command('startup', name)
  await awaken(scene)
  await scene.established()
  await linnetHas(scene, (family) => expectedAtLinnet({ options: scene.options, family }, fewer))
}

async function itDisconnects(scene: Scene): Promise<void> {
  const [session] = scene.sessions
  const prefixes = [...Array(MOST_OF_US + 1).keys()].map((n) => ({ prefix: `10.200.${n}.0/24` }))
  await scene.linnet.reload(linnetConfig(scene.options, { advertise: { prefixes } }))
  const words = 'received Cease/Maximum Number of Prefixes Reached'
  await eventually(
    'show peer tells it',
    () => scene.linnet.command('show', 'peer', session.name),
    (text) => text.includes(words),
  )
  const other = await scene.linnet.peer(scene.sessions[1].name)
  expect(other, 'the other session').toMatchObject({ state: 'Established' })
  await eventuallyEqual(
    'nothing of ours in its table',
    () => scene.daemon.table(session, 'ipv4'),
    [],
  )
}
