/**
 * What a stream of bytes must do to a session: headers (RFC 4271 6.1), OPENs (6.2 and its successors),
 * messages out of state (RFC 6608). As independent of `src/` as `oracle.ts`, to which UPDATEs go.
 */
import { dataOf, verdictOn, type OracleSession, type OracleVerdict } from './oracle.ts'

const u16 = (bytes: Uint8Array, at: number): number => bytes[at] * 256 + bytes[at + 1]
const u32 = (bytes: Uint8Array, at: number): number => u16(bytes, at) * 65_536 + u16(bytes, at + 2)
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/**
 * The whole message at the start of `stream`; a NOTIFICATION for it; undefined when more must come. `longest`:
 * bytes of a message, 4096 unless RFC 8654 was agreed on, and for OPENs and KEEPALIVEs in any case (section 4).
 */
function messageIn(stream: Uint8Array, longest = 4096): Uint8Array | string | undefined {
  if (stream.length < 19) return undefined
  if (stream.subarray(0, 16).some((byte) => byte !== 0xff)) return '1/1'
  const length = u16(stream, 16)
  const type = stream[18]
  const smallest = [19, 29, 23, 21, 19, 23][type] ?? 19
  const largest = type === 4 ? 19 : type === 1 ? 4096 : longest
  if (length < 19 || length > longest) return `1/2: ${hexOf(stream.subarray(16, 18))}`
  if (type === 0 || type > 5) return `1/3: ${hexOf(stream.subarray(18, 19))}`
  if (length < smallest || length > largest) return `1/2: ${hexOf(stream.subarray(16, 18))}`
  return stream.length < length ? undefined : stream.subarray(0, length)
}

/** What one message of an Established session may bring: a reset, `closed`, or a change of routes. */
export type Step = { readonly ends: ReadonlySet<string> } | { readonly verdict?: OracleVerdict }

/** The steps that an Established session takes through `stream`, up to its end or the last whole message. */
export function* stepsThrough(stream: Uint8Array, session: OracleSession): Iterable<Step> {
  let rest = stream
  let step: Step
  do {
    const message = messageIn(rest, session.longest)
    if (message === undefined) return
    step = typeof message === 'string' ? end(message) : stepOf(message, session)
    yield step
    rest = rest.subarray(message.length)
  } while (!('ends' in step))
}

const end = (answer: string): Step => ({ ends: new Set([answer]) })

function stepOf(message: Uint8Array, session: OracleSession): Step {
  const body = message.subarray(19)
  switch (message[18]) {
    case 1:
      return end('5/3: 01')
    case 2: {
      const verdict = verdictOn(body, session)
      return verdict.resets.size > 0 ? { ends: verdict.resets } : { verdict }
    }
    case 3:
      return end('closed')
    case 5: {
      // RFC 7313 section 5
      const isBracket = body[2] === 1 || body[2] === 2
      return isBracket && body.length !== 4 ? end(`7/1: ${dataOf(message)}`) : {}
    }
    default:
      return {}
  }
}

/** Who we are to the sender of an OPEN, and whom we expect. */
export interface Expectation {
  readonly asn: number
  readonly ourAsn: number
  readonly ourIdentifier: string
}

/**
 * What may be answered to the first message of a peer: NOTIFICATIONs, `closed`, `OpenConfirm`, or nothing
 * yet (`OpenSent`).
 */
export function answersToFirst(stream: Uint8Array, expectation: Expectation): ReadonlySet<string> {
  const message = messageIn(stream)
  if (message === undefined) return new Set(['OpenSent'])
  if (typeof message === 'string') return new Set([message])
  const type = message[18]
  if (type === 3) return new Set(['closed'])
  if (type !== 1) return new Set([`5/1: 0${type}`])
  const faults = faultsOfOpen(message.subarray(19), expectation)
  return faults.size > 0 ? faults : new Set(['OpenConfirm'])
}

interface Offer {
  fault?: string
  asn?: number
  families: Set<string>
  multiprotocol: boolean
}

function faultsOfOpen(body: Uint8Array, { asn, ourAsn, ourIdentifier }: Expectation): Set<string> {
  if (body[0] !== 4) return new Set(['2/1: 0004'])
  const faults = new Set<string>()
  const twoOctets = u16(body, 1)
  const holdTime = u16(body, 3)
  const identifier = hexOf(body.subarray(5, 9))
  const offer = offerOf(body)
  const theirs = offer.asn ?? twoOctets
  if (offer.fault !== undefined) faults.add(offer.fault)
  if (twoOctets === 0 || theirs === 0 || (offer.fault === undefined && theirs !== asn))
    faults.add('2/2')
  if (holdTime === 1 || holdTime === 2) faults.add('2/6')
  if (identifier === '00000000' || (asn === ourAsn && identifier === ourIdentifier))
    faults.add('2/3')
  if (offer.fault === undefined && offer.multiprotocol && offer.families.size === 0) {
    faults.add('2/7: 010400010001010400020001')
  }
  return faults
}

/** Optional parameters in either format (RFC 4271 4.2, RFC 9072), and the capabilities in them (RFC 5492). */
function offerOf(body: Uint8Array): Offer {
  const offer: Offer = { families: new Set(), multiprotocol: false }
  const first = body[9]
  const extended = first > 0 && body[10] === 255
  if (extended && body.length < 13) return { ...offer, fault: '2/0' }
  const list = body.subarray(extended ? 13 : 10)
  if ((extended ? u16(body, 11) : first) !== list.length) return { ...offer, fault: '2/0' }
  const head = extended ? 3 : 2
  for (let at = 0; at < list.length;) {
    if (list.length - at < head) return { ...offer, fault: '2/0' }
    const length = extended ? u16(list, at + 1) : list[at + 1]
    if (list.length - at < head + length) return { ...offer, fault: '2/0' }
    if (list[at] !== 2) return { ...offer, fault: '2/4' }
    const fault = readCapabilities(list.subarray(at + head, at + head + length), offer)
    if (fault) return { ...offer, fault: '2/0' }
    at += head + length
  }
  return offer
}

/** True when they are malformed. */
function readCapabilities(list: Uint8Array, offer: Offer): boolean {
  for (let at = 0; at < list.length;) {
    const end = at + 2 + (list[at + 1] ?? 0)
    if (at + 2 > list.length || end > list.length) return true
    const value = list.subarray(at + 2, end)
    if (list[at] === 1) {
      if (value.length !== 4) return true
      offer.multiprotocol = true
      if (value[3] === 1 && (u16(value, 0) === 1 || u16(value, 0) === 2))
        offer.families.add(hexOf(value))
    } else if (list[at] === 65) {
      if (value.length !== 4) return true
      offer.asn ??= u32(value, 0)
    }
    at = end
  }
  return false
}
