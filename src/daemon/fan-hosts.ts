/**
 * The hosts of a Fan that asks nobody (`overlay.fan.learn: static`): each host that the underlay has room for, and the
 * slice that is its own, put into the RIB as if a peer named `fan` had told them. Ubuntu's kernel works out the host of
 * each packet; a stock one has no such mapping, so it gets one route a slice, which comes to the same.
 *
 * They are the last choice (LOCAL_PREF 0): what a peer tells of a slice goes before. They are told to nobody.
 */
import { address, addressFromBytes, type Address } from '../net/address.ts'
import type { Clock, Timer } from '../net/clock.ts'
import { sliceOf, type FanMapping } from '../net/fan.ts'
import type { Rib } from '../rib/rib.ts'
import type { RibPeer } from '../rib/peer.ts'
import { encodeAttributes } from '../wire/attributes/describe.ts'

/** Longest stretch that is worked out in one turn of the loop. */
const AT_ONCE = 512
/** Who seems to tell of the slices. */
const NAME = 'fan'

export class FanHosts {
  readonly #mapping: FanMapping
  readonly #rib: Rib
  readonly #clock: Clock
  readonly #peer: RibPeer
  #timer: Timer | undefined

  constructor(mapping: FanMapping, asn: number, rib: Rib, clock: Clock) {
    this.#mapping = mapping
    this.#rib = rib
    this.#clock = clock
    const [nobody, routerId] = [address('0.0.0.0'), 0]
    this.#peer = rib.addSource({
      ...{ name: NAME, address: nobody, routerId, asn, external: false },
      routeReflectorClient: false,
    })
  }

  start(): void {
    this.#tell(0)
  }

  close(): void {
    this.#timer?.cancel()
  }

  #tell(from: number): void {
    const { underlay } = this.#mapping
    const count = 2 ** (32 - underlay.length)
    const to = Math.min(count, from + AT_ONCE)
    for (let i = from; i < to; i++) {
      // The first and the last are nobody's: the network itself, and everybody in it.
      if (count > 2 && (i === 0 || i === count - 1)) continue
      this.#tellOf(hostAt(underlay.bytes, i))
    }
    if (to < count) this.#timer = this.#clock.after(0, () => this.#tell(to))
  }

  #tellOf(host: Address): void {
    const attributes = encodeAttributes({
      ...{ origin: 'IGP', asPath: '', nextHop: host.text, localPref: 0 },
      communities: ['no-advertise'],
    })
    const since = Math.floor(this.#clock.wallNow() / 1000)
    this.#rib.announce(sliceOf(this.#mapping, host), attributes, since, this.#peer)
  }
}

function hostAt(network: Uint8Array, i: number): Address {
  const bytes = Uint8Array.from(network)
  for (let byte = 3, left = i; left > 0; byte--, left >>>= 8) bytes[byte] |= left & 255
  return addressFromBytes(bytes)
}
