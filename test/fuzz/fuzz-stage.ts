/**
 * One speaker for thousands of cases: peers that are played broken messages, one for each kind of session, and
 * a bystander with whom nothing may ever happen. Beside each peer stands the model: the routes
 * that it must have by the oracle's reading.
 */
import { expect } from 'vitest'
import { message, UPDATE, u16, u32 } from '../support/bgp-messages.ts'
import {
  EXTENDED_MESSAGE,
  EXTENDED_NEXT_HOP,
  fourOctetAs,
  IPV4_UNICAST,
  IPV6_UNICAST,
  SENDS_PATHS,
} from '../support/raw-peer.ts'
import { SPEAKER_ASN, SpeakerStage } from '../support/speaker-stage.ts'
import { notificationText } from '../unit/conformance/update-stage.ts'
import { ANYTHING, type OracleAttributes, type OracleSession } from './oracle.ts'
import { stepsThrough } from './stream-oracle.ts'

/** What two sides may have agreed on, so that each is there beside others and without them. */
const BASE: OracleSession = {
  external: true,
  wide: true,
  confederation: 'none',
  addPath: false,
  ipv6NextHops: false,
  longest: 4096,
}
const INTERNAL = { external: false, confederation: 'own' } as const
const SESSIONS = {
  eBGP: BASE,
  iBGP: { ...BASE, ...INTERNAL },
  'old eBGP': { ...BASE, wide: false },
  'old iBGP': { ...BASE, ...INTERNAL, wide: false },
  'member of the confederation': { ...BASE, external: false, confederation: 'other' },
  'eBGP with identifiers': { ...BASE, addPath: true },
  'old iBGP with identifiers': { ...BASE, ...INTERNAL, wide: false, addPath: true },
  'eBGP with long messages': { ...BASE, longest: 65_535, ipv6NextHops: true },
  'iBGP with everything': {
    ...{ ...BASE, ...INTERNAL, addPath: true, longest: 65_535, ipv6NextHops: true },
  },
} as const satisfies Readonly<Record<string, OracleSession>>

export type SessionKind = keyof typeof SESSIONS
export const SESSION_KINDS = Object.keys(SESSIONS) as SessionKind[]

export const sessionOf = (kind: SessionKind): OracleSession => SESSIONS[kind]
const MEMBER_ASN = 65_020
/** The speaker is in a confederation, for everybody; who is outside knows it by this number. */
const CONFEDERATION = `confederation: { asn: 64999, members: [${MEMBER_ASN}] }`
export function asnOf(kind: SessionKind): number {
  const { external, confederation } = sessionOf(kind)
  if (external) return 65_001 + SESSION_KINDS.indexOf(kind)
  return confederation === 'other' ? MEMBER_ASN : SPEAKER_ASN
}

const nameOf = (kind: SessionKind): string => kind.replaceAll(' ', '-')

const UNKNOWN: OracleAttributes = new Map()
/** Base: what the bystander has announced. */
const IDLE = { prefixes: 1, paths: 1, sets: 1, nextHops: 1 }

export class FuzzStage {
  readonly stage: SpeakerStage
  readonly #models = new Map<SessionKind, Map<string, OracleAttributes>>()
  readonly #malformed = new Map<SessionKind, number>()
  /** Cases by what came of them. */
  readonly outcomes = new Map<string, number>()

  constructor() {
    const peers = SESSION_KINDS.map((kind, i) => {
      const asn = asnOf(kind)
      const { wide, addPath, ipv6NextHops, longest } = sessionOf(kind)
      const capabilities = [
        ...[...IPV4_UNICAST, ...IPV6_UNICAST],
        ...(wide ? fourOctetAs(asn) : []),
        ...(addPath ? SENDS_PATHS : []),
        ...(ipv6NextHops ? EXTENDED_NEXT_HOP : []),
        ...(longest > 4096 ? EXTENDED_MESSAGE : []),
      ]
      // We offer all of it to everybody: what counts is what both have offered.
      const config = 'addPath: { receive: true }, extendedNextHop: true, extendedMessages: true'
      return { name: nameOf(kind), address: `10.0.0.${i + 1}`, asn, capabilities, config }
    })
    const bystander = { name: 'bystander', address: '10.0.0.99', asn: 65_099 }
    this.stage = new SpeakerStage([...peers, bystander], {}, CONFEDERATION)
    for (const kind of SESSION_KINDS) this.#models.set(kind, new Map())
  }

