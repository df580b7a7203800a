/**
 * Two Docker hosts below a top-of-rack router, for tests: each a network namespace of one box, with
 * a dockerd of its own and a linnet that config/docker-host.yaml configures.
 *
 *   host1  10.0.1.2/30 --- 10.0.1.1  tor  10.0.2.1 --- 10.0.2.2/30  host2
 *   docker0 10.77.1.1/24                               docker0 10.77.2.1/24
 *   pool    10.78.1.0/24 in /28                        pool    10.78.2.0/24 in /28
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describeExit } from '../../src/linux/process.ts'
import type { Diagnosis } from '../../src/nat/docker-findings.ts'
import { openDockerBox, type BoxProcess, type DockerBox } from './docker-box.ts'
import { until } from './until.ts'

/** Above test/support, which a bench has built somewhere else. */
const TOP = topAbove(import.meta.dirname)
const EXAMPLE = readFileSync(join(TOP, 'config/docker-host.yaml'), 'utf8')
/** LINNET_MAIN points the tests at another build. */
const PROGRAM = process.env['LINNET_MAIN'] ?? join(TOP, 'dist/main.js')

export const IMAGE = 'linnet-test'
export const HOSTS = [1, 2] as const
export type HostNumber = (typeof HOSTS)[number]

/** What Docker must be told so that it leaves addresses alone; see docs/docker.md. */
export const ROUTED = { iptables: false, 'ip-masq': false, 'userland-proxy': false }

/** The pools of all hosts, for rules that speak of containers anywhere. */
export const CONTAINERS = '10.76.0.0/14'

export interface Fabric {
  readonly box: DockerBox
  readonly hosts: Record<HostNumber, DockerHost>
  /** The last words of all daemons, for a test that failed. */
  words(): string
  /** Ends everything. */
  close(): Promise<void>
}

/** Builds all of it but linnet. `settings` go into the daemon.json of both. */
export async function openFabric(settings: Readonly<Record<string, unknown>>): Promise<Fabric> {
  const box = await openDockerBox()
  try {
    await box.run('', ['sh', '-c', WIRE])
    await box.run('', ['sh', '-c', IMAGE_TAR])
    const [host1, host2] = await Promise.all(HOSTS.map((it) => startHost(box, it, settings)))
    return {
      box,
      hosts: { 1: host1, 2: host2 },
      words: () => lastWords(box),
      close: () => box.close(),
    }
  } catch (error) {
    await box.close()
    throw error
  }
}

const lastWords = ({ started }: DockerBox): string =>
  started
    .filter(({ title }) => !title.includes(': ip '))
    .map(({ title, lines }) => `--- ${title}\n${lines.slice(-25).join('\n')}`)
    .join('\n')

const WIRE = `
  set -e
  for node in tor host1 host2; do ip netns add $node; ip -n $node link set lo up; mkdir /run/$node; done
  for i in 1 2; do
    ip link add eth0 netns host$i type veth peer name eth$i netns tor
    ip -n tor addr add 10.0.$i.1/30 dev eth$i; ip -n tor link set eth$i up
    ip -n host$i addr add 10.0.$i.2/30 dev eth0; ip -n host$i link set eth0 up
    ip -n host$i route add default via 10.0.$i.1
  done
  # As on a machine that has just booted: whoever needs forwarding switches it on.
  for node in tor host1 host2; do nsenter --net=/run/netns/$node sysctl -qw net.ipv4.ip_forward=0; done
`

/** A root filesystem of busybox alone, with a web page that tells whose address it sees. */
const IMAGE_TAR = `
  set -e
  mkdir -p /run/image/bin /run/image/www/cgi-bin && cd /run/image
  cp "$(command -v busybox)" bin/
  for name in sh httpd ping timeout traceroute wget; do ln -s busybox bin/$name; done
  printf '#!/bin/sh\\necho; echo $REMOTE_ADDR\\n' >www/cgi-bin/who && chmod 755 www/cgi-bin/who
  tar -c -f /run/image.tar .
`

async function startHost(
  box: DockerBox,
  number: HostNumber,
  settings: Readonly<Record<string, unknown>>,
): Promise<DockerHost> {
  const host = new DockerHost(box, number)
  await host.startDocker(settings)
  await host.docker('import', '/run/image.tar', IMAGE)
  return host
}

