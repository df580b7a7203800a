/**
 * Discovery on real Docker engines: two hosts below a router, each with its own dockerd, in a box that goes with
 * the process. Needs root, docker.io and busybox-static:
 *
 *   npm run bench:docker -- [--containers 500] [--samples 20] [--idle 120]
 *
 *   network   `docker network create` until the route is in the kernel of the other host
 *   run       `docker run` until the other host's ping is answered, with a /32 for the container (its network is
 *             not announced), and in a network that was announced before
 *   many      containers started as fast as the engine does: from the last start until all /32 are in the other
 *             host's kernel
 *   idle      CPU time of linnet, and of dockerd with and without linnet beside it, while they run
 *
 * Times are from the start of the command `docker` (30 ms of them) to what the other host's kernel says.
 */
import { parseArgs } from 'node:util'
import { callDocker, forEachOf, inBox } from '../test/support/docker-api.ts'
import type { BoxProcess } from '../test/support/docker-box.ts'
import { HOSTS, IMAGE, openFabric, ROUTED, startTor } from '../test/support/docker-fabric.ts'
import { RouteWatch } from '../test/support/route-watch.ts'
import { until } from '../test/support/until.ts'
import { cpuSeconds } from './ground.ts'

const { values } = parseArgs({
  options: {
    containers: { type: 'string', default: '500' },
    samples: { type: 'string', default: '20' },
    idle: { type: 'string', default: '120' },
  },
})
const CONTAINERS = Number(values.containers)
const SAMPLES = Number(values.samples)
const IDLE_SECONDS = Number(values.idle)
const SOON_MS = 30_000
/** Between pings, in seconds. */
const PING_EVERY = '0.005'

/** Each container by itself. */
const PODS = '--label=bgp.containers=true'

const fabric = await openFabric(ROUTED)
try {
  const { 1: host1, 2: host2 } = fabric.hosts
  const [, linnet] = await Promise.all([
    startTor(fabric),
    ...HOSTS.map((i) =>
      fabric.hosts[i].startLinnet(`{ docker: { socket: ${fabric.hosts[i].dockerSocket} } }`),
    ),
  ])
  await until('host 2 knows host 1', async () => (await host2.learned()).length === 1, SOON_MS)
  await measureNetworks()
  await measureRuns('run, /32', '10.76.0.0/24', ['--label=bgp.advertise=false', PODS])
  await measureRuns('run, network', '10.76.1.0/24', [])
  await measureMany(linnet)

  /** `docker network create` -> route. */
  async function measureNetworks(): Promise<void> {
    const routes = await RouteWatch.start(host2, 'route')
    const samples: number[] = []
    for (let i = 0; i < SAMPLES; i++) {
      const subnet = `10.79.${i}.0/24`
      const startedAt = performance.timeOrigin + performance.now()
      await host1.docker('network', 'create', `--subnet=${subnet}`, `net${i}`)
      await until(`${subnet} is there`, () => routes.events(subnet).length > 0, SOON_MS)
      samples.push((routes.events(subnet)[0]?.atMs ?? NaN) - startedAt)
    }
    routes.stop()
    say('network', samples)
  }

  /** `docker run` -> answer to a ping. */
  async function measureRuns(
    title: string,
    subnet: string,
    labels: readonly string[],
  ): Promise<void> {
    await host1.docker('network', 'create', `--subnet=${subnet}`, ...labels, 'runs')
    const samples: number[] = []
    for (let i = 0; i < SAMPLES; i++) {
      const address = subnet.replace('.0/24', `.${10 + i}`)
      const ping = await host2.start('busybox', 'ping', '-i', PING_EVERY, address)
      const startedAt = performance.now()
      const options = ['--detach', `--name=run${i}`, '--network=runs', `--ip=${address}`]
      const run = host1.docker('run', ...options, IMAGE, 'httpd', '-f')
      await until(`${address} answers`, () => ping.lines.some((it) => it.includes('ttl=')), SOON_MS)
      samples.push(performance.now() - startedAt)
      ping.kill('SIGKILL')
      await run
    }
    say(title, samples)
    for (let i = 0; i < SAMPLES; i++) await host1.docker('rm', '--force', `run${i}`)
    await host1.docker('network', 'rm', 'runs')
  }

  async function measureMany(daemon: BoxProcess): Promise<void> {
    const engine = inBox(fabric.box, host1.dockerSocket)
    await host1.docker('network', 'create', '--subnet=10.76.0.0/16', PODS, 'many')
    const before = cpuSeconds(daemon.pid)
    const startedAt = performance.now()
    await forEachOf(CONTAINERS, async (i) => {
      await callDocker(engine, 'POST', `/containers/create?name=many${i}`, {
        ...{ Image: IMAGE, Cmd: ['httpd', '-f'] },
        HostConfig: { NetworkMode: 'many' },
      })
      await callDocker(engine, 'POST', `/containers/many${i}/start`)
    })
    const lastAt = performance.now()
    const hostRoutes = async (): Promise<number> =>
      (await host2.learned()).filter((it) => !it.includes('/')).length
    await until('all are there', async () => (await hostRoutes()) === CONTAINERS, SOON_MS)
    const allAt = performance.now()
    const took = ((lastAt - startedAt) / 1000).toFixed(1)
    const after = (allAt - lastAt).toFixed(0)
    const cpu = (cpuSeconds(daemon.pid) - before).toFixed(2)
    console.log(
      `many      ${CONTAINERS} containers in ${took} s; all /32 at the other host ${after} ms after the last; linnet took ${cpu} s of CPU`,
    )
    await measureIdle(daemon)
  }

  async function measureIdle(daemon: BoxProcess): Promise<void> {
    const dockerd = fabric.box.started.find(({ title }) => title.startsWith('host1: dockerd'))
    if (dockerd === undefined) throw new Error('no dockerd')
    await pause(10)
    const before = [cpuSeconds(daemon.pid), cpuSeconds(dockerd.pid)] as const
    await pause(IDLE_SECONDS)
    const own = cpuSeconds(daemon.pid) - before[0]
    const beside = cpuSeconds(dockerd.pid) - before[1]
    daemon.kill('SIGTERM')
    await daemon.exited
    const alone = cpuSeconds(dockerd.pid)
    await pause(IDLE_SECONDS)
    const share = (seconds: number): string => `${((100 * seconds) / IDLE_SECONDS).toFixed(2)} %`
    console.log(
      `idle      ${CONTAINERS} containers for ${IDLE_SECONDS} s: linnet ${share(own)} of a core, dockerd ${share(beside)}, without linnet ${share(cpuSeconds(dockerd.pid) - alone)}`,
    )
  }
} finally {
  await fabric.close()
}

function say(title: string, samples: readonly number[]): void {
  const sorted = samples.toSorted((a, b) => a - b)
  const median = (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2
  const [least, most] = [sorted[0], sorted.at(-1) ?? NaN]
  console.log(
    `${title.padEnd(12)} median ${median.toFixed(0)} ms, ${least.toFixed(0)} to ${most.toFixed(0)}, of ${samples.length}`,
  )
}

function pause(seconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 1000 * seconds)
  })
}