  async start(): Promise<this> {
    await this.stage.start()
    const bystander = this.stage.peer('bystander')
    bystander.send(soundUpdate(65_099, [[24, 203, 0, 113]], sessionOf('eBGP')))
    await this.stage.pass()
    return this
  }

  /**
   * Plays a stream to a peer that has routes to lose, and holds what came of it against the oracle. Sound
   * announcements stand before it and, unless it ends the session, behind it.
   */
  async play(kind: SessionKind, stream: Uint8Array, cuts: readonly number[]): Promise<void> {
    const peer = this.stage.peer(nameOf(kind))
    if (!peer.established) await this.#reconnect(kind)
    const session = sessionOf(kind)
    const before = soundUpdate(
      asnOf(kind),
      [
        [16, 10, 0],
        [16, 10, 1],
        [16, 10, 77],
      ],
      session,
    )
    const after = soundUpdate(asnOf(kind), [[16, 10, 78]], session)
    // Each case starts from the same routes, or it could not be shrunk.
    const taken = [...this.#modelOf(kind).keys()].map(withdrawal)
    const all = Buffer.concat([...taken, before, stream, after])
    for (const chunk of chunksOf(all, cuts)) peer.send(chunk)
    await this.stage.pass(4)
    try {
      this.#judge(kind, all, session)
    } catch (error) {
      await this.drop(kind)
      throw error
    }
    this.#checkBystander()
    this.stage.told.length = 0
  }

  #judge(kind: SessionKind, all: Uint8Array, session: OracleSession): void {
    const peer = this.stage.peer(nameOf(kind))
    const ends = this.#follow(kind, all, session)
    const [error] = peer.notifications.splice(0)
    if (ends === undefined) {
      expect(error === undefined ? 'goes on' : notificationText(error)).toBe('goes on')
      this.#compare(kind)
    } else {
      const answer = error === undefined ? 'closed' : notificationText(error)
      expect([...ends], `answered ${answer}`).toContain(answer)
      expect(peer.connected).toBe(false)
      this.#modelOf(kind).clear()
      this.#count(answer.split(':')[0] ?? '')
    }
  }

  #modelOf(kind: SessionKind): Map<string, OracleAttributes> {
    const model = this.#models.get(kind)
    if (model === undefined) throw new RangeError(kind)
    return model
  }

  /** Takes all routes back; nothing may be left of them. */
  async expectNoLeak(): Promise<void> {
    for (const [kind, model] of this.#models) {
      const peer = this.stage.peer(nameOf(kind))
      for (const prefix of model.keys()) peer.send(withdrawal(prefix))
      model.clear()
    }
    await this.stage.pass(20)
    expect(this.stage.live()).toEqual(IDLE)
  }

  async stop(): Promise<void> {
    await this.stage.stop()
  }

  /** A connection that ended in the middle of a message would wait for the rest. */
  async drop(kind: SessionKind): Promise<void> {
    this.stage.peer(nameOf(kind)).hangUp()
    this.#modelOf(kind).clear()
    await this.stage.pass(4)
  }

  async #reconnect(kind: SessionKind): Promise<void> {
    const peer = this.stage.peer(nameOf(kind))
    await this.stage.pass(4)
    this.stage.speaker.neighbor(nameOf(kind))?.peer.retryNow()
    await this.stage.until(`${kind} is back`, () => peer.established)
    peer.notifications.length = 0
    await this.stage.pass(4)
  }

  /** Moves the model along; the answers of which one must be heard, when the session is to end. */
  #follow(
    kind: SessionKind,
    stream: Uint8Array,
    session: OracleSession,
  ): ReadonlySet<string> | undefined {
    const model = this.#modelOf(kind)
    let malformed = 0
    for (const step of stepsThrough(stream, session)) {
      if ('ends' in step) {
        this.#malformed.set(kind, this.stage.malformed(nameOf(kind)))
        return step.ends
      }
      if (step.verdict === undefined) continue
      const { remedy, withdrawn, announced } = step.verdict
      for (const prefix of withdrawn) model.delete(prefix)
      for (const [prefix, attributes] of announced) model.set(prefix, attributes)
      if (remedy !== 'none') malformed++
      this.#count(remedy)
    }
    const count = this.stage.malformed(nameOf(kind))
    const before = this.#malformed.get(kind) ?? 0
    this.#malformed.set(kind, count)
    expect(count - before, 'malformed UPDATEs counted').toBe(malformed)
    return undefined
  }

  #compare(kind: SessionKind): void {
    const model = this.#modelOf(kind)
    const held = heldBy(this.stage, nameOf(kind))
    expect([...held.keys()].toSorted()).toEqual([...model.keys()].toSorted())
    for (const [prefix, attributes] of held) {
      for (const [code, value] of model.get(prefix) ?? UNKNOWN) {
        if (value !== ANYTHING)
          expect(attributes.get(code), `${prefix}: attribute ${code}`).toBe(value)
      }
      const codes = [...attributes.keys()].filter((code) => code !== 14)
      expect(codes, prefix).toEqual(
        [...(model.get(prefix) ?? UNKNOWN).keys()].toSorted((a, b) => a - b),
      )
    }
  }

  #checkBystander(): void {
    const bystander = this.stage.peer('bystander')
    expect(bystander.sessions).toBe(1)
    expect(bystander.established).toBe(true)
    expect(bystander.notifications).toEqual([])
    expect(heldBy(this.stage, 'bystander').size).toBe(1)
  }

  #count(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }
}

