/**
 * BFD of the neighbours (RFC 5882): which paths are watched, and what becomes of a session whose path breaks.
 *
 * A neighbour with `bfd` is watched from when it is known where it is, whether or not a session is up. BGP may
 * be up first; from then on, when BFD goes from Up to Down, the session ends at once (RFC 9384). A peer that
 * switches BFD off has said nothing about the path: the session stays (RFC 5882 section 4.2). A path that comes
 * and goes is believed less and less (bfd/damping.ts): the session is held down for a while. With `strict` there
 * is no session without BFD.
 */
import { isDeepStrictEqual } from 'node:util'
import { Damping } from '../bfd/damping.ts'
import { NEIGHBOR_SIGNALED_DOWN, describeDiagnostic } from '../bfd/packet.ts'
import type { BfdReport } from '../bfd/session.ts'
import type { BfdSpec } from '../bfd/sessions.ts'
import type { Hops } from '../bfd/transport.ts'
import type { BfdConfig, ResolvedPeer } from '../config/config.ts'
import { isLinkLocal, type Address } from '../net/address.ts'
import type { Clock, Timer } from '../net/clock.ts'
import { encodeUtf8 } from '../net/utf8.ts'
import { contains, prefixOf } from '../net/prefix.ts'
import type { HostView } from '../sources/source.ts'
import type { BfdService } from './bfd-thread.ts'
import type { BfdNews } from './bfd-worker.ts'
import type { Events, Level } from './events.ts'
import type { Neighbor } from './neighbor.ts'
import type { Neighbors } from './neighbors.ts'
import { STRICTLY } from './path-failure.ts'
import { Silence } from './silence.ts'

export interface BfdPeersWorld {
  readonly host: HostView
  readonly clock: Clock
  readonly events: Events
  readonly neighbors: Neighbors
}

interface Watched {
  readonly spec: BfdSpec
  readonly damping: Damping
  readonly troubles: Silence
  report: BfdReport | undefined
  /** It could not be had (as it was asked for). */
  isRefused: boolean
}

/** What could not be had is asked for again: an address or a link may come late. */
const ASK_AGAIN_MS = 5000
const TROUBLE_SILENCE_MS = 600_000

export class BfdPeers {
  readonly #service: BfdService | undefined
  readonly #world: BfdPeersWorld
  readonly #watched = new Map<string, Watched>()
  #again: Timer | undefined

  /** Without a service nobody is watched. */
  constructor(service: BfdService | undefined, world: BfdPeersWorld) {
    this.#service = service
    this.#world = world
    service?.listen(
      (news) => this.#heard(news),
      (why) => this.#broken(why),
    )
  }

  /** Undefined while nothing has been told of a neighbour's session, or when it has none. */
  reportOf(name: string): BfdReport | undefined {
    return this.#watched.get(name)?.report
  }

  /** How the path to a neighbour is watched; undefined when it isn't. */
  specOf(name: string): BfdSpec | undefined {
    return this.#watched.get(name)?.spec
  }

  /** Neighbours have come, gone or changed, or our addresses have. */
  look(): void {
    const wanted = new Map<string, BfdSpec>()
    for (const neighbor of this.#world.neighbors) {
      const spec = this.#specFor(neighbor)
      if (spec !== undefined) wanted.set(neighbor.config.name, spec)
    }
    for (const name of this.#watched.keys()) if (!wanted.has(name)) this.#forget(name)
    for (const [name, spec] of wanted) this.#watch(name, spec)
    for (const neighbor of this.#world.neighbors) this.#demand(neighbor)
  }

  async close(): Promise<void> {
    this.#again?.cancel()
    this.#watched.clear()
    await this.#service?.close()
  }

  #watch(name: string, spec: BfdSpec): void {
    const before = this.#watched.get(name)
    if (isDeepStrictEqual(before?.spec, spec)) return
    this.#watched.set(name, {
      spec,
      damping: before?.damping ?? new Damping(),
      troubles: before?.troubles ?? new Silence(this.#world.clock, TROUBLE_SILENCE_MS),
      report: isSamePath(before?.spec, spec) ? before?.report : undefined,
      isRefused: false,
    })
    this.#service?.set(name, spec)
  }

