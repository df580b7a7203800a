/**
 * Why a session likely does not come up, from what can be seen of it: facts in, words out.
 *
 * A segment with a wrong TCP MD5 signature or too low a TTL is dropped without an answer, so the session
 * itself only knows that nothing comes. The kernel counts what it drops, for the whole namespace and not by
 * peer: hence "likely", and hence only peers are suspected that the counter could be about.
 */
import type { DropCounter } from '../linux/drop-counts.ts'
import { TCP_AO_MISSING } from '../linux/tcp-ao.ts'
import { wordsOf, type Address } from '../net/address.ts'

export interface Facts {
  readonly address: Address
  /** A password is configured for it. */
  readonly hasKey: boolean
  /** TCP-AO keys are configured for it, and the kernel can sign with them or not. */
  readonly tcpAo: 'none' | 'signs' | 'missing'
  /** GTSM: hops. */
  readonly ttlSecurity?: number | undefined
  /** Counters that have grown of late. */
  readonly grown: ReadonlySet<DropCounter>
  /** Who has connected to us of late and is no peer. */
  readonly strangers: readonly Address[]
}

/** In words, or undefined when nothing points anywhere. */
export function likelyCause(facts: Facts): string | undefined {
  if (facts.tcpAo === 'missing') return TCP_AO_MISSING
  const dropped = [keyCause(facts), ttlCause(facts)].filter((it) => it !== undefined)
  // Both: the cause that was there before the other one is counted for a while.
  if (dropped.length > 0) return dropped.join('; ')
  const { address, strangers } = facts
  const stranger = nearestTo(address, strangers)
  if (stranger === undefined) return undefined
  return `${stranger.text} connects to us and is no peer of ours: if it is this one, which is configured as ${address.text}, one of the two addresses must change`
}

function keyCause({ hasKey, tcpAo, grown }: Facts): string | undefined {
  if (hasKey && grown.has('TCPMD5Failure')) {
    return "segments signed with another key come in and are dropped (TCPMD5Failure): the password likely differs from the peer's"
  }
  if (hasKey && grown.has('TCPMD5NotFound')) {
    return 'segments without a signature come in and are dropped (TCPMD5NotFound): the peer likely has no password for us'
  }
  if (!hasKey && grown.has('TCPMD5Unexpected')) {
    return 'signed segments come in and are dropped (TCPMD5Unexpected): the peer likely has a password for us, and we have none for it'
  }
  if (tcpAo === 'signs' && grown.has('TCPAOBad')) {
    return "segments signed with another key come in and are dropped (TCPAOBad): a key of tcpAo likely differs from the peer's"
  }
  if (tcpAo === 'signs' && grown.has('TCPAOKeyNotFound')) {
    return 'segments come in and are dropped that are signed by an id which we have no key for (TCPAOKeyNotFound): sendId and receiveId must be the other way round at the peer'
  }
  if (tcpAo === 'signs' && grown.has('TCPAORequired')) {
    return 'segments without a signature come in and are dropped (TCPAORequired): the peer likely has no TCP-AO key for us'
  }
  return undefined
}

function ttlCause({ ttlSecurity, grown }: Facts): string | undefined {
  if (ttlSecurity === undefined || !grown.has('TCPMinTTLDrop')) return undefined
  const hops = ttlSecurity === 1 ? '1 hop' : `${ttlSecurity} hops`
  return `segments with a TTL below ${256 - ttlSecurity} come in and are dropped (TCPMinTTLDrop): the peer likely does not send with TTL 255 (GTSM), or is more than ${hops} away`
}

/** Leading bits that a peer's two addresses likely share: the site's network. */
const NEAR_BITS = { ipv4: 16, ipv6: 48 } as const

/** The one of `others` that may well stand on the same router or link as `address`. */
export function nearestTo(address: Address, others: readonly Address[]): Address | undefined {
  let nearest: Address | undefined
  let most: number = NEAR_BITS[address.family]
  for (const other of others) {
    if (other.family !== address.family) continue
    const bits = commonBits(address, other)
    if (bits < most) continue
    most = bits
    nearest = other
  }
  return nearest
}

function commonBits(a: Address, b: Address): number {
  const [left, right] = [wordsOf(a.bytes), wordsOf(b.bytes)]
  const words = a.family === 'ipv4' ? 1 : 4
  for (let i = 0; i < words; i++) {
    const different = left[i] ^ right[i]
    if (different !== 0) return 32 * i + Math.clz32(different)
  }
  return 32 * words
}
