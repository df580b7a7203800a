/**
 * `linnet run`: from a configuration file to a running daemon, and back.
 *
 * The order of starting is the order of needs: the monitor knows our addresses, which the configuration
 * is checked against; the kernel's routes are adopted before peers can change them; the operator's socket
 * opens last, so what answers is ready to. Every failure is one line with a remedy and an exit code.
 */
import { formatComplaint, isError } from '../config/complaint.ts'
import type { Config } from '../config/config.ts'
import { loadConfig, type Environment } from '../config/load.ts'
import { startControlServer } from '../control/server.ts'
import { CannotListen, refused } from '../control/socket.ts'
import { rssBytes } from '../control/vital-signs.ts'
import { version } from '../control/version.ts'
import { cniDirectory } from '../linux/cni-directory.ts'
import { connectDocker } from '../linux/docker-engine.ts'
import { readDropCounts } from '../linux/drop-counts.ts'
import { claimKernel } from '../linux/kernel-claim.ts'
import { LockedError, takeLock, type Lock } from '../linux/lock.ts'
import { readMemoryRooms } from '../linux/memory.ts'
import { netlinkProcesses } from '../linux/netlink-author.ts'
import { openMonitor, type Monitor } from '../linux/monitor.ts'
import { KernelNextHopResolver } from '../linux/next-hop-resolver.ts'
import { serviceManager } from '../linux/notify.ts'
import {
  explainMissing,
  missingCapabilities,
  readPrivileges,
  type Capability,
} from '../linux/privileges.ts'
import { routerDiscovery } from '../linux/router-advertisement.ts'
import { trimMemory } from '../linux/sys.ts'
import { ListenError } from '../linux/tcp-listener.ts'
import { checkForwarding, readSysctl, type ForwardingProblem } from '../linux/sysctl.ts'
import { tcpTransport } from '../linux/tcp.ts'
import type { Address } from '../net/address.ts'
import { answers } from './answers.ts'
import { bfdThread } from './bfd-thread.ts'
import { systemClock } from './clock.ts'
import { DockerDiscovery } from './docker-discovery.ts'
import { Events } from './events.ts'
import type { KernelAccess } from './forwarding.ts'
import { anyIpv4 } from './host-addresses.ts'
import { withdraw } from './leaving.ts'
import { logEvents } from './log.ts'
import { Nat } from './nat.ts'
import { orders } from './orders.ts'
import type { DockerLinks } from './preferred-source.ts'
import { watchForRivals } from './rivals.ts'
import { Speaker } from './speaker.ts'
import { hostFacts } from './this-host.ts'
import { letGo } from './let-go.ts'
import { heapRoom, watchMemory } from './memory-watch.ts'
import { Pulse } from './pulse.ts'

export interface DaemonRun {
  readonly configPath: string
  /** Instead of `api.socket`. */
  readonly socket?: string
}

const OK = 0
const FAILED = 1
const BAD_CONFIG = 2

/** The daemon could not start: one line for people. */
class StartError extends Error {
  readonly exitCode: number
  constructor(text: string, exitCode: number) {
    super(text)
    this.name = 'StartError'
    this.exitCode = exitCode
  }
}

/** What is wrong with the configuration, as `linnet check` writes it: each line begins with its place. */
class BadConfig extends Error {}

/** Runs until SIGTERM or SIGINT; resolves to the exit code. */
export async function runDaemon(run: DaemonRun): Promise<number> {
  try {
    return await live(run)
  } catch (error) {
    if (error instanceof BadConfig) {
      process.stderr.write(`${error.message}\n`)
      return BAD_CONFIG
    }
    const expected =
      error instanceof StartError ||
      error instanceof LockedError ||
      error instanceof ListenError ||
      error instanceof CannotListen
    if (!expected) throw error
    const remedy = error instanceof CannotListen ? `; ${error.remedy}` : ''
    process.stderr.write(`linnet: ${error.message}${remedy}\n`)
    return error instanceof StartError ? error.exitCode : FAILED
  }
}

async function live(run: DaemonRun): Promise<number> {
  const closing = new Closing()
  const hangUps = new HangUps()
  closing.add(() => hangUps.close())
  try {
    return await startAndServe(run, closing, hangUps)
  } finally {
    await closing.close()
  }
}