  #forget(name: string): void {
    this.#watched.delete(name)
    this.#service?.remove(name)
  }

  #specFor({ config, address, standing, session }: Neighbor): BfdSpec | undefined {
    const { bfd, bindDevice } = config
    const isWanted = standing.isWanted || standing.isHeldDown
    if (bfd === undefined || address === undefined || !isWanted) return undefined
    // What a session stands on is what the peer expects packets from, also when it is over.
    const last = this.#watched.get(config.name)?.spec.path
    const local = isLinkLocal(address)
      ? undefined
      : (config.localAddress ?? session?.local ?? last?.local)
    return {
      path: {
        hops: this.#hopsTo(config, bfd, address),
        remote: address,
        ...(local === undefined ? {} : { local }),
        ...(bindDevice === undefined ? {} : { device: bindDevice }),
      },
      timers: {
        desiredMinTxMicroseconds: bfd.intervalMs * 1000,
        requiredMinRxMicroseconds: bfd.minReceiveMs * 1000,
        detectMultiplier: bfd.multiplier,
      },
      ...keyOf(bfd),
    }
  }

  /** One hop where the session is made for one, or where the peer is on a subnet of ours. */
  #hopsTo(config: ResolvedPeer, { multihop }: BfdConfig, address: Address): Hops {
    if (multihop !== undefined) return multihop ? 'multiple' : 'single'
    const hops =
      config.multihop ?? config.ttlSecurity ?? (config.type === 'external' ? 1 : undefined)
    if (hops === 1 || isLinkLocal(address)) return 'single'
    if (hops !== undefined) return 'multiple'
    // A link that goes takes our subnet along: whoever was watched over it has failed, and is not further away now.
    const last = this.#watched.get(config.name)
    if (last?.report?.state === 'Up') return last.spec.path.hops
    const onLink = [...this.#world.host.addresses()].some(
      (it) =>
        it.address.family === address.family && contains(prefixOf(it.address, it.length), address),
    )
    return onLink ? 'single' : 'multiple'
  }

  /** No session without BFD, where that is asked for; one that is up ends only by what BFD says. */
  #demand(neighbor: Neighbor): void {
    const { config, standing, session } = neighbor
    const isUp = this.reportOf(config.name)?.state === 'Up'
    if (config.bfd?.strict !== true || isUp) standing.pathFound()
    else if (session === undefined) standing.pathLost(STRICTLY)
  }

  #heard(news: BfdNews): void {
    const watched = this.#watched.get(news.name)
    const neighbor = this.#world.neighbors.get(news.name)
    if (watched === undefined || neighbor === undefined) return
    if (news.type === 'Failed') return this.#failed(news.name, watched, news.problem)
    const { report, failure } = news
    const before = watched.report?.state
    watched.report = report
    if (report.state === before) return
    if (report.state === 'Up') this.#cameUp(neighbor, watched)
    else if (before === 'Up') this.#wentDown(neighbor, watched, report, failure)
    this.#demand(neighbor)
  }

  #cameUp({ config }: Neighbor, { damping }: Watched): void {
    damping.cameUp(this.#world.clock.now())
    this.#tell('info', 'BfdCameUp', config.name, 'BFD is up: the path is watched')
  }

  #wentDown(neighbor: Neighbor, { damping }: Watched, report: BfdReport, failure: boolean): void {
    const { config, session } = neighbor
    if (!failure) {
      const isOff = report.remoteState === 'AdminDown'
      const what = isOff ? 'is switched off by the peer' : 'begins anew at the peer'
      this.#tell('warn', 'BfdWentDown', config.name, `BFD ${what}: nobody watches the path`)
      if (config.bfd?.strict === true && session !== undefined) {
        neighbor.pathFailed({ controlPlaneIndependent: false }, `BFD ${what} (strict)`, 0)
      }
      return
    }
    const cause = `BFD is down: ${wordsOf(report)}`
    const holdSeconds = damping.failed(this.#world.clock.now())
    const rest =
      holdSeconds === 0 ? '' : `, ${damping.row} times in a row: no session for ${holdSeconds} s`
    this.#tell('warn', 'BfdWentDown', config.name, `${cause}${rest}`)
    const { controlPlaneIndependent } = report
    neighbor.pathFailed({ controlPlaneIndependent }, `${cause}${rest}`, holdSeconds)
  }

  #failed(name: string, watched: Watched, problem: string): void {
    watched.isRefused = true
    if (watched.troubles.endsFor(problem)) this.#tell('warn', 'BfdRefused', name, problem)
    this.#again ??= this.#world.clock.after(ASK_AGAIN_MS, () => {
      this.#again = undefined
      for (const [again, refused] of this.#watched) {
        if (!refused.isRefused) continue
        refused.isRefused = false
        this.#service?.set(again, refused.spec)
      }
    })
  }

  /** Nobody's path has failed for that: what is up stays up, and is watched anew. */
  #broken(why: string): void {
    const text = `the thread of BFD broke: ${why}; it is started again`
    this.#world.events.tell({ level: 'error', topic: 'peers', kind: 'BfdBroke', text })
    for (const watched of this.#watched.values()) watched.report = undefined
  }

  #tell(level: Level, kind: string, peer: string, text: string): void {
    this.#world.events.tell({ level, topic: 'peers', kind, peer, text })
  }
}

/** The session stays the same one (bfd/sessions.ts). */
const isSamePath = (one: BfdSpec | undefined, { path }: BfdSpec): boolean =>
  one?.path.hops === path.hops && one.path.remote.text === path.remote.text

/** The peer's own reason, where it is the one who says Down. */
const wordsOf = ({ diagnostic, remoteDiagnostic }: BfdReport): string =>
  diagnostic === NEIGHBOR_SIGNALED_DOWN
    ? `${describeDiagnostic(diagnostic)} (${describeDiagnostic(remoteDiagnostic)})`
    : describeDiagnostic(diagnostic)

const keyOf = ({ authentication: it }: BfdConfig): Pick<BfdSpec, 'key'> =>
  it === undefined
    ? {}
    : { key: { meticulous: it.meticulous, id: it.keyId, secret: encodeUtf8(it.key.reveal()) } }
