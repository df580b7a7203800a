/**
 * Discovery by Docker's API on a real engine: what `docker` makes on one host is what the router and the other
 * host hear of, and no more. One story; the machine is drawn in test/support/docker-fabric.ts.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { callDocker, EngineWire, forEachOf, inBox } from '../support/docker-api.ts'
import type { BoxProcess } from '../support/docker-box.ts'
import {
  HOSTS,
  IMAGE,
  openFabric,
  ROUTED,
  startTor,
  torShows,
  type Fabric,
} from '../support/docker-fabric.ts'
import { RouteWatch } from '../support/route-watch.ts'
import { eventually } from '../support/eventually.ts'
import { until } from '../support/until.ts'

/** How long Docker's doings may take to reach the other host; the machine may be busy. */
const SOON_MS = 10_000
const SESSIONS_MS = 20_000
const NETWORKS = 200
/** `npm run soak` asks for 500. */
const CONTAINERS = Number(process.env['DISCOVERY_CONTAINERS'] ?? 50)
const CONTAINERS_MS = 60_000 + CONTAINERS * 2_000

const DOCKER0 = '10.77.1.0/24'

describe('discovery', () => {
  let fabric: Fabric
  let linnet: BoxProcess
  /** The engine of host 1, as seen from the test. */
  let engine: string

  beforeAll(async () => {
    fabric = await openFabric(ROUTED)
    const { box, hosts } = fabric
    engine = inBox(box, hosts[1].dockerSocket)
    for (const i of HOSTS) {
      await hosts[i].run('ip', 'addr', 'add', `2001:db8:${i}::2/64`, 'dev', 'eth0', 'nodad')
      const tor = ['ip', 'addr', 'add', `2001:db8:${i}::1/64`, 'dev', `eth${i}`, 'nodad']
      await box.run('tor', tor)
    }
    ;[, linnet] = await Promise.all([
      startTor(fabric),
      ...HOSTS.map((i) => hosts[i].startLinnet(`{ docker: { socket: ${hosts[i].dockerSocket} } }`)),
    ])
    await untilLearned([DOCKER0], SESSIONS_MS)
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(fabric.words())
  })
  afterAll(() => fabric?.close())

  /** Waits until host 2 has exactly these prefixes of host 1 in its kernel. */
  async function untilLearned(prefixes: readonly string[], deadlineMs = SOON_MS): Promise<void> {
    const wanted = prefixes.toSorted().join(' ')
    let last = ''
    await until(
      `host 2 has learned ${wanted || 'nothing'}`,
      async () => (last = await learned()) === wanted,
      deadlineMs,
    ).catch((error: Error) => {
      throw new Error(`${error.message}, but ${last}`)
    })
  }

  /** Both families, in order. */
  async function learned(): Promise<string> {
    const { 2: host2 } = fabric.hosts
    const ipv6 = await host2.run('ip', '-6', '-j', 'route', 'show', 'proto', '179')
    const rows = JSON.parse(ipv6 || '[]') as { dst: string }[]
    const ipv4 = (await host2.learned()).map((dst) => (dst.includes('/') ? dst : `${dst}/32`))
    return [...ipv4, ...rows.map(({ dst }) => dst)].toSorted().join(' ')
  }

  /** The routes of host 1 that the router has, within a prefix. */
  const torRoutes = (within: string): Promise<readonly Record<string, unknown>[]> =>
    torShows(fabric, 'routes', '--prefix', within, '--longer', '--peer', 'host1')

  const remarks = (): string[] =>
    linnet.lines
      .filter((it) => it.includes('DockerRemark'))
      .map((it) => (JSON.parse(it) as { text: string }).text)

  test('finds docker0, and takes its address for what the host itself sends', async () => {
    const { hosts } = fabric
    expect(await hosts[1].show('sources')).toMatchObject([
      { prefix: DOCKER0, source: 'docker', network: 'bridge', interface: 'docker0' },
    ])
    expect(await hosts[2].run('ip', 'route', 'show', DOCKER0)).toContain('src 10.77.2.1')
  })

  test('tells the router what labels say, and people what they say wrongly', async () => {
    const { 1: host1 } = fabric.hosts
    const labels = [
      ...['bgp.community=65101:7,65101:1:2,no-export', 'bgp.med=10', 'bgp.weight=5'],
      ...['bgp.containers=perhaps'],
    ].map((it) => `--label=${it}`)
    // no-export keeps it from host 2.
    await host1.docker('network', 'create', ...labels, '--subnet=10.76.0.0/24', 'labelled')
    await until(
      'the router has it',
      async () => (await torRoutes('10.76.0.0/24')).length > 0,
      SOON_MS,
    )
    expect(await torRoutes('10.76.0.0/24')).toMatchObject([
      {
        ...{ prefix: '10.76.0.0/24', med: 10, largeCommunities: ['65101:1:2'] },
        communities: expect.arrayContaining(['65101:7', 'no-export']) as string[],
      },
    ])
    await host1.docker('network', 'rm', 'labelled')
    await until('it has gone', async () => (await torRoutes('10.76.0.0/24')).length === 0, SOON_MS)
    expect(remarks().toSorted()).toEqual([
      'network labelled: the label bgp.containers=perhaps is ignored; write true or false',
      'network labelled: the label bgp.weight means nothing here; there are bgp.advertise, bgp.containers, bgp.community, bgp.med',
    ])
  })

  const KINDS: readonly {
    title: string
    create: readonly string[]
    learned: readonly string[]
    remark?: RegExp
  }[] = [
    {
      title: 'a bridge with a name of its own, and both families',
      create: [
        ...['--subnet=10.76.1.0/24', '--ipv6', '--subnet=2001:db8:76::/64'],
        '--opt=com.docker.network.bridge.name=kind0',
      ],
      learned: ['10.76.1.0/24', '2001:db8:76::/64'],
    },
    {
      title: 'an internal network',
      create: ['--subnet=10.76.2.0/24', '--internal'],
      learned: [],
      remark: /^network kind is not announced: it is internal/,
    },
    {
      title: 'an internal network that is told to',
      create: ['--subnet=10.76.3.0/24', '--internal', '--label=bgp.advertise=true'],
      learned: ['10.76.3.0/24'],
    },
    {
      title: 'a network that is told not to',
      create: ['--subnet=10.76.4.0/24', '--label=bgp.advertise=false'],
      learned: [],
    },
    {
      title: 'macvlan',
      create: ['--driver=macvlan', '--opt=parent=eth0', '--subnet=10.76.5.0/24'],
      learned: [],
      remark: /^network kind is not announced: macvlan puts its containers on the segment of eth0/,
    },
    {
      title: 'macvlan that is told to',
      create: [
        ...['--driver=macvlan', '--opt=parent=eth0', '--subnet=10.76.6.0/24'],
        '--label=bgp.advertise=true',
      ],
      learned: ['10.76.6.0/24'],
    },
    {
      title: 'ipvlan l2',
      create: ['--driver=ipvlan', '--opt=parent=eth0', '--subnet=10.76.7.0/24'],
      learned: [],
      remark: /^network kind is not announced: ipvlan l2 puts/,
    },
    {
      title: 'ipvlan l3, with two subnets',
      create: [
        ...['--driver=ipvlan', '--opt=parent=eth0', '--opt=ipvlan_mode=l3'],
        ...['--subnet=10.76.8.0/24', '--subnet=10.76.9.0/24'],
      ],
      learned: ['10.76.8.0/24', '10.76.9.0/24'],
    },
  ]

  test.each(KINDS)('announces or not: $title', async ({ create, learned: wanted, remark }) => {
    const { 1: host1 } = fabric.hosts
    const before = remarks().length
    await host1.docker('network', 'create', ...create, 'kind')
    // Told later, so when it is there the first one would be as well.
    await host1.docker('network', 'create', '--subnet=10.76.100.0/24', 'later')
    await untilLearned([DOCKER0, '10.76.100.0/24', ...wanted])
    expect(remarks().slice(before)).toEqual(
      remark === undefined ? [] : [expect.stringMatching(remark)],
    )
    await host1.docker('network', 'rm', 'kind', 'later')
    await untilLearned([DOCKER0])
  })

  test('announces a container while it runs and is well', async () => {
    const { 1: host1 } = fabric.hosts
    const NETWORK = '10.76.10.0/24'
    const WEB = '10.76.10.2'
    const label = '--label=bgp.containers=true'
    await host1.docker('network', 'create', `--subnet=${NETWORK}`, label, 'pods')
    const health = ['--health-cmd=test -e /well', '--health-interval=1s', '--health-retries=1']
    await host1.runContainer('web', '--network=pods', ...health)
    await untilLearned([DOCKER0, NETWORK])
    const steps: readonly (readonly [docker: readonly string[], announced: boolean])[] = [
      [['exec', 'web', 'sh', '-c', '>/well'], true],
      [['pause', 'web'], false],
      [['unpause', 'web'], true],
      [['exec', 'web', 'busybox', 'rm', '/well'], false],
      [['exec', 'web', 'sh', '-c', '>/well'], true],
      [['network', 'disconnect', 'pods', 'web'], false],
      [['network', 'connect', `--ip=${WEB}`, 'pods', 'web'], true],
      [['rename', 'web', 'shop'], true],
      [['stop', '--time=0', 'shop'], false],
      [['start', 'shop'], true],
      [['rm', '--force', 'shop'], false],
    ]
    for (const [words, announced] of steps) {
      await host1.docker(...words)
      await untilLearned([DOCKER0, NETWORK, ...(announced ? [`${WEB}/32`] : [])])
    }
    await host1.docker('network', 'rm', 'pods')
    await untilLearned([DOCKER0])
  })

  test('gives one address to several hosts: anycast', async () => {
    const { hosts } = fabric
    const SERVICE = '10.76.20.53'
    for (const i of HOSTS) {
      const labels = ['--label=bgp.advertise=false', '--label=bgp.containers=true']
      await hosts[i].docker('network', 'create', '--subnet=10.76.20.0/24', ...labels, 'anycast')
      await hosts[i].runContainer('dns', '--network=anycast', `--ip=${SERVICE}`)
    }
    const untilShared = (ways: number): Promise<void> =>
      until(
        `the router has ${ways} ways to ${SERVICE}`,
        async () => {
          const rows = await torShows(fabric, 'fib', '--prefix', `${SERVICE}/32`)
          const nextHops = rows.flatMap((row) => row['nextHops'])
          return nextHops.length === ways
        },
        SOON_MS,
      )
    await untilShared(2)
    await hosts[1].docker('pause', 'dns')
    await untilShared(1)
    await hosts[1].docker('unpause', 'dns')
    await untilShared(2)
    for (const i of HOSTS) {
      await hosts[i].docker('rm', '--force', 'dns')
      await hosts[i].docker('network', 'rm', 'anycast')
    }
    await untilShared(0)
  })

  test('withdraws nothing that lives on without dockerd, and what does not at once', async () => {
    const { 1: host1, 2: host2 } = fabric.hosts
    const [NETWORK, KEPT] = ['10.76.30.0/24', '10.76.30.2/32']
    await host1.stopDocker()
    await host1.startDocker({ ...ROUTED, 'live-restore': true })
    const label = '--label=bgp.containers=true'
    await host1.docker('network', 'create', `--subnet=${NETWORK}`, label, 'kept')
    // One that would not listen to SIGTERM, and keep dockerd waiting.
    await host1.runContainer('kept', '--network=kept', '--stop-signal=KILL')
    await untilLearned([DOCKER0, NETWORK, KEPT])
    const watch = await RouteWatch.start(host2, 'route')

    await host1.stopDocker('SIGKILL')
    // That it has hung up is told first; when it is called again, that nobody is there.
    const gone = /^Docker's networks are not followed: (nobody listens on|there is no) /
    const isTold = (all: readonly string[]): boolean => all.length === 1 && gone.test(all[0])
    await eventually('it is told', warnings, isTold, { deadlineMs: SOON_MS })
    const web = await host2.runContainer('web')
    expect(await host2.addressSeenBy('10.76.30.2', 'web')).toBe(web)
    await host1.startDocker()
    await until('Docker answers', async () => (await warnings()).length === 0, SOON_MS)
    await host1.docker('network', 'create', '--subnet=10.76.31.0/24', 'fresh')
    await untilLearned([DOCKER0, NETWORK, KEPT, '10.76.31.0/24'])
    expect(watch.events(NETWORK)).toEqual([])
    expect(watch.events(KEPT.replace('/32', ''))).toEqual([])

    // Without live-restore, containers end with dockerd: before it answers again their ports are gone.
    await host1.stopDocker()
    await host1.startDocker(ROUTED)
    await host1.docker('start', 'kept')
    await untilLearned([DOCKER0, NETWORK, KEPT, '10.76.31.0/24'])
    await host1.stopDocker()
    await untilLearned([DOCKER0, NETWORK, '10.76.31.0/24'])
    expect(watch.events(NETWORK)).toEqual([])
    watch.stop()
    await host1.startDocker()
    await host1.docker('rm', '--force', 'kept')
    await host1.docker('network', 'rm', 'kept', 'fresh')
    await host2.docker('rm', '--force', 'web')
    await untilLearned([DOCKER0])
  })

  /** Of `linnet show status` on host 1. */
  async function warnings(): Promise<string[]> {
    const answer = await fabric.hosts[1].order('show', 'status', '--json')
    const { warnings: all } = JSON.parse(answer) as { warnings: string[] }
    return all.filter((it) => it.includes('Docker'))
  }

  test('makes up for what it did not hear while the wire was cut', async () => {
    const { 1: host1, 2: host2 } = fabric.hosts
    const wire = new EngineWire(inBox(fabric.box, '/run/host1/wire.sock'), engine)
    await wire.open()
    const networks = ['10.76.40.0/24', '10.76.41.0/24'] as const
    for (const [i, subnet] of networks.entries()) {
      await host1.docker('network', 'create', `--subnet=${subnet}`, `old${i}`)
    }
    await host1.runContainer('gone', '--network=old0', '--label=bgp.advertise=true')
    await untilLearned([DOCKER0, ...networks, '10.76.40.2/32'])
    const watch = await RouteWatch.start(host2, 'route')
    await host1.readvertise('{ docker: { socket: /run/host1/wire.sock } }')
    await wire.cut()
    await until('it is told', async () => (await warnings()).length > 0, SOON_MS)
    expect(watch.events('10.76.40')).toEqual([])

    await host1.docker('network', 'rm', 'old1')
    await host1.docker('rm', '--force', 'gone')
    await host1.docker('network', 'create', '--subnet=10.76.42.0/24', 'new')
    await host1.runContainer('fresh', '--network=new', '--label=bgp.advertise=true')
    await untilLearned([DOCKER0, networks[0]]) // what the kernel says, needs nobody to tell
    await wire.open()
    await untilLearned([DOCKER0, networks[0], '10.76.42.0/24', '10.76.42.2/32'], 2 * SOON_MS)
    expect(watch.events(networks[0])).toEqual([])
    watch.stop()
    await host1.readvertise(`{ docker: { socket: ${host1.dockerSocket} } }`)
    await wire.cut()
    await host1.docker('rm', '--force', 'fresh')
    await host1.docker('network', 'rm', 'old0', 'new')
    await untilLearned([DOCKER0])
  })

  test(`follows ${NETWORKS} networks that come and go, and leaves none behind`, async () => {
    const subnets = Array.from({ length: NETWORKS }, (_, i) => `10.76.${i}.0/24`)
    await forEachOf(NETWORKS, (i) =>
      callDocker(engine, 'POST', '/networks/create', {
        Name: `churn${i}`,
        IPAM: { Config: [{ Subnet: subnets[i] }] },
      }),
    )
    await untilLearned([DOCKER0, ...subnets])
    await forEachOf(NETWORKS, (i) => callDocker(engine, 'DELETE', `/networks/churn${i}`))
    await untilLearned([DOCKER0])
    expect(await torRoutes('10.76.0.0/16')).toEqual([])
  })

  test(
    `follows ${CONTAINERS} containers that come and go, and leaves none behind`,
    async () => {
      const { 1: host1 } = fabric.hosts
      const label = '--label=bgp.containers=true'
      await host1.docker('network', 'create', '--subnet=10.76.0.0/16', label, 'many')
      const path = (i: number): string => `/containers/many${i}`
      await forEachOf(CONTAINERS, async (i) => {
        await callDocker(engine, 'POST', `/containers/create?name=many${i}`, {
          ...{ Image: IMAGE, Cmd: ['httpd', '-f'] },
          HostConfig: { NetworkMode: 'many' },
        })
        await callDocker(engine, 'POST', `${path(i)}/start`)
      })
      const learnedNow = async (): Promise<number> => (await fabric.hosts[2].learned()).length
      const all = CONTAINERS + 2
      await until('all are learned', async () => (await learnedNow()) === all, SOON_MS)
      await forEachOf(CONTAINERS, (i) => callDocker(engine, 'DELETE', `${path(i)}?force=1`))
      await untilLearned([DOCKER0, '10.76.0.0/16'])
      await host1.docker('network', 'rm', 'many')
      await untilLearned([DOCKER0])
      expect(await torRoutes('10.76.0.0/16')).toEqual([])
    },
    CONTAINERS_MS,
  )
})
