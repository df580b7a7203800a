/**
 * The FIB writer: `fib/kernel`'s KernelWriter over netlink.
 *
 * Two sockets. Ours carries what is few and urgent: nexthop objects, and routes when they are a
 * handful, so that a single change is in the kernel before `flush` returns. The other one belongs to a
 * worker thread, for the kernel takes 2-4 us a route and now and then stalls for 100 ms; routes reach
 * it through a ring in shared memory. The worker takes a tenth of a second to start while we are at work, so
 * it is started before routes come (`prepare`), and after a breakdown by the first flush that needs it. Routes
 * are written by us only when the worker has nothing left, so order is kept between the two.
 *
 * Progress is told from the event loop, never from within `flush`. When the worker or a socket breaks,
 * all that is under way is called broken, and the next flush starts over with fresh ones.
 *
 * Without nexthop objects each id stands for a definition: the gateways that its routes carry. The
 * same goes for blackhole and unreachable next hops always. When an id changes between object and
 * definition, or its definition changes, its routes must be put again.
 */
import { Worker } from 'node:worker_threads'
import { factsOf, type Family } from '../net/family.ts'
import {
  NEXT_HOP_ID_FIRST,
  NEXT_HOP_LEG_ID_FIRST,
  ROUTE_PUT,
  type KernelError,
  type KernelNextHopObject,
  type KernelOptions,
  type KernelProgress,
  type KernelTarget,
  type KernelWriter,
  type RouteOperation,
} from '../fib/kernel.ts'
import type {
  DefinitionMessage,
  ProgressMessage,
  SourceMessage,
  WriterWorkerData,
} from './fib-writer-worker.ts'
import { dumpNextHops, isOurObject } from './kernel-reader.ts'
import { NetlinkSocket } from './netlink-socket.ts'
import { NextHopObjects } from './nexthop-objects.ts'
import { NO_OPERATION, RouteBatch, type RouteFailure } from './route-batch.ts'
import { plainDefinition, type RouteDefinition } from './route-encoder.ts'
import { protocolName } from './route-message.ts'
import { RouteRing } from './route-ring.ts'
import { EEXIST, EINVAL } from './sys.ts'
import { SysctlError, readSysctl, writeSysctl } from './sysctl.ts'
import { workerUrl } from './worker-url.ts'

const RING_ROUTES = 32_768
/** Fewer routes than this are written at once, by the main thread. */
const DIRECT_ROUTES = 32
const COMPAT_MODE = 'net.ipv4.nexthop_compat_mode'

export interface FibWriterOptions extends KernelOptions {
  readonly nextHopObjects: 'auto' | 'off'
  /**
   * Routes of others in our table (the monitor's `tables.routes`, when that is the main table): the
   * kernel would replace one of the same prefix and metric, so such a put is refused instead.
   */
  readonly foreign?: ForeignRoutes
}

export interface ForeignRoutes {
  find(
    family: Family,
    words: Int32Array,
    at: number,
    length: number,
    metric: number,
  ): { readonly protocol: number } | undefined
}

export interface FibWriter extends KernelWriter {
  /** Port ids of both sockets: notifications that carry them tell of our own changes. */
  readonly ports: readonly number[]
  /** What could not be had, for people: `no nexthop objects: ...`. */
  readonly notes: readonly string[]
  /**
   * Routes put from now on ask for this source. One that is no address of ours (any more) makes the
   * kernel refuse them all; and it drops the routes of a source that goes, so put them again.
   */
  preferSource(preferredSource: KernelOptions['preferredSource']): void
  /** Puts net.ipv4.nexthop_compat_mode back to what it was. */
  restoreSysctl(): void
}

/** Opens the sockets and finds out what the kernel can do. Rejects when netlink is not to be had. */
export async function openFibWriter(options: FibWriterOptions): Promise<FibWriter> {
  if (options.metric === 0) throw new RangeError('metric 0 would overwrite connected routes')
  const socket = NetlinkSocket.open()
  try {
    const known = options.nextHopObjects === 'off' ? undefined : await dumpNextHops()
    const found = known?.filter(isOurObject)
    return new NetlinkFibWriter(options, socket, NetlinkSocket.open(), found)
  } catch (error) {
    socket.close()
    throw error
  }
}

class NetlinkFibWriter implements FibWriter {
  readonly nextHopObjects: boolean
  readonly standbys: boolean
  readonly ports: readonly number[]
  readonly notes: string[] = []

