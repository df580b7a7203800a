/**
 * Two real Docker hosts below a router: what `docker` does on one of them is what the other can reach.
 *
 * The tests are one story and depend on their order; the machine they run on is drawn in
 * test/support/docker-fabric.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { BoxProcess } from '../support/docker-box.ts'
import { openFabric, ROUTED, startTor, type Fabric } from '../support/docker-fabric.ts'
import { RouteWatch } from '../support/route-watch.ts'
import { until } from '../support/until.ts'

/** How long Docker's doings may take to reach the other host. */
const SOON_MS = 2_000
/** For sessions to come up. */
const SESSIONS_MS = 15_000

const DOCKER0 = { 1: '10.77.1.0/24', 2: '10.77.2.0/24' } as const
/** The first block of host 1's pool, which Docker gives to the first network. */
const NETWORK = '10.78.1.0/28'

describe('two Docker hosts', () => {
  let fabric: Fabric
  let linnet: BoxProcess

  beforeAll(async () => {
    fabric = await openFabric(ROUTED)
    const { hosts } = fabric
    ;[, linnet] = await Promise.all([
      startTor(fabric),
      hosts[1].startLinnet(),
      hosts[2].startLinnet(),
    ])
    await untilLearned(2, [DOCKER0[1]], SESSIONS_MS)
    await untilLearned(1, [DOCKER0[2]], SESSIONS_MS)
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(fabric.words())
  })
  afterAll(() => fabric?.close())

  /** Waits until linnet on this host has exactly these prefixes in the kernel. */
  async function untilLearned(
    host: 1 | 2,
    prefixes: readonly string[],
    deadlineMs = SOON_MS,
  ): Promise<void> {
    const wanted = prefixes.toSorted().join(' ')
    await until(
      `host ${host} has learned ${wanted || 'nothing'}`,
      async () => (await fabric.hosts[host].learned()).join(' ') === wanted,
      deadlineMs,
    )
  }

  test('have nothing in the way of containers, says the doctor', async () => {
    expect(await fabric.hosts[1].examine()).toMatchObject({
      healthy: true,
      rows: [{ network: 'bridge', fromOtherHosts: 'yes', toOtherHosts: 'yes', toOutside: 'yes' }],
    })
  })

  test('know the way to docker0 before any container runs, though the bridge has no carrier', async () => {
    const docker0 = await fabric.hosts[1].run('ip', 'link', 'show', 'docker0')
    expect(docker0).toMatch(/<NO-CARRIER,BROADCAST,MULTICAST,UP>.* state DOWN /)
    expect(await fabric.hosts[2].learned()).toEqual([DOCKER0[1]])
    expect(await fabric.hosts[1].show('sources')).toMatchObject([
      { prefix: DOCKER0[1], source: 'interface', interface: 'docker0', announced: true },
    ])
  })

  test('let containers talk, each seen with its own address', async () => {
    const { hosts } = fabric
    const address1 = await hosts[1].runContainer('web')
    const address2 = await hosts[2].runContainer('web')
    expect([address1, address2]).toEqual(['10.77.1.2', '10.77.2.2'])
    expect(await hosts[1].addressSeenBy(address2, 'web')).toBe(address1)
    expect(await hosts[2].addressSeenBy(address1, 'web')).toBe(address2)
  })

  test('are passed hop by hop, as routers and not as the ends of a tunnel', async () => {
    const trace = ['traceroute', '-n', '-q', '1', '-w', '2', '10.77.2.2']
    const lines = (await fabric.hosts[1].docker('exec', 'web', ...trace)).split('\n').slice(1)
    const hops = lines.map((line) => line.trim().split(/\s+/)[1])
    expect(hops).toHaveLength(4)
    expect(hops[0]).toBe('10.77.1.1') // docker0 of host 1
    expect(hops[1]).toBe('10.0.1.1') // the router
    expect(hops[2]).toMatch(/^(10\.0\.2\.2|10\.77\.2\.1)$/) // host 2, by either of its addresses
    expect(hops[3]).toBe('10.77.2.2')
  })

  test('hear of a network as soon as it is created, and of its end', async () => {
    const { hosts } = fabric
    await hosts[1].docker('network', 'create', 'blue')
    await untilLearned(2, [DOCKER0[1], NETWORK])
    const address = await hosts[1].runContainer('blue', '--network=blue')
    expect(address).toBe('10.78.1.2')
    expect(await hosts[1].addressSeenBy('10.77.2.2', 'blue')).toBe(address)
    expect(await hosts[2].addressSeenBy(address, 'web')).toBe('10.77.2.2')

    await hosts[1].docker('rm', '--force', 'blue')
    await hosts[1].docker('network', 'rm', 'blue')
    await untilLearned(2, [DOCKER0[1]])
  })

  test('keep docker0 announced when its last container goes', async () => {
    const { hosts } = fabric
    const watch = await RouteWatch.start(hosts[2], 'route')
    await hosts[1].docker('rm', '--force', 'web')
    await until('docker0 has lost its carrier', async () =>
      (await hosts[1].run('ip', 'link', 'show', 'docker0')).includes('NO-CARRIER'),
    )
    // What is announced later arrives later, so this would have brought a withdrawal along.
    const later = '10.78.1.240/28'
    await hosts[1].docker('network', 'create', `--subnet=${later}`, 'later')
    await untilLearned(2, [DOCKER0[1], later])
    await hosts[1].docker('network', 'rm', 'later')
    await untilLearned(2, [DOCKER0[1]])
    expect(watch.events(DOCKER0[1])).toEqual([])
    watch.stop()
  })

  test('follow docker0 when it is deleted, and made anew', async () => {
    const { hosts } = fabric
    await hosts[1].stopDocker()
    expect(await hosts[2].learned()).toEqual([DOCKER0[1]]) // the bridge outlives dockerd
    await hosts[1].run('ip', 'link', 'delete', 'docker0')
    await untilLearned(2, [])
    await hosts[1].startDocker()
    await untilLearned(2, [DOCKER0[1]])
    expect(await hosts[1].runContainer('web2')).toBe('10.77.1.2')
    expect(await hosts[1].addressSeenBy('10.77.2.2', 'web2')).toBe('10.77.1.2')
  })

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'stay reachable while linnet is ended by %s and started again: no kernel forgets a route',
    async (signal) => {
      const { hosts } = fabric
      const watches = [
        await RouteWatch.start(hosts[1], 'route'),
        await RouteWatch.start(hosts[2], 'route'),
      ]
      linnet.kill(signal)
      await until('linnet has ended', () => linnet.exit !== undefined, SOON_MS)
      if (signal === 'SIGTERM') expect(linnet.exit).toEqual({ code: 0, signal: undefined })
      expect([await hosts[1].learned(), await hosts[2].learned()]).toEqual([
        [DOCKER0[2]],
        [DOCKER0[1]],
      ])
      linnet = await hosts[1].startLinnet()
      const isUp = async (): Promise<boolean> =>
        (await hosts[1].show('peers'))[0]?.['state'] === 'Established'
      await until('its session is up', isUp, SESSIONS_MS)
      expect(await hosts[1].addressSeenBy('10.77.2.2', 'web2')).toBe('10.77.1.2')
      for (const [i, watch] of watches.entries()) {
        const deleted = watch.events(DOCKER0[i === 0 ? 2 : 1]).filter((it) => it.kind === 'deleted')
        expect(deleted).toEqual([])
        watch.stop()
      }
    },
  )

  test('withdraw with good manners by linnet drain --stop; what it learned stays', async () => {
    const { hosts } = fabric
    await hosts[1].order('drain', '--stop')
    await untilLearned(2, [])
    await until('linnet has ended', () => linnet.exit !== undefined, SESSIONS_MS)
    expect(linnet.exit).toEqual({ code: 0, signal: undefined })
    expect(await hosts[1].learned()).toEqual([DOCKER0[2]])
    linnet = await hosts[1].startLinnet()
    await untilLearned(2, [DOCKER0[1]], SESSIONS_MS)
    expect(await hosts[1].addressSeenBy('10.77.2.2', 'web2')).toBe('10.77.1.2')
  })
})