/** Ends when a signal says so; what is open then, or when starting fails, is `closing`'s to close. */
async function startAndServe(
  { configPath, socket }: DaemonRun,
  closing: Closing,
  hangUps: HangUps,
): Promise<number> {
  const startedAt = new Date()
  const clock = systemClock
  const events = new Events(clock)
  // Which routes are ours is known only from the configuration: a first look, without addresses.
  const { kernel } = configOf(configPath, undefined)
  const monitor = await openMonitor({ protocol: kernel.protocol, table: kernel.table })
  closing.add(() => monitor.close())
  const config = configOf(configPath, hostFacts(monitor))
  checkPrivileges(config)
  const logger = logEvents(events, config.log)
  const socketPath = socket ?? config.api.socket
  const lock = lockOf(socketPath)
  closing.add(() => lock.release())
  if (config.kernel.install) {
    const claim = claimKernel()
    closing.add(() => claim.release())
  }
  const resolver = new KernelNextHopResolver(monitor)
  closing.add(() => resolver.close())
  const routerId = routerIdOf(config, monitor, resolver)
  const docker = new DockerDiscovery(connectDocker, monitor, events, clock)
  closing.add(() => docker.close())
  // Peers are told of everything at once: what comes after the End-of-RIB, they would have let go of.
  await docker.configure(config.advertise.docker)
  const speaker = new Speaker(config, routerId, {
    clock,
    events,
    resolver,
    host: monitor,
    cni: cniDirectory,
    docker,
    transport: tcpTransport(),
    dropCounts: readDropCounts,
    discovery: routerDiscovery(),
    bfd: bfdThread(),
    kernel: await kernelOf(config, monitor, events, docker.source),
  })
  const nat = new Nat(speaker, monitor, events, clock)
  // Until we are up, the routes in the kernel are an earlier run's or another daemon's.
  let onStop: Config['kernel']['onStop'] = 'keep'
  closing.add(async () => {
    if (speaker.drained) await withdraw(speaker)
    await speaker.stop(FAREWELL, onStop)
    await nat.close(onStop === 'remove')
    await pause(FAREWELL_MS)
  })
  const stopped = untilTold(events)
  await speaker.start()
  await nat.configure(config.nat)
  const pulse = new Pulse(clock.now)
  closing.add(() => pulse.stop())
  speaker.scheduler.onTurn = () => pulse.quicken()
  pulse.add(
    letGo({
      bytes: () => speaker.rib.bytes,
      resident: rssBytes,
      trim: trimMemory,
      busy: () => speaker.rib.busy,
    }),
  )
  const memory = watchMemory({
    events,
    rooms: () => [...readMemoryRooms(), heapRoom()],
    takeNoMore: (on) => speaker.takeNoMore(on),
  })
  pulse.add(memory)
  if (config.kernel.install) {
    closing.add(watchForRivals({ events, processes: netlinkProcesses }))
  }
  let configLoadedAt = startedAt
  const commands = orders({
    speaker,
    events,
    configPath,
    host: monitor,
    reloaded: (now) => {
      configLoadedAt = new Date()
      logger.level = now.log.level
      void nat.configure(now.nat)
    },
    stop: () => void process.kill(process.pid, 'SIGTERM'),
  })
  const server = await startControlServer({
    socket: socketPath,
    ...(config.api.http === undefined
      ? {}
      : { http: { host: config.api.http.address.text, port: config.api.http.port } }),
    queries: answers({
      speaker,
      pulse,
      startedAt,
      host: monitor,
      configFile: configPath,
      configLoadedAt: () => configLoadedAt,
      warnings: () =>
        [
          nat.problems,
          docker.problem ?? [],
          speaker.forwarding?.overlayKeeping?.problems ?? [],
          memory.warning() ?? [],
          config.kernel.install ? checkForwarding().map(forwardingText) : [],
        ].flat(),
    }),
    commands,
    events,
  })
  closing.add(() => server.close())
  const manager = serviceManager()
  manager.notify({ ready: true, status: peersIn(config) })
  const watchdog = setInterval(
    () => manager.notify({ watchdog: true }),
    (manager.watchdogMs ?? 60_000) / 2,
  ).unref()
  closing.add(() => clearInterval(watchdog))
  events.tell({
    level: 'info',
    topic: 'daemon',
    kind: 'DaemonStarted',
    text: `linnet ${version()}: AS ${config.asn}, router id ${speaker.routerId.text}, ${peersIn(config)}, control socket ${socketPath}`,
  })
  hangUps.listen(() => {
    commands.reload().catch((error: unknown) => {
      const text = `the reload broke off: ${String(error)}; restart linnet`
      events.tell({ level: 'error', topic: 'config', kind: 'ReloadFailed', text })
    })
  })

  const signal = await stopped
  manager.notify({ stopping: true })
  const { install } = config.kernel
  onStop = speaker.config.kernel.onStop
  await closing.close()
  const fate = onStop === 'keep' ? 'stay' : 'are removed'
  events.tell({
    level: 'info',
    topic: 'daemon',
    kind: 'DaemonStopped',
    text: `stopped by ${signal}${install ? `; kernel routes ${fate}` : ''}`,
  })
  return OK
}

