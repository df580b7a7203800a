/** What the rows of the matrix do: one function a row, from a scene in order to a scene in order. */
import { expect } from 'vitest'
import type { Family } from '../../src/net/family.ts'
import type { Neighbor } from '../support/daemons/daemon.ts'
import type { Linnet } from '../support/daemons/linnet.ts'
import type { Route } from '../support/daemons/route.ts'
import { eventually, eventuallyEqual } from '../support/eventually.ts'
import { expectedAtDaemon, expectedAtLinnet, FED, ofFamily, OFFERED, sendable } from './routes.ts'
import { linnetConfig, OWN_PREFIXES, SHORT_HOLD, type Scene } from './scene.ts'

export async function sessionsUp(scene: Scene, holdTime: number): Promise<void> {
  await scene.established()
  for (const session of scene.sessions) {
    const ours = await scene.linnet.peer(session.name)
    expect(ours).toMatchObject({
      holdTime,
      families: session.families,
      asn: scene.options.daemonAsn,
    })
    const theirs = await scene.daemon.session(session)
    expect(theirs.holdTimeSeconds ?? holdTime, 'hold time that the daemon shows').toBe(holdTime)
  }
}

export async function hearsUs(scene: Scene, fed: readonly Route[] = FED): Promise<void> {
  await scene.feeder?.originate(fed)
  await daemonHas(scene, (family) => expectedAtDaemon({ options: scene.options, family }, fed))
}

export async function weHear(scene: Scene, sent: readonly Route[] = OFFERED): Promise<void> {
  await scene.daemon.originate(sendable(scene.options.daemon, sent))
  await linnetHas(scene, (family) => expectedAtLinnet({ options: scene.options, family }, sent))
  for (const { name, families } of scene.sessions) {
    for (const family of families) {
      await eventually(
        `${family} routes in the kernel`,
        () => scene.linnet.received(name, family),
        (rows) => rows.every(({ best, installed }) => best && installed),
      )
    }
  }
}

export async function shownByCommand(linnet: Linnet, { name, families }: Neighbor): Promise<void> {
  const [family] = families
  const filters = ['--received', '--peer', name, '--family', family]
  const text = await linnet.command('show', 'routes', '--json', ...filters)
  expect(JSON.parse(text)).toEqual(await linnet.received(name, family))
}

export async function withdrawnByUs(scene: Scene): Promise<void> {
  const { options } = scene
  const first = (family: Family): Route => ofFamily(FED, family)[0]
  const gone = new Set([
    ...(['ipv4', 'ipv6'] as const).map((family) => first(family).prefix),
    OWN_PREFIXES[0].prefix,
    '10.77.1.0/24',
  ])
  await scene.feeder?.originate(FED.filter(({ prefix }) => !gone.has(prefix)))
  await scene.ipOfLinnet('address del 10.77.1.1/24 dev br0')
  const prefixes = OWN_PREFIXES.slice(1)
  await scene.linnet.reload(linnetConfig(options, { advertise: { interfaces: ['br0'], prefixes } }))
  await daemonHas(scene, (family) =>
    expectedAtDaemon({ options, family }).filter(({ prefix }) => !gone.has(prefix)),
  )
  await scene.feeder?.originate(FED)
  await scene.ipOfLinnet('address add 10.77.1.1/24 dev br0')
  await scene.linnet.reload(linnetConfig(options))
  await daemonHas(scene, (family) => expectedAtDaemon({ options, family }))
}

export async function withdrawnByIt(scene: Scene): Promise<void> {
  const { options } = scene
  const kept = OFFERED.slice(2)
  await scene.daemon.originate(sendable(options.daemon, kept))
  await linnetHas(scene, (family) => expectedAtLinnet({ options, family }, kept))
  await scene.daemon.originate(sendable(options.daemon, OFFERED))
  await linnetHas(scene, (family) => expectedAtLinnet({ options, family }))
}

