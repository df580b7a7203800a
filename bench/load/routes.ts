/**
 * Routes for benches: deterministic from a seed, alike to what is met in the field, encoded before the clock starts, so
 * that the sender costs next to nothing.
 *
 * Prefixes and attribute sets have seeds of their own: several peers can tell of the same prefixes by different
 * paths. `setOf` says which prefixes share one set; the encoder writes one UPDATE a set, as a router does that has
 * just read its table.
 */

/** Small and good enough: xorshift32. */
export function random(seed: number): () => number {
  let state = seed | 0 || 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 0x1_0000_0000
  }
}

export const PROFILES = ['internet', 'datacenter'] as const
export type Profile = (typeof PROFILES)[number]

export interface Routes {
  readonly family: 'ipv4' | 'ipv6'
  readonly count: number
  /** Of each prefix. */
  readonly lengths: Uint8Array
  /** Its first 32 bits (IPv4), or 64 bits in two words (IPv6). */
  readonly words: Int32Array
  /** Number of the first prefix of each attribute set, and `count` at the end. */
  readonly sets: Int32Array
}

export interface RoutesOptions {
  readonly family: 'ipv4' | 'ipv6'
  readonly count: number
  readonly seed: number
  readonly profile: Profile
}

/** Shares of prefix lengths: as in the global tables, roughly, and as container hosts have them. */
const LENGTHS: Readonly<Record<string, readonly (readonly [length: number, share: number])[]>> = {
  'internet ipv4': [
    [24, 0.6],
    [23, 0.1],
    [22, 0.12],
    [21, 0.05],
    [20, 0.05],
    [19, 0.03],
    [18, 0.02],
    [17, 0.01],
    [16, 0.02],
  ],
  'internet ipv6': [
    [48, 0.48],
    [32, 0.13],
    [44, 0.11],
    [40, 0.1],
    [36, 0.08],
    [29, 0.03],
    [64, 0.07],
  ],
  'datacenter ipv4': [
    [32, 0.7],
    [26, 0.3],
  ],
  'datacenter ipv6': [
    [64, 0.7],
    [56, 0.3],
  ],
}

/**
 * Prefixes of an attribute set: at least, and at most; what is the most differs from table to table, between these.
 * In the Internet's tables there are about 6 on average.
 */
const SET_SIZES: Readonly<Record<Profile, { readonly least: number; readonly most: Range }>> = {
  internet: { least: 1, most: [8, 14] },
  datacenter: { least: 4, most: [16, 64] },
}
type Range = readonly [from: number, to: number]

export function routesOf({ family, count, seed, profile }: RoutesOptions): Routes {
  const next = random(seed)
  const stride = family === 'ipv4' ? 1 : 2
  const lengths = new Uint8Array(count)
  const words = new Int32Array(count * stride)
  const table = LENGTHS[`${profile} ${family}`] ?? []
  const seen = new Set<string | number>()
  for (let i = 0; i < count;) {
    const length = draw(table, next())
    const first = firstWord(family, profile, next) & maskOf(length)
    const second = stride === 1 ? 0 : Math.floor(next() * 0x1_0000_0000) & maskOf(length - 32)
    const key = stride === 1 ? (first >>> 0) * 64 + length : `${first} ${second} ${length}`
    if (seen.has(key)) continue
    seen.add(key)
    lengths[i] = length
    words[i * stride] = first
    if (stride === 2) words[i * stride + 1] = second
    i++
  }
  const { least, most: range } = SET_SIZES[profile]
  const most = within(range, next())
  const sets = [0]
  for (let at = 0; at < count; sets.push(at)) {
    at = Math.min(count, at + within([least, most], next()))
  }
  return { family, count, lengths, words, sets: Int32Array.from(sets) }
}

const within = ([from, to]: Range, at: number): number => from + Math.floor(at * (to - from + 1))

function draw(table: readonly (readonly [number, number])[], at: number): number {
  let left = at
  for (const [length, share] of table) {
    left -= share
    if (left < 0) return length
  }
  return table[0][0]
}

const maskOf = (length: number): number =>
  length <= 0 ? 0 : length >= 32 ? -1 : -1 << (32 - length)