export class DockerHost {
  readonly name: string
  readonly number: HostNumber
  readonly #box: DockerBox
  readonly #folder: string
  #settings: Readonly<Record<string, unknown>> = {}
  #advertise: string | undefined
  #dockerd: BoxProcess | undefined

  constructor(box: DockerBox, number: HostNumber) {
    this.name = `host${number}`
    this.number = number
    this.#box = box
    this.#folder = `/run/${this.name}`
  }

  async startDocker(settings: Readonly<Record<string, unknown>> = this.#settings): Promise<void> {
    this.#settings = settings
    const { number } = this
    const daemon = {
      bip: `10.77.${number}.1/24`,
      'default-address-pools': [{ base: `10.78.${number}.0/24`, size: 28 }],
      ...settings,
    }
    const file = `${this.#folder}/daemon.json`
    await this.run('sh', '-c', 'echo "$1" >"$2"', 'sh', JSON.stringify(daemon), file)
    this.#dockerd = await this.#box.start(this.name, [
      'dockerd',
      `--config-file=${file}`,
      `--host=unix://${this.dockerSocket}`,
      `--data-root=${this.#folder}/data`,
      `--exec-root=${this.#folder}/exec`,
      `--pidfile=${this.#folder}/docker.pid`,
      `--cgroup-parent=${this.#box.cgroup}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
      '--storage-driver=overlay2',
    ])
    const { lines } = this.#dockerd
    await this.#untilUp('dockerd', this.#dockerd, () =>
      lines.some((it) => it.includes('API listen on')),
    )
  }

  async stopDocker(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#dockerd?.kill(signal)
    await this.#dockerd?.exited
  }

  /** `docker WORDS`; what it wrote, without the last newline. */
  async docker(...words: readonly string[]): Promise<string> {
    return (await this.run('docker', `--host=unix://${this.dockerSocket}`, ...words)).trim()
  }

  /** Runs a container that answers by HTTP, and returns its address. */
  async runContainer(name: string, ...options: readonly string[]): Promise<string> {
    const serve = ['httpd', '-f', '-p', '0.0.0.0:80', '-h', '/www']
    await this.docker('run', '--detach', `--name=${name}`, ...options, IMAGE, ...serve)
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
    return this.docker('inspect', `--format=${format}`, name)
  }

  /** A server of the host itself, with the page that tells whose address it sees. */
  serve(address: string): Promise<BoxProcess> {
    return this.start('busybox', 'httpd', '-f', '-p', `${address}:80`, '-h', '/run/image/www')
  }

  /** Which source address the server at `address` sees when our container asks it. */
  async addressSeenBy(address: string, container: string): Promise<string> {
    const url = `http://${address}/cgi-bin/who`
    // Not `wget -T`, with which Debian's static busybox crashes.
    return this.docker('exec', container, 'timeout', '3', 'wget', '-q', '-O', '-', url)
  }

  run(...command: readonly string[]): Promise<string> {
    return this.#box.run(this.name, command)
  }

  /** Starts a process in the host's network. */
  start(...command: readonly string[]): Promise<BoxProcess> {
    return this.#box.start(this.name, command)
  }

  /** Prefixes that linnet has in the kernel. */
  async learned(): Promise<string[]> {
    const output = await this.run('ip', '-j', 'route', 'show', 'proto', '179')
    const rows = JSON.parse(output || '[]') as { dst: string }[]
    return rows.map(({ dst }) => dst).toSorted()
  }

  /** Its engine's socket. */
  get dockerSocket(): string {
    return `${this.#folder}/docker.sock`
  }