/** What was opened, to be closed however the daemon ends: what stays open keeps the process. */
class Closing {
  readonly #steps: (() => void | Promise<void>)[] = []

  add(step: () => void | Promise<void>): void {
    this.#steps.push(step)
  }

  /** The last opened first; harmless the second time. */
  async close(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await step()
  }
}

/** SIGHUP, which ends a process that does not listen. One that comes early waits until we are up. */
class HangUps {
  #waiting = 0
  #listener: (() => void) | undefined
  readonly #arrived = (): void => {
    if (this.#listener === undefined) this.#waiting++
    else this.#listener()
  }

  constructor() {
    process.on('SIGHUP', this.#arrived)
  }

  listen(listener: () => void): void {
    this.#listener = listener
    if (this.#waiting > 0) listener()
  }

  close(): void {
    process.off('SIGHUP', this.#arrived)
  }
}

/** What peers are told when we stop (RFC 9003). */
const FAREWELL = 'linnet is stopped'
const forwardingText = ({ sysctl, value, wanted, text }: ForwardingProblem): string =>
  `${sysctl} is ${value}: ${text}; set it to ${wanted}`

/** The last NOTIFICATIONs get a moment to leave. */
const FAREWELL_MS = 200

const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })

/** One linnet a control socket. */
function lockOf(socketPath: string): Lock {
  try {
    return takeLock(`${socketPath}.lock`)
  } catch (error) {
    if (error instanceof LockedError) throw error
    throw refused(`control socket ${socketPath}`, error, 'api.socket')
  }
}

function configOf(path: string, here: Environment | undefined): Config {
  const loaded = loadConfig(path, here)
  if ('config' in loaded) {
    if (here !== undefined)
      for (const it of loaded.warnings) process.stderr.write(`${formatComplaint(it)}\n`)
    return loaded.config
  }
  const lines = loaded.complaints.filter(isError).map(formatComplaint)
  throw new BadConfig(lines.join('\n'))
}

const peersIn = ({ peers, ranges }: Config): string => {
  const more = ranges.length === 0 ? '' : ` and those of ${ranges.length} ranges`
  return `${peers.length} peers${more}`
}

/** As configured; else our address towards the first peer; else any address we have. */
function routerIdOf(config: Config, monitor: Monitor, resolver: KernelNextHopResolver): Address {
  if (config.routerId !== undefined) return config.routerId
  const first = config.peers[0] ?? config.ranges[0]?.peer
  const link = first === undefined ? undefined : resolver.resolve(first.address).gateways[0]?.link
  if (first !== undefined) resolver.forget(first.address)
  const found = (link === undefined ? undefined : anyIpv4(monitor, link)) ?? anyIpv4(monitor)
  if (found !== undefined) return found
  throw new StartError(
    'no router id: this host has no IPv4 address to take it from; write routerId: in the configuration',
    BAD_CONFIG,
  )
}

/**
 * Before anything else is tried: an ordinary user would hear of the control socket's folder first. Names
 * all that will be missed, so that nobody gives one capability after the other.
 */
function checkPrivileges({ kernel, listen }: Config): void {
  const privileges = readPrivileges()
  if (!kernel.install || missingCapabilities(['CAP_NET_ADMIN'], privileges).length === 0) return
  const guarded = Number(readSysctl('net.ipv4.ip_unprivileged_port_start'))
  const wanted: Capability[] = listen.some(({ port }) => port < guarded)
    ? ['CAP_NET_ADMIN', 'CAP_NET_BIND_SERVICE']
    : ['CAP_NET_ADMIN']
  throw new StartError(
    `${explainMissing(missingCapabilities(wanted, privileges), privileges)}; or write kernel: { install: false } to run without routes in the kernel`,
    FAILED,
  )
}

async function kernelOf(
  config: Config,
  monitor: Monitor,
  events: Events,
  docker: DockerLinks,
): Promise<KernelAccess | undefined> {
  if (!config.kernel.install) return undefined
  const { openKernel } = await import('./kernel-access.ts')
  return openKernel(config, monitor, events, systemClock, docker)
}

/** Resolves to the signal that ends the daemon. */
function untilTold(events: Events): Promise<string> {
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.once(signal, () => {
        events.tell({
          level: 'info',
          topic: 'daemon',
          kind: 'StopOrdered',
          text: `${signal}: saying good-bye to all peers`,
        })
        resolve(signal)
      })
    }
  })
}