/** Of 10.99.0.0/16, where the bench has its own addresses. */
const OWN_NETWORK = 99

function firstWord(family: 'ipv4' | 'ipv6', profile: Profile, next: () => number): number {
  const bits = Math.floor(next() * 0x1_00_00_00)
  if (family === 'ipv6') return (0x2a << 24) | bits
  if (profile === 'datacenter')
    return (10 << 24) | (bits >> 16 === OWN_NETWORK ? bits ^ 0x80_0000 : bits)
  for (;;) {
    const first = 1 + Math.floor(next() * 222)
    // The bench's own network, the loopback, link-local addresses.
    if (first !== 10 && first !== 127 && first !== 169) return (first << 24) | bits
  }
}

export interface EncodeOptions {
  readonly asn: number
  /** The sender's address; of IPv6, 16 bytes. */
  readonly nextHop: Uint8Array
  /** Of the attributes. */
  readonly seed: number
  /** Between internal peers: with LOCAL_PREF, without our own AS in front. */
  readonly internal?: boolean
  /** ASes more in each path than it would have: the less preferred, the more. */
  readonly longer?: number
  /** Leave out prefixes below, and from this number on. Default: all. */
  readonly from?: number
  readonly to?: number
}

const MARKER = 0xff
const UPDATE = 2
const MOST_NLRI = 3000

/** UPDATE messages for the routes, one after the other in one buffer. */
export function announcements(routes: Routes, options: EncodeOptions): Uint8Array {
  const { from = 0, to = routes.count } = options
  const next = random(options.seed)
  const out = new Writer((to - from) * 40 + routes.sets.length * 96 + 16_384)
  for (let set = 0; set + 1 < routes.sets.length; set++) {
    const attributes = attributesOf(options, routes.family, next)
    const end = Math.min(to, routes.sets[set + 1])
    let at = Math.max(from, routes.sets[set])
    while (at < end) at = writeUpdate(out, routes, attributes, options.nextHop, at, end)
  }
  return out.bytes()
}

/** UPDATE messages that withdraw them. */
export function withdrawals(routes: Routes, from = 0, to = routes.count): Uint8Array {
  const out = new Writer((to - from) * 24 + 16_384)
  let at = from
  while (at < to) {
    const start = out.begin()
    const isIpv4 = routes.family === 'ipv4'
    if (!isIpv4) out.put([0, 0])
    const length = out.at
    out.skip(2)
    if (!isIpv4) out.put([0x90, 15, 0, 0, 0, 2, 1])
    const first = out.at
    while (at < to && out.at - first < MOST_NLRI) out.prefix(routes, at++)
    // Before the prefixes of IPv6 stand AFI and SAFI: 3 bytes.
    if (!isIpv4) out.word16(first - 5, out.at - first + 3)
    out.word16(length, out.at - length - 2)
    if (isIpv4) out.put([0, 0])
    out.end(start)
  }
  return out.bytes()
}

/** Writes one UPDATE that begins with prefix `at`; returns the first that did not fit. */
function writeUpdate(
  out: Writer,
  routes: Routes,
  attributes: readonly number[],
  nextHop: Uint8Array,
  at: number,
  end: number,
): number {
  const start = out.begin()
  out.put([0, 0])
  const length = out.at
  out.skip(2)
  out.put(attributes)
  if (routes.family === 'ipv4') {
    out.word16(length, out.at - length - 2)
  } else {
    out.put([0x90, 14, 0, 0, 0, 2, 1, 16])
    out.put(nextHop)
    out.put([0])
  }
  const first = out.at
  let next = at
  while (next < end && out.at - first < MOST_NLRI) out.prefix(routes, next++)
  if (routes.family === 'ipv6') {
    // AFI, SAFI, length and next hop stand before the prefixes: 21 bytes.
    out.word16(first - 23, out.at - first + 21)
    out.word16(length, out.at - length - 2)
  }
  out.end(start)
  return next
}

