/**
 * Two peers and the network between them, all in memory, on one owned clock: what each of them was told
 * is written down in words.
 */
import { address } from '../../../src/net/address.ts'
import { decodeUtf8, encodeUtf8 } from '../../../src/net/utf8.ts'
import { Peer } from '../../../src/session/peer.ts'
import type { PeerEvents, PeerOptions } from '../../../src/session/peer-options.ts'
import type { Connection } from '../../../src/session/transport.ts'
import { encodeMessage } from '../../../src/wire/message.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryNetwork, type MemoryNetworkOptions } from '../../support/memory-transport.ts'

export const ADDRESS_A = address('10.0.0.1')
export const ADDRESS_B = address('10.0.0.2')

/** A pseudo-random sequence, the same in every run (a linear congruence). */
export function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return state / 0x7fff_ffff
  }
}

/** An UPDATE whose body is `text`: the session room doesn't look into it. At least 4 bytes, as UPDATEs have. */
export const update = (text: string): Uint8Array => encodeMessage(2, encodeUtf8(text.padEnd(4)))

export interface Side {
  readonly peer: Peer
  /** `Idle > Active: started`, `established`, `ended: ...`, in order. */
  readonly log: string[]
  /** Bodies of the UPDATEs that came, as text. */
  readonly updates: string[]
  /** May be replaced by a test. */
  events: Partial<PeerEvents>
}

export interface PairOptions extends Omit<MemoryNetworkOptions, 'clock'> {
  readonly a?: Partial<PeerOptions>
  readonly b?: Partial<PeerOptions>
  readonly random?: () => number
}

export interface Pair {
  readonly clock: FakeClock
  readonly network: MemoryNetwork
  readonly a: Side
  readonly b: Side
  /** Connections that were accepted, on both sides. */
  readonly accepted: Connection[]
}

const BASE = {
  holdTimeSeconds: 90,
  connectRetrySeconds: 5,
  passive: false,
  families: ['ipv4', 'ipv6'],
  extendedNextHop: false,
  socket: {},
} as const

/** AS 65001 at 10.0.0.1 and AS 65002 at 10.0.0.2; b has the higher identifier. */
export function pair(options: PairOptions = {}): Pair {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ ...options, clock })
  const random = options.random ?? (() => 1)
  const accepted: Connection[] = []
  const side = (own: typeof ADDRESS_A, peerOptions: PeerOptions): Side => {
    const environment = { transport: network.transportOf(own), clock, random }
    const made: Side = {
      peer: new Peer(
        peerOptions,
        environment,
        eventsOf(() => made),
      ),
      log: [],
      updates: [],
      events: {},
    }
    network.listen(own, (connection) => {
      accepted.push(connection)
      made.peer.accept(connection)
    })
    return made
  }
  const a = side(ADDRESS_A, {
    ...BASE,
    name: 'b',
    localAsn: 65001,
    remoteAsn: 65002,
    routerId: 0x0a000001,
    remote: { address: ADDRESS_B, port: 179 },
    ...options.a,
  })
  const b = side(ADDRESS_B, {
    ...BASE,
    name: 'a',
    localAsn: 65002,
    remoteAsn: 65001,
    routerId: 0xc0000202,
    remote: { address: ADDRESS_A, port: 179 },
    ...options.b,
  })
  return { clock, network, a, b, accepted }
}

/** Starts both and waits until both are Established. */
export function establish(options: PairOptions = {}): Pair {
  const made = pair(options)
  made.a.peer.start()
  made.b.peer.start()
  made.clock.advanceUntil(() => bothEstablished(made), 60_000)
  return made
}

export const bothEstablished = ({ a, b }: Pair): boolean =>
  a.peer.state === 'Established' && b.peer.state === 'Established'

function eventsOf(side: () => Side): PeerEvents {
  const log = (line: string): void => void side().log.push(line)
  return {
    stateChanged: (from, to, cause) => log(`${from} > ${to}: ${cause}`),
    established(session) {
      log('established')
      side().events.established?.(session)
    },
    update(buffer, start, end) {
      side().updates.push(decodeUtf8(buffer.subarray(start, end)).trimEnd())
      side().events.update?.(buffer, start, end)
    },
    routeRefreshReceived: (family) => log(`route refresh: ${family}`),
    refreshBegan: (family) => log(`refresh began: ${family}`),
    refreshEnded: (family) => log(`refresh ended: ${family}`),
    sessionEnded(cause) {
      log(`ended: ${cause}`)
      side().events.sessionEnded?.(cause)
    },
    writable() {
      log('writable')
      side().events.writable?.()
    },
  }
}
