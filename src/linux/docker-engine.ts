/**
 * Docker's API by dockerode, the only file that knows it: a stream of events and two lists. The package is
 * loaded when an engine is first called, since it costs 26 MB and 90 ms.
 *
 * The engine filters for us: of its events it sends only those that may change what is announced (500
 * health checks would be thousands a minute otherwise), of its containers only those that do their work.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type Docker from 'dockerode'
import {
  EngineError,
  type ConnectEngine,
  type EngineContainer,
  type EngineEndpoint,
  type EngineEvents,
  type EngineNetwork,
} from '../sources/docker-engine.ts'
import { whyEngineFails } from './docker-reason.ts'

const USUAL_SOCKET = '/var/run/docker.sock'
/** For an answer; a busy engine takes its time. */
const ANSWER_MS = 15_000
/** The engine says that it listens before it does: what has happened since then is asked for too. */
const LOOK_BACK_SECONDS = 2
/** Longer than any event. */
const LONGEST_LINE = 1 << 20

const NETWORK_EVENTS = ['create', 'destroy', 'remove', 'update']
const CONTAINER_EVENTS = ['start', 'die', 'pause', 'unpause', 'health_status', 'rename']
/** What lists already say when it is told; the rest comes first, and the lists a bit later (20.10). */
const IN_TIME = ['start', 'connect', 'rename']
/** Of a container and a network. */
const ENDPOINT_EVENTS = ['connect', 'disconnect']
const AT_WORK = { status: ['running'], health: ['none', 'healthy'] }

export const connectDocker: ConnectEngine = async (endpoint, heard, events) => {
  const socket = endpoint.socket ?? usualSocket()
  const where = endpoint.host === undefined ? socket : `${endpoint.host}:${endpoint.port}`
  const failure = (error: unknown): EngineError =>
    new EngineError(whyEngineFails(error, where, endpoint))
  const closing = new AbortController()
  /** Gives `work` the time that an answer may take. */
  const ask = <T>(work: (abortSignal: AbortSignal) => Promise<T>): Promise<T> =>
    answered(work, closing.signal).catch((error: unknown) => {
      throw failure(error)
    })

  const engine = await openEngine(endpoint, socket).catch((error: unknown) => {
    throw failure(error)
  })
  const stream = await ask((signal) => eventsOf(engine, heard.containers, signal))
  closing.signal.addEventListener('abort', () => stream.destroy())
  followEvents(stream, events, (error) => {
    if (!closing.signal.aborted) events.ended(failure(error))
  })
  return {
    networks: (ids) =>
      ask(async (abortSignal) => {
        const filters = ids === undefined ? {} : { id: [...ids] }
        return listed(await engine.listNetworks({ filters, abortSignal })).map(networkOf)
      }),
    containers: (ids) =>
      ask(async (abortSignal) => {
        const filters = { ...AT_WORK, ...(ids === undefined ? {} : { id: [...ids] }) }
        return listed(await engine.listContainers({ filters, abortSignal })).map(containerOf)
      }),
    close: () => closing.abort(),
  }
}

/** A rootless engine's, where only that is there. */
function usualSocket(): string {
  const rootless = join(process.env['XDG_RUNTIME_DIR'] ?? '', 'docker.sock')
  return !existsSync(USUAL_SOCKET) && existsSync(rootless) ? rootless : USUAL_SOCKET
}

/** Files are read each time: certificates are replaced. */
async function openEngine(
  { host, port, tls }: EngineEndpoint,
  socketPath: string,
): Promise<Docker> {
  const { default: Engine } = await import('dockerode')
  if (host === undefined || port === undefined) return new Engine({ socketPath })
  if (tls === undefined) return new Engine({ protocol: 'http', host, port })
  const { ca, cert, key } = tls
  return new Engine({
    protocol: 'https',
    host,
    port,
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  })
}

async function eventsOf(
  engine: Docker,
  containers: boolean,
  abortSignal: AbortSignal,
): Promise<Readable> {
  const filters = {
    type: containers ? ['network', 'container'] : ['network'],
    event: containers
      ? [...NETWORK_EVENTS, ...CONTAINER_EVENTS, ...ENDPOINT_EVENTS]
      : NETWORK_EVENTS,
  }
  const since = Math.floor(Date.now() / 1000) - LOOK_BACK_SECONDS
  const stream = await engine.getEvents({ filters: JSON.stringify(filters), since, abortSignal })
  if (!(stream instanceof Readable)) throw new TypeError('no stream')
  return stream
}

/** `ended` may be called more than once. */
function followEvents(
  stream: Readable,
  events: EngineEvents,
  ended: (error: unknown) => void,
): void {
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    try {
      if (rest.length > LONGEST_LINE) throw new SyntaxError('a line without end')
      for (const line of lines) if (line.trim() !== '') hear(JSON.parse(line), events)
    } catch (error) {
      ended(error)
    }
  })
  stream.on('error', ended)
  stream.on('end', () => ended(undefined))
  stream.on('close', () => ended(undefined))
}

/** What of an event counts. */
interface EngineEvent {
  readonly Type?: string
  readonly Action?: string
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> }
}

function hear({ Type, Action = '', Actor }: EngineEvent, { touched }: EngineEvents): void {
  const isEndpoint = Type === 'network' && ENDPOINT_EVENTS.includes(Action)
  const id = isEndpoint ? Actor?.Attributes?.['container'] : Actor?.ID
  if (id === undefined || id === '') return
  if (Type === 'container' || isEndpoint) touched('container', id, !IN_TIME.includes(Action))
  else if (Type === 'network') touched('network', id, false)
}

/** Whatever its type says, it comes from outside. */
function listed<T>(answer: T[]): T[] {
  if (!Array.isArray(answer)) throw new TypeError('no list')
  return answer
}

function networkOf(it: Docker.NetworkInspectInfo): EngineNetwork {
  return {
    id: it.Id,
    name: it.Name,
    driver: it.Driver,
    internal: it.Internal,
    template: it.ConfigOnly,
    subnets: (it.IPAM?.Config ?? []).flatMap(({ Subnet }) => Subnet ?? []),
    options: it.Options ?? {},
    labels: it.Labels ?? {},
  }
}

function containerOf(it: Docker.ContainerInfo): EngineContainer {
  return {
    id: it.Id,
    name: (it.Names[0] ?? it.Id.slice(0, 12)).replace(/^\//, ''),
    labels: it.Labels ?? {},
    endpoints: Object.values(it.NetworkSettings.Networks).map((endpoint) => ({
      network: endpoint.NetworkID,
      addresses: [endpoint.IPAddress, endpoint.GlobalIPv6Address].filter((text) => text !== ''),
    })),
  }
}

/** Rejects when `work` takes too long, or is not wanted any more, even if nobody tells `work` so. */
function answered<T>(work: (signal: AbortSignal) => Promise<T>, closing: AbortSignal): Promise<T> {
  const late = new AbortController()
  const signal = AbortSignal.any([late.signal, closing])
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => late.abort(new NoAnswer()), ANSWER_MS)
    signal.addEventListener('abort', () => reject(signal.reason as Error))
    work(signal)
      .then(resolve, reject)
      .finally(() => clearTimeout(timer))
  })
}

class NoAnswer extends Error {
  readonly code = 'ETIMEDOUT'
}