  /** Starts linnet from the example, maybe with another `advertise`, and waits for its first word. */
  startLinnet(advertise = this.#advertise): Promise<BoxProcess> {
    this.#advertise = advertise
    return startLinnet(this.#box, this.name, this.#config)
  }

  /** Its linnet reloads the same configuration with `more` lines. */
  async reconfigure(more: string): Promise<void> {
    await writeConfig(this.#box, this.name, `${this.#config}\n${more}\n`)
    await this.order('reload')
  }

  /** Its linnet reloads with another `advertise`. */
  async readvertise(advertise: string): Promise<void> {
    this.#advertise = advertise
    await this.reconfigure('')
  }

  /** `linnet WORDS`. */
  order(...words: readonly string[]): Promise<string> {
    return this.run(process.execPath, PROGRAM, ...words, '--socket', socketOf(this.name))
  }

  /** What `linnet doctor docker` says of this host, whether something is in the way or not. */
  async examine(): Promise<Diagnosis> {
    const socket = `${this.#folder}/docker.sock`
    const words = ['doctor', 'docker', '--pool', CONTAINERS, '--docker-socket', socket, '--json']
    const orNo = ['sh', '-c', '"$@" || [ $? = 1 ]', 'sh']
    return JSON.parse(await this.run(...orNo, process.execPath, PROGRAM, ...words)) as Diagnosis
  }

  /** `linnet show status`: what is not as it should be. */
  async warnings(): Promise<readonly string[]> {
    const rows: unknown = JSON.parse(await this.order('show', 'status', '--json'))
    return [rows].flat().flatMap((row) => (row as { warnings: string[] }).warnings)
  }

  get #config(): string {
    const { number } = this
    const config = EXAMPLE.replace('asn: 65101', `asn: ${65100 + number}`)
    const own = config.replace('10.0.1.1', `10.0.${number}.1`)
    if (this.#advertise === undefined) return own
    return own.replace(/^advertise:\n( .*\n)+/m, `advertise: ${this.#advertise}\n`)
  }

  /** The rows of `linnet show WHAT --json`. */
  async show(what: string): Promise<readonly Record<string, unknown>[]> {
    return JSON.parse(await this.order('show', what, '--json')) as Record<string, unknown>[]
  }

  async #untilUp(what: string, running: BoxProcess, isUp: () => boolean): Promise<void> {
    await until(`${what} of ${this.name} is up`, () => isUp() || running.exit !== undefined, 30_000)
    if (running.exit === undefined) return
    const words = running.lines.slice(-15).join('\n')
    throw new Error(`${what} of ${this.name} ${describeExit(running.exit)}:\n${words}`)
  }
}

const TOR_CONFIG = JSON.stringify({
  asn: 65001,
  peers: HOSTS.map((it) => ({
    name: `host${it}`,
    address: `10.0.${it}.2`,
    asn: 65100 + it,
    import: 'accept',
    export: 'accept',
  })),
})

/** What `linnet show WORDS --json` says on the router. */
export async function torShows(
  { box }: Fabric,
  ...words: readonly string[]
): Promise<readonly Record<string, unknown>[]> {
  const show = [PROGRAM, 'show', ...words, '--json', '--socket', socketOf('tor')]
  const output = await box.run('tor', [process.execPath, ...show])
  return JSON.parse(output) as Record<string, unknown>[]
}

/** The top-of-rack router is a linnet as well, one that passes on what it hears. */
export const startTor = ({ box }: Fabric): Promise<BoxProcess> =>
  startLinnet(box, 'tor', TOR_CONFIG)

async function startLinnet(box: DockerBox, node: string, config: string): Promise<BoxProcess> {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not built: npm run build`)
  const file = await writeConfig(box, node, config)
  const words = [PROGRAM, 'run', '-c', file, '--socket', socketOf(node)]
  const linnet = await box.start(node, [process.execPath, ...words])
  await until(
    `linnet of ${node} is up`,
    () => linnet.exit !== undefined || linnet.lines.some((it) => it.includes('DaemonStarted')),
    30_000,
  )
  if (linnet.exit === undefined) return linnet
  throw new Error(`linnet of ${node} ${describeExit(linnet.exit)}:\n${linnet.lines.join('\n')}`)
}

/** The file that it was written to. */
async function writeConfig(box: DockerBox, node: string, config: string): Promise<string> {
  const file = `/run/${node}/linnet.yaml`
  await box.run(node, ['sh', '-c', 'echo "$1" >"$2"', 'sh', config, file])
  return file
}

const socketOf = (node: string): string => `/run/${node}/linnet.sock`

function topAbove(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : topAbove(join(folder, '..'))
}
