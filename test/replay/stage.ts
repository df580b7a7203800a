/**
 * A whole speaker between peers, a kernel, a host and a network that are all in memory, on one clock: what
 * happens is played to it, and what it sends and writes is noted.
 */
import { configOf } from '../unit/config/loading.ts'
import type { Config } from '../../src/config/config.ts'
import { changeOf } from '../../src/config/change.ts'
import { Events } from '../../src/daemon/events.ts'
import type { KernelAccess } from '../../src/daemon/forwarding.ts'
import { Speaker } from '../../src/daemon/speaker.ts'
import { Fib } from '../../src/fib/fib.ts'
import { Targets } from '../../src/fib/targets.ts'
import { address, wordsOf, type Address } from '../../src/net/address.ts'
import type { Family } from '../../src/net/family.ts'
import { contains, prefixOf } from '../../src/net/prefix.ts'
import { Peer } from '../../src/session/peer.ts'
import { ADMINISTRATIVE_SHUTDOWN } from '../../src/wire/constants.ts'
import { encodeRouteRefresh } from '../../src/wire/route-refresh.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeResolver } from '../support/fake-resolver.ts'
import { MemoryHost } from '../support/memory-host.ts'
import { MARK, MemoryKernel } from '../support/memory-kernel.ts'
import { MemoryNetwork } from '../support/memory-transport.ts'
import { RtrCache } from '../support/rtr-cache.ts'
import { updateMessage } from '../support/update-builder.ts'
import { updateAsText } from '../support/update-text.ts'
import type { Happening } from './cases.ts'

type Connect = Extract<Happening, { connect: string }>

/** Long enough for all that one event causes; the network takes 1 ms. */
const AFTERMATH_MS = 30
const LONGEST_WAIT_MS = 200_000

export class ReplayStage {
  readonly clock = new FakeClock()
  /** Lines of expected/messages.jsonl and expected/kernel.jsonl. */
  readonly messages: string[] = []
  readonly kernelChanges: string[] = []
  readonly #network = new MemoryNetwork({ clock: this.clock })
  readonly #host = new MemoryHost()
  readonly #resolver = new FakeResolver()
  readonly #kernel = new MemoryKernel()
  readonly #peers = new Map<string, Peer>()
  readonly #addresses = new Map<string, Address>()
  readonly #speaker: Speaker
  readonly #files: (name: string) => string
  #config: Config
  #event = 0
  readonly #cache = new RtrCache()
  /** Messages of the current event, by peer. */
  readonly #heard = new Map<string, string[]>()
  #routes = new Map<string, string>()