/** In the order of their codes, as routers send them (RFC 4271 section 5). */
function attributesOf(
  { asn, nextHop, internal, longer = 0 }: EncodeOptions,
  family: Routes['family'],
  next: () => number,
): number[] {
  const hops = 2 + Math.floor(next() * 4)
  const own = internal === true ? [] : [asn]
  const more = Array.from({ length: longer }, () => asn)
  const others = Array.from({ length: hops }, () => 1 + Math.floor(next() * 60_000))
  const path = [...own, ...more, ...others]
  const bytes = [0x40, 1, 1, 0, 0x40, 2, 2 + 4 * path.length, 2, path.length]
  for (const hop of path) bytes.push(hop >>> 24, (hop >>> 16) & 255, (hop >>> 8) & 255, hop & 255)
  if (family === 'ipv4') bytes.push(0x40, 3, 4, ...nextHop)
  if (internal === true) bytes.push(0x40, 5, 4, 0, 0, 0, 100)
  const communities = Math.floor(next() * 9)
  if (communities > 0) bytes.push(0xc0, 8, 4 * communities)
  for (let i = 0; i < communities; i++) {
    bytes.push(asn >> 8, asn & 255, Math.floor(next() * 256), Math.floor(next() * 256))
  }
  return bytes
}

/** A buffer that messages are written into. */
class Writer {
  #bytes: Uint8Array
  at = 0

  constructor(size: number) {
    this.#bytes = new Uint8Array(size)
  }

  /** Room for a message and its header; where it starts. */
  begin(): number {
    if (this.at + 8192 > this.#bytes.length) {
      const larger = new Uint8Array(this.#bytes.length * 2)
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    const start = this.at
    this.#bytes.fill(MARKER, start, start + 16)
    this.at += 19
    return start
  }

  end(start: number): void {
    this.word16(start + 16, this.at - start)
    this.#bytes[start + 18] = UPDATE
  }

  put(bytes: ArrayLike<number>): void {
    this.#bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  skip(count: number): void {
    this.at += count
  }

  word16(at: number, value: number): void {
    this.#bytes[at] = value >> 8
    this.#bytes[at + 1] = value & 255
  }

  prefix({ family, lengths, words }: Routes, i: number): void {
    const length = lengths[i]
    this.#bytes[this.at++] = length
    const at = family === 'ipv4' ? i : 2 * i
    for (let byte = 0; byte < (length + 7) >> 3; byte++) {
      this.#bytes[this.at++] = words[at + (byte >> 2)] >>> (24 - 8 * (byte & 3))
    }
  }

  /** A copy: what waits in a socket shall hold no more memory than it needs. */
  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.at)
  }
}

/** The address of one of the prefixes. */
export function addressBytes({ family, words }: Routes, i: number): Uint8Array {
  const size = family === 'ipv4' ? 4 : 16
  const at = family === 'ipv4' ? i : 2 * i
  // Of IPv6 only the first half is ever used.
  return Uint8Array.from({ length: size }, (_, byte) =>
    byte < 8 ? words[at + (byte >> 2)] >>> (24 - 8 * (byte & 3)) : 0,
  )
}

/** The IPv4 address of a word. */
export const textOf = (word: number): string =>
  [24, 16, 8, 0].map((by) => (word >>> by) & 255).join('.')

/** Some of the routes of IPv4, as one attribute set. */
export const partOf = (routes: Routes, from: number, to: number): Routes => ({
  ...routes,
  count: to - from,
  lengths: routes.lengths.subarray(from, to),
  words: routes.words.subarray(from, to),
  sets: Int32Array.of(0, to - from),
})

/** Always the same `count` IPv4 prefixes as in the Internet, for whoever needs just many routes. */
const usual = (count: number): Routes =>
  routesOf({ family: 'ipv4', profile: 'internet', count, seed: 7 })

/** UPDATE messages for them, of a peer in AS `asn` at `nextHop`: `10.0.1.2`. */
export const usualTable = (count: number, asn: number, nextHop: string): Uint8Array =>
  announcements(usual(count), {
    ...{ asn, nextHop: Uint8Array.from(nextHop.split('.').map(Number)), seed: 8 },
  })

/** UPDATE messages that withdraw them. */
export const usualTableGone = (count: number): Uint8Array => withdrawals(usual(count))