export async function refreshIn(scene: Scene): Promise<void> {
  for (const session of scene.sessions) {
    const before = await scene.linnet.peer(session.name)
    await scene.linnet.command('refresh', session.name, '--in')
    const after = await eventually(
      'it sends its routes again',
      () => scene.linnet.peer(session.name),
      ({ messagesReceived }) => messagesReceived.update > before.messagesReceived.update,
    )
    expect(after.messagesSent.routeRefresh).toBe(before.messagesSent.routeRefresh + 1)
    expect(after).toMatchObject({ state: 'Established', since: before.since })
  }
  await linnetHas(scene, (family) => expectedAtLinnet({ options: scene.options, family }))
}

export async function refreshOut(scene: Scene): Promise<void> {
  for (const session of scene.sessions) {
    const before = await scene.linnet.peer(session.name)
    await scene.daemon.refresh(session, session.families[0])
    const after = await eventually(
      'we are asked and send our routes again',
      () => scene.linnet.peer(session.name),
      ({ messagesReceived, messagesSent }) =>
        messagesReceived.routeRefresh > before.messagesReceived.routeRefresh &&
        messagesSent.update > before.messagesSent.update,
    )
    expect(after).toMatchObject({ state: 'Established', since: before.since })
  }
  await daemonHas(scene, (family) => expectedAtDaemon({ options: scene.options, family }))
}

export async function reset(scene: Scene): Promise<void> {
  const flaps = await sumOfFlaps(scene)
  for (const { name } of scene.sessions) await scene.linnet.command('reset', name)
  await awaken(scene)
  await scene.established()
  expect(await sumOfFlaps(scene)).toBe(flaps + scene.sessions.length)
  await bothHaveAll(scene)
}

export async function weShutDown(scene: Scene): Promise<void> {
  const [session] = scene.sessions
  const reason = 'rack 7 moves, back at noon'
  await scene.linnet.command('shutdown', session.name, '--message', reason)
  await sessionGone(scene, session)
  await daemonHasNothing(scene, session)
  await eventually(
    'it shows our reason',
    () => scene.daemon.session(session),
    ({ complaints }) => complaints.includes(reason),
  )
  await scene.linnet.command('startup', session.name)
  await awaken(scene)
  await scene.established()
  await bothHaveAll(scene)
}

export async function itShutsDown(scene: Scene): Promise<void> {
  const [session] = scene.sessions
  const reason = 'new line card, 20 minutes'
  await scene.daemon.shutdown(session, reason)
  const peer = await eventually(
    'the session is gone',
    () => scene.linnet.peer(session.name),
    ({ state }) => state !== 'Established',
  )
  expect(peer.lastError ?? '').toContain(`Administrative Shutdown: "${reason}"`)
  expect(await scene.linnet.receivedRoutes(session.name, session.families[0])).toEqual([])
  await scene.daemon.startup(session)
  await scene.established()
  await bothHaveAll(scene)
}

export async function itRestarts(scene: Scene): Promise<void> {
  const offer = (): Promise<void> => scene.daemon.originate(sendable(scene.options.daemon, OFFERED))
  await offer()
  await scene.established()
  await bothHaveAll(scene)
  await scene.daemon.kill()
  for (const session of scene.sessions) {
    await eventually(
      'we notice',
      () => scene.linnet.peer(session.name),
      ({ state }) => state !== 'Established',
    )
    expect(await scene.linnet.receivedRoutes(session.name, session.families[0])).toEqual([])
  }
  await scene.restartDaemon()
  await offer()
  await scene.established()
  await bothHaveAll(scene)
}

export async function itFreezes(scene: Scene): Promise<void> {
  const [session] = scene.sessions
  scene.daemon.freeze()
  try {
    const peer = await eventually(
      'our hold timer ends the session',
      () => scene.linnet.peer(session.name),
      ({ state }) => state !== 'Established',
      { deadlineMs: 3000 * SHORT_HOLD },
    )
    expect(peer.lastError ?? '').toContain('Hold Timer Expired')
    expect(await scene.linnet.receivedRoutes(session.name, session.families[0])).toEqual([])
  } finally {
    scene.daemon.thaw()
  }
  await awaken(scene)
  await scene.established()
  await bothHaveAll(scene)
}