  /** `files`: the texts of the case's other configurations. */
  constructor(yaml: string, files: (name: string) => string) {
    this.#files = files
    // Real sockets are not for this tier: the speaker calls, the peers listen.
    this.#config = { ...configOf(yaml), listen: [] }
    for (const cache of this.#config.rpki) this.#serveCache(cache.address)
    const own = this.#config.routerId ?? address('10.0.0.100')
    this.#speaker = new Speaker(this.#config, own, {
      clock: this.clock,
      events: new Events(this.clock),
      host: this.#host,
      resolver: this.#resolver,
      transport: this.#network.transportOf(own),
      kernel: this.#config.kernel.install ? this.#kernelAccess() : undefined,
    })
  }

  /** The RPKI cache answers at the address that the configuration names. */
  #serveCache(at: Address): void {
    this.#network.listen(at, (connection) => {
      const send = (bytes: Uint8Array): void => void connection.write(bytes)
      const take = this.#cache.serve(send)
      connection.listen({
        opened: () => undefined,
        received: take,
        drained: () => undefined,
        closed: () => this.#cache.leave(send),
      })
    })
  }

  async play(happening: Happening): Promise<void> {
    this.#event++
    await this.#happen(happening)
    await this.#pass(AFTERMATH_MS)
    for (const [to, lines] of [...this.#heard].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
      for (const line of lines) this.messages.push(`{"event":${this.#event},"to":"${to}",${line}`)
    }
    this.#heard.clear()
    this.#noteRoutes()
  }

  async end(): Promise<void> {
    await this.#speaker.stop('the case is over', 'keep')
  }

  async #happen(it: Happening): Promise<void> {
    if ('link' in it) {
      this.#host.link(it.link).address(it.link, it.address).tell()
      this.#resolveOnLinks()
    } else if ('start' in it) await this.#speaker.start()
    else if ('connect' in it) await this.#connect(it)
    else if ('from' in it) this.#peer(it.from).send([updateMessage(it)])
    else if ('close' in it) this.#peer(it.close).stop({ subcode: ADMINISTRATIVE_SHUTDOWN })
    else if ('silence' in it) await this.#silence(it.silence)
    else if ('refresh' in it) this.#peer(it.refresh).sendRouteRefresh(it.family)
    else if ('mark' in it) this.#peer(it.by).send([encodeRouteRefresh(it.family, it.mark)])
    else if ('wait' in it) await this.#pass(1000 * it.wait)
    else if ('startup' in it) this.#speaker.neighbor(it.startup)?.standing.start()
    else if ('nextHop' in it) this.#reach(it.nextHop, it.reachable)
    else if ('drain' in it) this.#speaker.drain(it.drain ? 'lastChoice' : 'no')
    else if ('vrps' in it) this.#cache.publish(it.vrps)
    else if ('reload' in it) {
      this.#change({ ...configOf(this.#files(it.reload)), listen: [] })
    } else this.#reconfigure(it)
  }

  async #connect({ connect: name, address: text, asn, routerId }: Connect): Promise<void> {
    const own = address(text)
    this.#addresses.set(name, own)
    this.#network.heal(own)
    const configured = this.#config.peers.find((peer) => peer.name === name)
    if (configured === undefined) throw new Error(`no peer ${name} in the configuration`)
    const external = configured.type === 'external'
    let addPath: readonly Family[] = []
    const peer = new Peer(
      {
        name,
        remote: { address: configured.localAddress ?? this.#speaker.routerId, port: 179 },
        localAsn: asn,
        remoteAsn: configured.localAsn,
        routerId: wordsOf(address(routerId).bytes)[0] >>> 0,
        holdTimeSeconds: 90,
        connectRetrySeconds: 5,
        passive: true,
        enhancedRouteRefresh: configured.enhancedRouteRefresh,
        addPath: {
          receive: configured.addPath.send !== 'off',
          send: configured.addPath.receive,
        },
        families: configured.families,
        extendedNextHop: configured.extendedNextHop,
        socket: {},
      },
      { transport: this.#network.transportOf(own), clock: this.clock, random: () => 1 },
      {
        stateChanged: () => {},
        established: (negotiated) => {
          addPath = negotiated.addPath.receive
        },
        update: (bytes, start, end) => {
          const session = { external, fourOctetAs: true, addPath }
          this.#hear(name, updateAsText(bytes, start, end, session))
        },
        routeRefreshReceived: (family) => this.#hear(name, { refreshAsked: family }),
        refreshBegan: (family) => this.#hear(name, { refreshBegan: family }),
        refreshEnded: (family) => this.#hear(name, { refreshEnded: family }),
        sessionEnded: (cause) => this.#hear(name, { ended: cause }),
        writable: () => {},
      },
    )
    this.#peers.set(name, peer)
    this.#network.listen(own, (connection) => peer.accept(connection))
    peer.start()
    await this.#until(`a session with ${name}`, () => peer.state === 'Established')
  }

  async #silence(name: string): Promise<void> {
    this.#network.blackhole(this.#addressOf(name))
    const neighbor = this.#speaker.neighbor(name)
    await this.#until(`the end of ${name}`, () => neighbor?.session === undefined)
    this.#peers.delete(name)
    this.#heard.delete(name)
  }

  #reconfigure(it: Extract<Happening, { reconfigure: string }>): void {
    const peers = this.#config.peers.map((peer) =>
      peer.name === it.reconfigure
        ? {
            ...peer,
            ...(it.export === undefined ? {} : { exportPolicy: [{ name: it.export, rules: [] }] }),
            ...(it.import === undefined ? {} : { importPolicy: [{ name: it.import, rules: [] }] }),
          }
        : peer,
    )
    this.#change({ ...this.#config, peers })
  }

  /** As a reload does it. */
  #change(after: Config): void {
    const change = changeOf(this.#config, after)
    if (change.changed.some(({ effect }) => effect !== 'live')) throw new Error('not a live change')
    this.#config = after
    this.#speaker.reconfigure(after, change)
  }

  /** Next hops are neighbours on the link whose network they are in, and else out of reach. */
  #resolveOnLinks(): void {
    this.#resolver.linkOf = (nextHop) => this.#linkOf(nextHop)
    for (const { address } of this.#host.addresses())
      this.#resolver.set(address.text, { own: true })
  }

  #linkOf(nextHop: Address): number {
    if (nextHop.zone !== undefined) return Number(nextHop.zone)
    for (const { address, length, link } of this.#host.addresses()) {
      if (contains(prefixOf(address, length), nextHop)) return link
    }
    return 0
  }

  #reach(nextHop: string, reachable: boolean): void {
    if (reachable) this.#resolver.set(nextHop, {})
    else this.#resolver.lose(nextHop)
  }

  #hear(name: string, what: object): void {
    const lines = this.#heard.get(name) ?? []
    this.#heard.set(name, [...lines, JSON.stringify(what).slice(1)])
  }

  #noteRoutes(): void {
    const now = new Map(
      [...this.#kernel.routes].map(([prefix, route]) => [prefix, this.#routeText(route)]),
    )
    const names = [...new Set([...this.#routes.keys(), ...now.keys()])].toSorted()
    for (const prefix of names) {
      const route = now.get(prefix)
      if (route === this.#routes.get(prefix)) continue
      const nextHops = route === undefined ? null : route.split(' + ')
      this.kernelChanges.push(JSON.stringify({ event: this.#event, prefix, nextHops }))
    }
    this.#routes = now
  }

  #routeText({ nextHopId, hops }: { nextHopId: number; hops: readonly object[] }): string {
    const legs = this.#kernel.objects.get(nextHopId) ?? hops
    const texts = legs.map((leg) => ('via' in leg ? (leg.via as Address).text : 'blackhole'))
    return texts.length === 0 ? 'blackhole' : texts.toSorted().join(' + ')
  }

  #peer(name: string): Peer {
    const peer = this.#peers.get(name)
    if (peer === undefined) throw new Error(`${name} has not connected`)
    return peer
  }

  #addressOf(name: string): Address {
    const found = this.#addresses.get(name)
    if (found === undefined) throw new Error(`${name} has not connected`)
    return found
  }

  async #until(what: string, condition: () => boolean): Promise<void> {
    const end = this.clock.now() + LONGEST_WAIT_MS
    while (!condition()) {
      if (this.clock.now() > end) throw new Error(`not within ${LONGEST_WAIT_MS} ms: ${what}`)
      await this.#pass(condition() ? 1 : 100)
    }
  }

  /** Lets time pass, the daemon's turns and the kernel working in between. */
  async #pass(milliseconds: number): Promise<void> {
    for (let i = 0; i < milliseconds; i++) {
      this.clock.advance(1)
      this.#kernel.work()
      // The scheduler's turns, and what they promise.
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve))
    }
  }

  #kernelAccess(): KernelAccess {
    return {
      open: (prefixes, events) => {
        const targets = new Targets(this.#kernel, this.clock, {
          failed: (_id, { text }) => this.kernelChanges.push(JSON.stringify({ failed: text })),
        })
        const { clock } = this
        const kernel = { writer: this.#kernel, reader: this.#kernel }
        return { targets, fib: new Fib({ ...MARK, ...kernel, targets, prefixes, clock, events }) }
      },
      close: () => this.#kernel.close(),
    }
  }
}
