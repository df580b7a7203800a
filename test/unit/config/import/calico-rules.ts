/**
 * What Calico does with a route, by the words of its API: a filter's rules in order, the first that matches decides;
 * import accepts what is left over; export asks about pools and blocks and rejects what is left over. Written anew
 * here, with numbers instead of prefixes, so that it can be held against what linnet's policies say.
 */
export interface CalicoRule {
  readonly cidr?: string
  readonly matchOperator?: 'Equal' | 'NotEqual' | 'In' | 'NotIn'
  readonly prefixLength?: { readonly min?: number; readonly max?: number }
  readonly source?: 'RemotePeers'
  readonly interface?: string
  readonly peerType?: 'eBGP' | 'iBGP'
  readonly communities?: { readonly values: readonly string[] }
  readonly asPathPrefix?: readonly number[]
  readonly priority?: number
  readonly action: 'Accept' | 'Reject'
  readonly operations?: readonly {
    readonly addCommunity?: { readonly value: string }
    readonly prependASPath?: { readonly prefix: readonly number[] }
    readonly setPriority?: { readonly value: number }
  }[]
}

export interface CalicoRoute {
  readonly prefix: string
  readonly asPath: readonly number[]
  readonly communities: readonly string[]
  readonly localPref: number
  /** Learned from a peer. */
  readonly learned: boolean
  readonly link?: string
}

/** The route as it comes out, or undefined when it is rejected. */
export type Outcome = Pick<CalicoRoute, 'asPath' | 'communities' | 'localPref'> | undefined

interface Numbers {
  readonly bits: number
  readonly value: bigint
  readonly length: number
}

function numbersOf(prefix: string): Numbers {
  const [address = '', length] = prefix.split('/')
  if (!address.includes(':')) {
    const value = address.split('.').reduce((sum, byte) => sum * 256n + BigInt(byte), 0n)
    return { bits: 32, value, length: Number(length) }
  }
  const [head = '', tail = ''] = address.split('::')
  const groups = (text: string): string[] => text.split(':').filter((it) => it !== '')
  const zeros = Array<string>(8 - groups(head).length - groups(tail).length).fill('0')
  const all = [...groups(head), ...zeros, ...groups(tail)]
  const value = all.reduce((sum, group) => sum * 65536n + BigInt(`0x${group}`), 0n)
  return { bits: 128, value, length: Number(length) }
}

export function isInside(inner: string, outer: string): boolean {
  const [a, b] = [numbersOf(inner), numbersOf(outer)]
  const shift = BigInt(b.bits - b.length)
  return a.bits === b.bits && a.length >= b.length && a.value >> shift === b.value >> shift
}

function cidrMatches(
  { cidr, matchOperator, prefixLength }: CalicoRule,
  { prefix }: CalicoRoute,
): boolean {
  if (cidr === undefined) return true
  const { length } = numbersOf(prefix)
  const isLong =
    length >= (prefixLength?.min ?? 0) && length <= (prefixLength?.max ?? numbersOf(prefix).bits)
  const equal = isInside(prefix, cidr) && length === numbersOf(cidr).length
  switch (matchOperator) {
    case 'Equal':
      return equal && isLong
    case 'NotEqual':
      return !(equal && isLong)
    case 'In':
      return isInside(prefix, cidr) && isLong
    default:
      return !(isInside(prefix, cidr) && isLong)
  }
}

function glob(pattern: string, text: string): boolean {
  if (pattern === '') return text === ''
  if (pattern.startsWith('*')) {
    return glob(pattern.slice(1), text) || (text !== '' && glob(pattern, text.slice(1)))
  }
  return text !== '' && pattern[0] === text[0] && glob(pattern.slice(1), text.slice(1))
}

const preferenceOf = (priority: number): number => 2147483647 - priority

function matches(rule: CalicoRule, route: CalicoRoute, peerType: 'eBGP' | 'iBGP'): boolean {
  const { source, peerType: wanted, communities, asPathPrefix = [], priority } = rule
  if (!cidrMatches(rule, route)) return false
  if (source === 'RemotePeers' && !route.learned) return false
  if (wanted !== undefined && wanted !== peerType) return false
  if (rule.interface !== undefined && !glob(rule.interface, route.link ?? '')) return false
  if (communities?.values.some((it) => !route.communities.includes(it)) === true) return false
  if (asPathPrefix.some((asn, i) => route.asPath[i] !== asn)) return false
  return priority === undefined || route.localPref === preferenceOf(priority)
}

function changed({ operations = [] }: CalicoRule, route: CalicoRoute): Outcome {
  const [asPath, communities] = [[...route.asPath], new Set(route.communities)]
  let { localPref } = route
  for (const { addCommunity, prependASPath, setPriority } of operations) {
    if (addCommunity !== undefined) communities.add(addCommunity.value)
    if (prependASPath !== undefined) asPath.unshift(...prependASPath.prefix)
    if (setPriority !== undefined) localPref = preferenceOf(setPriority.value)
  }
  return { asPath, communities: [...communities], localPref }
}

export interface Announcing {
  readonly pools: readonly { readonly cidr: string; readonly disableBGPExport?: boolean }[]
  readonly blocks: readonly string[]
}

/** `filters`: the rules of each, in order. */
export function calicoSays(
  filters: readonly (readonly CalicoRule[])[],
  route: CalicoRoute,
  peerType: 'eBGP' | 'iBGP',
  announcing?: Announcing,
): Outcome {
  const rule = filters.flat().find((it) => matches(it, route, peerType))
  if (rule !== undefined) return rule.action === 'Accept' ? changed(rule, route) : undefined
  if (announcing === undefined) return route
  const { pools, blocks } = announcing
  const { prefix } = route
  const isIn = (disabled: boolean): boolean =>
    pools.some((it) => (it.disableBGPExport === true) === disabled && isInside(prefix, it.cidr))
  if (isIn(true)) return undefined
  if (blocks.includes(prefix)) return route
  if (blocks.some((it) => isInside(prefix, it))) return undefined
  return isIn(false) ? route : undefined
}