/** A sound announcement of these prefixes, each with its length in front. */
function soundUpdate(
  asn: number,
  prefixes: readonly number[][],
  { external, wide, confederation, addPath }: OracleSession,
): Uint8Array {
  const path = external || confederation === 'other' ? asn : 65_050
  const segment = [confederation === 'other' ? 3 : 2, 1, ...(wide ? u32(path) : u16(path))]
  const attributes = [
    ...[0x40, 1, 1, 0],
    ...[0x40, 2, segment.length, ...segment],
    ...[0x40, 3, 4, 10, 0, 0, 1],
    ...(external ? [] : [0x40, 5, 4, 0, 0, 0, 100]),
  ]
  const nlri = prefixes.flatMap((prefix) => [...(addPath ? u32(1) : []), ...prefix])
  return message(UPDATE, [0, 0, ...u16(attributes.length), ...attributes, ...nlri])
}

/** Withdraws a prefix as the oracle writes it, `0a010000/16` or `0a010000/16#7`. */
function withdrawal(text: string): Uint8Array {
  const [prefix = '', identifier] = text.split('#')
  const [address = '', length = '0'] = prefix.split('/')
  const bits = Number(length)
  const nlri = [
    ...(identifier === undefined ? [] : u32(Number(identifier))),
    ...[bits, ...Buffer.from(address, 'hex').subarray(0, Math.ceil(bits / 8))],
  ]
  if (address.length === 8) return message(UPDATE, [...u16(nlri.length), ...nlri, 0, 0])
  return message(UPDATE, [0, 0, 0, 6 + nlri.length, 0x80, 15, 3 + nlri.length, 0, 2, 1, ...nlri])
}

/** The Adj-RIB-In of a peer: prefixes as the oracle writes them, values of attributes by code. */
function heldBy({ speaker }: SpeakerStage, name: string): Map<string, Map<number, string>> {
  const held = new Map<string, Map<number, string>>()
  const peer = speaker.neighbor(name)?.session?.adjRibIn.peer
  if (peer === undefined) return held
  for (const { family, paths, prefixes } of speaker.rib.families) {
    for (let path = 1; path < paths.end; path++) {
      if (!paths.exists(path) || paths.peer(path) !== peer.id) continue
      const { bytes, length } = prefixes.prefix(paths.prefix(path))
      const set = speaker.rib.attributes.view(paths.received(path))
      const isOneOfSeveral = peer.options.addPath?.includes(family.name) === true
      const identifier = isOneOfSeveral ? `#${paths.id(path) >>> 0}` : ''
      held.set(`${Buffer.from(bytes).toString('hex')}/${length}${identifier}`, valuesIn(set))
    }
  }
  return held
}

function valuesIn(section: Uint8Array): Map<number, string> {
  const values = new Map<number, string>()
  for (let at = 0; at < section.length;) {
    const wide = (section[at] & 0x10) !== 0
    const start = at + (wide ? 4 : 3)
    const length = wide ? section[at + 2] * 256 + section[at + 3] : section[at + 2]
    values.set(
      section[at + 1],
      Buffer.from(section.subarray(start, start + length)).toString('hex'),
    )
    at = start + length
  }
  return values
}

/** `bytes` in pieces that end at these places, modulo its length. */
function chunksOf(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
  const sorted = ends.toSorted((a, b) => a - b)
  return sorted.map((end, i) => bytes.subarray(sorted[i - 1] ?? 0, end))
}