  #options: KernelOptions
  readonly #foreign: ForeignRoutes | undefined
  /** Puts refused by us, not yet told; in the order of their positions. */
  #refused: RouteFailure[] = []
  readonly #socket: NetlinkSocket
  readonly #objects: NextHopObjects
  readonly #direct: RouteBatch
  /** Ids whose routes don't simply point to an object. */
  readonly #definitions = new Map<number, RouteDefinition>()
  readonly #compatModeBefore: string | undefined
  #dropped: (id: number) => void = () => {}

  readonly #workerSocket: NetlinkSocket
  #worker: Worker | undefined
  #ring = RouteRing.ofCapacity(RING_ROUTES)
  #progress: KernelProgress | undefined
  /** Positions: routes put, handed over, and told as done. */
  #put = 0
  #published = 0
  #reported = 0
  /** Position after the last route that went to the worker. */
  #handed = 0
  #closed = false

  constructor(
    options: FibWriterOptions,
    socket: NetlinkSocket,
    workerSocket: NetlinkSocket,
    found: readonly KernelNextHopObject[] | undefined,
  ) {
    this.#options = {
      table: options.table,
      metric: options.metric,
      protocol: options.protocol,
      preferredSource: options.preferredSource,
    }
    this.#foreign = options.foreign
    this.#socket = socket
    this.#workerSocket = workerSocket
    this.ports = [socket.port, workerSocket.port]
    this.#direct = new RouteBatch(socket, this.#options)
    this.#objects = new NextHopObjects(socket, options.protocol)
    this.nextHopObjects = found !== undefined
    if (found !== undefined) this.#objects.adopt(found)
    else if (options.nextHopObjects === 'auto') {
      this.notes.push('no nexthop objects in this kernel (Linux 5.3 has them): failover is slower')
    }
    this.standbys = this.nextHopObjects && this.#objects.takesResilientGroups()
    if (this.nextHopObjects && !this.standbys) {
      this.notes.push(
        'no resilient next-hop groups in this kernel (Linux 5.13 has them): when a link goes, its routes move only once linnet has heard of it',
      )
    }
    this.#compatModeBefore = this.nextHopObjects ? this.#leaveCompatMode() : undefined
  }

  /** In compat mode the kernel walks all routes of a next hop when that changes, to notify. */
  #leaveCompatMode(): string | undefined {
    try {
      const before = readSysctl(COMPAT_MODE)
      if (before !== '0') writeSysctl(COMPAT_MODE, 0)
      return before
    } catch (error) {
      if (!(error instanceof SysctlError)) throw error
      this.notes.push(`${error.message}: failover takes longer with many routes`)
      return undefined
    }
  }

  restoreSysctl(): void {
    const before = this.#compatModeBefore
    if (before !== undefined && before !== '0') writeSysctl(COMPAT_MODE, before)
  }

  putNextHop(id: number, family: Family, target: KernelTarget): KernelError | undefined {
    if (id < NEXT_HOP_ID_FIRST || id >= NEXT_HOP_LEG_ID_FIRST) {
      return { errno: EINVAL, text: `EINVAL: nexthop id ${id} is not one of ours` }
    }
    if (target.kind === 'gateways' && target.hops.length === 0) {
      return { errno: EINVAL, text: 'EINVAL: a next hop needs a gateway' }
    }
    if (this.nextHopObjects && target.kind === 'gateways') {
      const error = this.#objects.putGroup(id, family, target, () => this.#dropped(id))
      if (error === undefined && this.#definitions.has(id)) this.#define(id, undefined)
      return error
    }
    this.#define(id, plainDefinition(family, target))
    return undefined
  }

  onDropped(listener: (id: number) => void): void {
    this.#dropped = listener
  }

  deleteNextHop(id: number): KernelError | undefined {
    // A leg goes with its last group; and what only we remember costs nothing to keep.
    if (!this.nextHopObjects || id >= NEXT_HOP_LEG_ID_FIRST) return undefined
    return this.#objects.deleteGroup(id)
  }

  #define(id: number, definition: RouteDefinition | undefined): void {
    if (definition === undefined) this.#definitions.delete(id)
    else this.#definitions.set(id, definition)
    this.#direct.encoder.define(id, definition)
    this.#worker?.postMessage({ id, definition } satisfies DefinitionMessage)
  }

  preferSource(preferredSource: KernelOptions['preferredSource']): void {
    this.#options = { ...this.#options, preferredSource }
    this.#direct.encoder.preferSource(preferredSource)
    this.#worker?.postMessage({ preferredSource } satisfies SourceMessage)
  }

  prepare(): void {
    this.#worker ??= this.#startWorker()
  }

  free(): number {
    return this.#ring.capacity - ((this.#put - this.#reported) >>> 0)
  }

  put(
    operation: RouteOperation,
    family: Family,
    words: Int32Array,
    at: number,
    length: number,
    nextHopId: number,
  ): void {
    const { index } = factsOf(family)
    const holder =
      operation === ROUTE_PUT
        ? this.#foreign?.find(family, words, at, length, this.#options.metric)
        : undefined
    if (holder !== undefined) this.#refused.push({ position: this.#put, error: heldBy(holder) })
    const written = holder === undefined ? operation : NO_OPERATION
    this.#ring.write(this.#put, written, index, length, nextHopId, words, at)
    this.#put = (this.#put + 1) | 0
  }

  flush(): void {
    if (this.#put === this.#published || this.#closed) return
    const waiting = (this.#put - this.#published) | 0
    const workerIsIdle = ((this.#reported - this.#handed) | 0) >= 0
    if (workerIsIdle && waiting < DIRECT_ROUTES) this.#writeDirectly()
    else {
      this.prepare()
      this.#published = this.#handed = this.#put
      this.#ring.publish(this.#put)
    }
  }

  #writeDirectly(): void {
    const failures: RouteFailure[] = []
    const ring = this.#ring
    try {
      let position = this.#published
      while (position !== this.#put) {
        position = this.#direct.write(ring, position, this.#put, failures)
      }
    } catch (error) {
      const reason = `routes can't be written: ${String(error)}`
      queueMicrotask(() => this.#break(reason, this.#socket))
      this.#published = this.#put
      return
    }
    ring.skipTo(this.#put)
    this.#published = this.#put
    const tail = this.#put
    queueMicrotask(() => {
      if (ring === this.#ring) this.#report({ tail, failures })
    })
  }

  onProgress(progress: KernelProgress): void {
    this.#progress = progress
  }

  #report({ tail, failures }: ProgressMessage): void {
    for (const { position, error } of this.#withRefused(tail, failures)) {
      this.#progress?.failed((position - this.#reported) | 0, error)
    }
    const count = (tail - this.#reported) | 0
    this.#reported = tail
    if (count > 0) this.#progress?.completed(count)
  }

  /** The failures before `tail`, the kernel's and ours, in order. */
  #withRefused(tail: number, failures: readonly RouteFailure[]): readonly RouteFailure[] {
    if (this.#refused.length === 0) return failures
    const told = this.#refused.filter(({ position }) => ((position - tail) | 0) < 0)
    this.#refused = this.#refused.slice(told.length)
    return [...failures, ...told].toSorted((a, b) => (a.position - b.position) | 0)
  }

  #startWorker(): Worker {
    const workerData: WriterWorkerData = {
      memory: this.#ring.memory,
      fd: this.#workerSocket.fd,
      options: this.#options,
      definitions: [...this.#definitions].map(([id, definition]) => ({ id, definition })),
    }
    const worker = new Worker(workerUrl(import.meta.url, 'fib-writer-worker'), {
      workerData,
      name: 'fib-writer',
    })
    worker.unref() // the routes under way are not worth keeping a process alive that wants to end
    worker.on('message', (message: ProgressMessage) => {
      if (worker === this.#worker) this.#report(message)
    })
    worker.on('error', (error) => this.#lostWorker(worker, error.message))
    worker.on('exit', (code) => this.#lostWorker(worker, `it ended with code ${code}`))
    return worker
  }

  #lostWorker(worker: Worker, reason: string): void {
    if (worker !== this.#worker || this.#closed) return
    this.#break(`the FIB writer's thread broke: ${reason}`, this.#workerSocket)
  }

  /** Forgets what is under way; the next flush starts with a fresh ring, socket and worker. */
  #break(reason: string, broken: NetlinkSocket): void {
    if (this.#closed) return
    const worker = this.#worker
    this.#worker = undefined
    void worker?.terminate()
    this.#ring = RouteRing.ofCapacity(RING_ROUTES)
    this.#refused = []
    this.#put = this.#published = this.#reported = this.#handed = 0
    broken.reopen()
    this.#progress?.broken(reason)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    const worker = this.#worker
    if (worker !== undefined) {
      const ended = new Promise((resolve) => worker.once('exit', resolve))
      worker.ref()
      this.#ring.stop()
      await ended
    }
    this.#socket.close()
    this.#workerSocket.close()
  }
}

const heldBy = ({ protocol }: { readonly protocol: number }): KernelError => ({
  errno: EEXIST,
  text: `EEXIST: a route of the same prefix and metric belongs to ${protocolName(protocol)}`,
})
