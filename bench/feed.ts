/**
 * A feed of routes for benches: deterministic, Internet-like prefixes and attribute sets, encoded before the
 * clock starts, so that the sender costs next to nothing.
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

export interface FeedOptions {
  readonly prefixes: number
  readonly asn: number
  readonly nextHop: string
  readonly seed: number
  /** Prefixes of an attribute set, on average. */
  readonly perSet: number
  /** As between internal peers: with LOCAL_PREF 100. */
  readonly internal?: boolean
}

/** Shares of prefix lengths as in the global table, roughly. */
const LENGTHS = [
  [24, 0.6],
  [23, 0.1],
  [22, 0.12],
  [21, 0.05],
  [20, 0.05],
  [19, 0.03],
  [18, 0.02],
  [17, 0.01],
  [16, 0.02],
] as const

/** UPDATE messages for `prefixes` distinct IPv4 prefixes, in one buffer. */
export function feed(options: FeedOptions): Uint8Array {
  const next = random(options.seed)
  const seen = new Set<number>()
  const out = new Uint8Array(options.prefixes * 30 + 65_536)
  const nextHop = options.nextHop.split('.').map(Number)
  let at = 0
  let left = options.prefixes
  while (left > 0) {
    const count = Math.min(left, 1 + Math.floor(next() * (2 * options.perSet - 1)))
    const attributes = attributeBytes(options.asn, nextHop, next, options.internal === true)
    const start = at
    at += 19
    out[at++] = 0
    out[at++] = 0
    out[at++] = attributes.length >> 8
    out[at++] = attributes.length
    out.set(attributes, at)
    at += attributes.length
    for (let i = 0; i < count; i++) {
      const [length, word] = freshPrefix(next, seen)
      out[at++] = length
      for (let byte = 0; byte < (length + 7) >> 3; byte++) out[at++] = word >>> (24 - 8 * byte)
    }
    out.fill(0xff, start, start + 16)
    out[start + 16] = (at - start) >> 8
    out[start + 17] = at - start
    out[start + 18] = 2
    left -= count
  }
  return out.subarray(0, at)
}

function freshPrefix(next: () => number, seen: Set<number>): [number, number] {
  for (;;) {
    let share = next()
    let length = 24
    for (const [candidate, weight] of LENGTHS) {
      length = candidate
      share -= weight
      if (share < 0) break
    }
    const first = 1 + Math.floor(next() * 222)
    if (first === 10 || first === 127 || first === 169) continue
    const word = ((first << 24) | Math.floor(next() * 0x1_00_00_00)) & (-1 << (32 - length))
    const key = (word >>> 0) * 33 + length
    if (seen.has(key)) continue
    seen.add(key)
    return [length, word]
  }
}

function attributeBytes(
  asn: number,
  nextHop: number[],
  next: () => number,
  internal: boolean,
): number[] {
  const hops = 2 + Math.floor(next() * 4)
  const path = [asn, ...Array.from({ length: hops }, () => 1 + Math.floor(next() * 400_000))]
  const bytes = [0x40, 1, 1, 0]
  bytes.push(0x40, 2, 2 + 4 * path.length, 2, path.length)
  for (const hop of path) bytes.push(hop >>> 24, (hop >>> 16) & 255, (hop >>> 8) & 255, hop & 255)
  bytes.push(0x40, 3, 4, ...nextHop)
  if (internal) bytes.push(0x40, 5, 4, 0, 0, 0, 100)
  const communities = Math.floor(next() * 9)
  if (communities > 0) {
    bytes.push(0xc0, 8, 4 * communities)
    for (let i = 0; i < communities; i++) {
      bytes.push(asn >> 8, asn & 255, Math.floor(next() * 256), Math.floor(next() * 256))
    }
  }
  return bytes
}

/** UPDATE messages that withdraw every prefix that `messages` announce. */
export function withdrawalsOf(messages: Uint8Array): Uint8Array {
  const out = new Uint8Array(messages.length + 65_536)
  let to = 0
  let open = -1
  const close = (): void => {
    if (open < 0) return
    const length = to - open
    out[open + 19] = (length - 21) >> 8
    out[open + 20] = length - 21
    to += 2
    out.fill(0xff, open, open + 16)
    out[open + 16] = (length + 2) >> 8
    out[open + 17] = length + 2
    out[open + 18] = 2
    open = -1
  }
  for (let at = 0; at < messages.length;) {
    const end = at + ((messages[at + 16] << 8) | messages[at + 17])
    let prefix = at + 23 + ((messages[at + 21] << 8) | messages[at + 22])
    while (prefix < end) {
      const size = 1 + ((messages[prefix] + 7) >> 3)
      if (open >= 0 && to + size - open > 4000) close()
      if (open < 0) {
        open = to
        to += 21
      }
      out.set(messages.subarray(prefix, prefix + size), to)
      to += size
      prefix += size
    }
    at = end
  }
  close()
  return out.subarray(0, to)
}
