/**
 * A whole speaker in memory between peers made of bytes: sessions, RIB, update groups, all of it, on a clock
 * and a network of the test's own. What a message does is seen from outside: in `show routes`, in `show
 * peer`, in what the peers hear.
 */
import type { Commands } from '../../src/control/queries.ts'
import type { RouteRow } from '../../src/control/rows.ts'
import type { BfdService } from '../../src/daemon/bfd-thread.ts'
import { Events, type DaemonEvent } from '../../src/daemon/events.ts'
import { orders } from '../../src/daemon/orders.ts'
import { routeRows } from '../../src/daemon/route-rows.ts'
import { Speaker } from '../../src/daemon/speaker.ts'
import { address } from '../../src/net/address.ts'
import { configOf } from '../unit/config/loading.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeResolver } from './fake-resolver.ts'
import { MemoryHost } from './memory-host.ts'
import { MemoryNetwork, type MemoryNetworkOptions } from './memory-transport.ts'
import { RawPeer, type RawPeerOptions } from './raw-peer.ts'

/** The speaker: AS 65000 at 10.0.0.100 and 2001:db8::100. */
export const SPEAKER_ASN = 65_000
const OWN = '10.0.0.100'

export interface StagePeer extends RawPeerOptions {
  readonly name: string
  /** More lines of its configuration, as YAML in flow style: `routeReflectorClient: true`. */
  readonly config?: string
}

export class SpeakerStage {
  readonly clock = new FakeClock()
  /** With 10.0.0.100/24 and 2001:db8::100/64 on eth0. */
  readonly host = new MemoryHost()
  readonly speaker: Speaker
  /** What the operator may order, as `linnet reset` and the like do. */
  readonly orders: Commands
  /** What was told to the log. */
  readonly told: (Pick<DaemonEvent, 'kind' | 'text'> & { readonly peer: string | null })[] = []
  readonly #network: MemoryNetwork
  readonly #peers = new Map<string, RawPeer>()

  /** `more`: further lines of the configuration. */
  constructor(
    peers: readonly StagePeer[],
    network: Omit<MemoryNetworkOptions, 'clock'> = {},
    more = '',
    bfd?: BfdService,
  ) {
    const { clock } = this
    this.#network = new MemoryNetwork({ ...network, clock })
    const events = new Events(clock)
    events.subscribe(({ kind, text, peer }) => void this.told.push({ kind, text, peer }))
    const { host } = this
    host.link('eth0').address('eth0', `${OWN}/24`).address('eth0', '2001:db8::100/64')
    // Real sockets are not for this tier: the speaker calls, the peers listen.
    const config = { ...configOf(yamlOf(peers, more)), listen: [] }
    this.speaker = new Speaker(config, address(OWN), {
      clock,
      events,
      host,
      resolver: new FakeResolver(),
      transport: this.#network.transportOf(address(OWN)),
      kernel: undefined,
      ...(bfd === undefined ? {} : { bfd }),
    })
    const { speaker } = this
    this.orders = orders({ speaker, host, events, configPath: '', ...NOBODY })
    for (const peer of peers) this.#peers.set(peer.name, new RawPeer(this.#network, peer))
  }

  /** Calls all peers; resolves when every session is up, or at least every connection. */
  async start(): Promise<this> {
    await this.speaker.start()
    await this.until('everybody is there', () =>
      [...this.#peers.values()].every((it) =>
        it.options.mute === true ? it.connected : it.established,
      ),
    )
    await this.pass()
    return this
  }

  async stop(): Promise<void> {
    await this.speaker.stop('the test is over', 'keep')
  }

  peer(name: string): RawPeer {
    const peer = this.#peers.get(name)
    if (peer === undefined) throw new Error(`no peer ${name}`)
    return peer
  }

  /** UPDATEs of this peer that were malformed and cost less than the session. */
  malformed(name: string): number {
    return this.speaker.neighbor(name)?.malformed ?? 0
  }

  stateOf(name: string): string {
    return this.speaker.neighbor(name)?.snapshot().state ?? 'none'
  }

  /** Its Adj-RIB-In, as `show routes --received` has it; `10.0.0.0/8#7` where there are identifiers. */
  received(name: string): Map<string, RouteRow> {
    const rows = routeRows(this.speaker, { view: 'received', peer: name, longer: false })
    const keyOf = ({ prefix, pathId }: RouteRow): string =>
      pathId === null ? prefix : `${prefix}#${pathId}`
    return new Map([...rows].map((row) => [keyOf(row), row]))
  }

  /** What lives in the tables: all zero when nobody has said anything, or everything was taken back. */
  live(): { prefixes: number; paths: number; sets: number; nextHops: number } {
    const { families, attributes, nextHops } = this.speaker.rib
    return {
      prefixes: families[0].prefixes.live + families[1].prefixes.live,
      paths: families[0].paths.live + families[1].paths.live,
      sets: attributes.live,
      nextHops: [...nextHops].length,
    }
  }

  /** Lets time pass, the speaker's turns in between. */
  async pass(milliseconds = 8): Promise<void> {
    for (let i = 0; i < milliseconds; i += 2) {
      this.clock.advance(2)
      await turn()
    }
    while (this.speaker.rib.busy) await turn()
  }

  async until(what: string, condition: () => boolean, deadlineMs = 120_000): Promise<void> {
    const end = this.clock.now() + deadlineMs
    while (!condition()) {
      if (this.clock.now() > end) throw new Error(`not within ${deadlineMs} ms: ${what}`)
      this.clock.advance(50)
      await turn()
    }
  }
}

const NOBODY = { reloaded: () => {}, stop: () => {} }

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

const yamlOf = (peers: readonly StagePeer[], more: string): string => `
asn: ${SPEAKER_ASN}
routerId: ${OWN}
peers:
${peers
  .map(
    ({ name, address: own, asn, config }) =>
      `  - { name: ${name}, address: ${own}, asn: ${asn}, import: accept, export: accept${config === undefined ? '' : `, ${config}`} }`,
  )
  .join('\n')}
kernel: { install: false }
${more}
`