export async function weFreeze(scene: Scene): Promise<void> {
  scene.linnet.freeze()
  try {
    for (const session of scene.sessions) await sessionGone(scene, session)
    for (const session of scene.sessions) await daemonHasNothing(scene, session)
  } finally {
    scene.linnet.thaw()
  }
  await awaken(scene)
  await scene.established()
  await bothHaveAll(scene)
}

export async function weRestart(scene: Scene): Promise<void> {
  expect(await scene.linnet.stop(), 'exit code').toBe(0)
  for (const session of scene.sessions) await daemonHasNothing(scene, session)
  await scene.linnet.run(linnetConfig(scene.options))
  await awaken(scene)
  await scene.established()
  await bothHaveAll(scene)
}

/** BIRD and ExaBGP; FRR; OpenBGPD; GoBGP. */
const SAYS_BAD_PEER_AS = /bad peer as|AS unacceptable|Code=2 .*Subcode=2/i

export async function wrongAsn(scene: Scene): Promise<void> {
  const [session] = scene.sessions
  const { options } = scene
  await scene.linnet.reload(linnetConfig({ ...options, daemonAsn: 65009 }))
  const { lastError } = await eventually(
    'we refuse its AS',
    () => scene.linnet.peer(session.name),
    (peer) => peer.lastError?.includes('Bad Peer AS') === true,
    { deadlineMs: 40_000 },
  )
  expect(lastError ?? '').toContain(String(options.daemonAsn))
  expect(lastError ?? '').toContain('65009')
  if (options.daemon.cannot.showsBadPeerAs !== undefined) return
  await eventually(
    'it shows that we refused',
    () => scene.daemon.session(session),
    ({ complaints }) => SAYS_BAD_PEER_AS.test(complaints),
  )
}

// --- what the rows are made of

async function daemonHas(scene: Scene, expected: (family: Family) => Route[]): Promise<void> {
  for (const family of scene.families) {
    const session = scene.carrier(family)
    if (session === undefined) continue
    await eventuallyEqual(
      `${family} routes in the daemon's table`,
      () => scene.daemon.table(session, family),
      expected(family),
    )
  }
}

export async function linnetHas(
  scene: Scene,
  expected: (family: Family) => Route[],
): Promise<void> {
  for (const family of scene.families) {
    const session = scene.carrier(family)
    if (session === undefined) continue
    const wanted = expected(family)
    expect(wanted.length).toBeGreaterThan(0)
    await eventuallyEqual(
      `${family} routes in our table`,
      () => scene.linnet.receivedRoutes(session.name, family),
      wanted,
    )
  }
}

export async function bothHaveAll(scene: Scene): Promise<void> {
  const { options } = scene
  const fed = options.feeder ? FED : []
  await daemonHas(scene, (family) => expectedAtDaemon({ options, family }, fed))
  await linnetHas(scene, (family) => expectedAtLinnet({ options, family }))
}

async function sessionGone(scene: Scene, session: Neighbor): Promise<void> {
  await eventually(
    `the daemon sees ${session.name} down`,
    () => scene.daemon.session(session),
    ({ established }) => !established,
  )
}

async function daemonHasNothing(scene: Scene, session: Neighbor): Promise<void> {
  for (const family of session.families) {
    await eventuallyEqual(
      `no ${family} routes in the daemon's table`,
      () => scene.daemon.table(session, family),
      [],
    )
  }
}

/** Starts the sessions of a daemon that would wait for longer than a test does. */
export async function awaken(scene: Scene): Promise<void> {
  if (scene.options.daemon.cannot.comesBack === undefined) return
  for (const session of scene.sessions) await scene.daemon.startup(session)
}

async function sumOfFlaps(scene: Scene): Promise<number> {
  const peers = await Promise.all(scene.sessions.map(({ name }) => scene.linnet.peer(name)))
  return peers.reduce((sum, { flaps }) => sum + flaps, 0)
}
