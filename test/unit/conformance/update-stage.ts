/**
 * Plays one UPDATE of the conformance tables to a whole speaker: between a route that came before and one
 * that comes after, in a session with a bystander beside it.
 */
import type { RouteRow } from '../../../src/control/rows.ts'
import { message, UPDATE, u16 } from '../../support/bgp-messages.ts'
import {
  EXTENDED_MESSAGE,
  fourOctetAs,
  IPV4_UNICAST,
  IPV6_UNICAST,
  ROUTE_REFRESH,
  type HeardNotification,
} from '../../support/raw-peer.ts'
import { SPEAKER_ASN, SpeakerStage, type StagePeer } from '../../support/speaker-stage.ts'
import { concat } from '../../support/update-builder.ts'
import { hex, toHex } from '../wire/hex.ts'

/** `old` = without the capability for AS numbers of four octets (RFC 6793). */
export type Session = 'eBGP' | 'iBGP' | 'old eBGP' | 'old iBGP'

/** What carries the prefix under test: the NLRI field, or MP_REACH_NLRI. */
export type Carrier = 'ipv4' | 'ipv6'

export const BEFORE = '10.1.0.0/16'
export const AFTER = '10.2.0.0/16'
/** Announced beforehand with a sound set, so that a withdrawal shows. */
export const TESTED: Readonly<Record<Carrier, string>> = {
  ipv4: '10.9.0.0/16',
  ipv6: '2001:db8:9::/48',
}
const NLRI: Readonly<Record<Carrier, string>> = { ipv4: '10 0a09', ipv6: '30 20010db80009' }

export const ORIGIN = '40 01 01 00'
export const NEXT_HOP = '40 03 04 0a000001'
const LOCAL_PREF = '40 05 04 00000064'
/** Through AS 65001, or for internal peers through AS 65009. */
export const asPath = (session: Session): string =>
  session.startsWith('old')
    ? `40 02 04 0201 ${session.endsWith('eBGP') ? 'fde9' : 'fdf1'}`
    : `40 02 06 0201 ${session.endsWith('eBGP') ? '0000fde9' : '0000fdf1'}`
/** MP_REACH_NLRI with a good next hop and these NLRI. */
export const reach = (nlri: string): string => {
  const value = hex(`0002 01 10 20010db8${'00'.repeat(11)}01 00 ${nlri}`)
  return `80 0e ${toHex(Uint8Array.of(value.length))} ${toHex(value)}`
}
export const unreach = (nlri: string): string => {
  const value = hex(`0002 01 ${nlri}`)
  return `80 0f ${toHex(Uint8Array.of(value.length))} ${toHex(value)}`
}

/** Hexadecimal, all of it. */
export interface UpdateFields {
  readonly withdrawn?: string
  readonly section: string
  readonly nlri?: string
  /** What the message says instead of the true lengths of the first two. */
  readonly withdrawnLength?: number
  readonly sectionLength?: number
}

export function updateOf(fields: UpdateFields): Uint8Array {
  const withdrawn = hex(fields.withdrawn ?? '')
  const section = hex(fields.section)
  return message(UPDATE, [
    ...u16(fields.withdrawnLength ?? withdrawn.length),
    ...withdrawn,
    ...u16(fields.sectionLength ?? section.length),
    ...section,
    ...hex(fields.nlri ?? ''),
  ])
}

/** The sound attributes of a session, by code, MP_REACH_NLRI first (RFC 7606 5.1). */
export function soundAttributes(session: Session, carrier: Carrier): Map<number, string> {
  const set = new Map<number, string>()
  if (carrier === 'ipv6') set.set(14, reach(NLRI.ipv6))
  set.set(1, ORIGIN).set(2, asPath(session))
  if (carrier === 'ipv4') set.set(3, NEXT_HOP)
  if (session.endsWith('iBGP')) set.set(5, LOCAL_PREF)
  return set
}

/** The sound UPDATE, with `attribute` in the place of the one that has its code, or behind all others. */
export function updateWith(session: Session, carrier: Carrier, attribute: string): UpdateFields {
  const set = soundAttributes(session, carrier)
  if (attribute !== '') set.set(hex(attribute)[1], attribute)
  const section = [...set.values()].join(' ')
  return carrier === 'ipv4' ? { section, nlri: NLRI.ipv4 } : { section }
}

export interface Outcome {
  /** `code/subcode: data` of the NOTIFICATION, or what is left of the session. */
  readonly session: string
  /** What the peer has announced, as far as the tested messages let it. */
  readonly routes: ReadonlyMap<string, RouteRow>
  /** The same as the bystander hears it. */
  readonly heard: readonly string[]
  readonly malformed: number
  readonly log: readonly string[]
}

/** A session with a peer, and what is announced before and after the messages under test. */
export interface Scene {
  readonly peer: Omit<StagePeer, 'name' | 'address'>
  /** More lines of the speaker's configuration. */
  readonly config?: string
  readonly before: readonly Uint8Array[]
  readonly after: Uint8Array
}

const sceneOf = (session: Session): Scene => {
  const asn = session.endsWith('iBGP') ? SPEAKER_ASN : 65_001
  const wide = session.startsWith('old') ? [] : fourOctetAs(asn)
  const capabilities = [...IPV4_UNICAST, ...IPV6_UNICAST, ...ROUTE_REFRESH, ...wide]
  return {
    // Some of the paths do not begin with its AS; this is about what can't be read.
    peer: { asn, capabilities, config: 'enforceFirstAsn: false' },
    before: [
      plain(session, '10 0a01'),
      plain(session, NLRI.ipv4),
      updateOf(updateWith(session, 'ipv6', '')),
    ],
    after: plain(session, '10 0a02'),
  }
}

/** `3/1`, with data `3/2: 406301ab`. */
export const notificationText = ({ code, subcode, data }: HeardNotification): string =>
  data.length === 0 ? `${code}/${subcode}` : `${code}/${subcode}: ${toHex(data)}`

const plain = (session: Session, nlri: string): Uint8Array =>
  updateOf({ ...updateWith(session, 'ipv4', ''), nlri })

/** Plays `update` and says what came of it. Throws when the bystander suffers, or anything leaks. */
export const play = (session: Session, update: Uint8Array): Promise<Outcome> =>
  playIn(sceneOf(session), update)

/** Of the bystander, who shall hear long routes too. */
const BYSTANDER = [...IPV4_UNICAST, ...IPV6_UNICAST, ...EXTENDED_MESSAGE, ...fourOctetAs(65_002)]

/** The same of messages that come in one segment. */
export async function playIn(scene: Scene, ...messages: readonly Uint8Array[]): Promise<Outcome> {
  const peers = [
    { ...scene.peer, name: 'tested', address: '10.0.0.1' },
    { name: 'bystander', address: '10.0.0.2', asn: 65_002, capabilities: BYSTANDER },
  ]
  const stage = await new SpeakerStage(peers, {}, scene.config).start()
  const tested = stage.peer('tested')
  const bystander = stage.peer('bystander')
  const own = updateOf({ ...updateWith('eBGP', 'ipv4', ''), nlri: '18 cb0071' })
  bystander.send(own)
  tested.send(...scene.before)
  await stage.pass()
  tested.send(concat(...messages, scene.after))
  await stage.pass()
  const [error] = tested.notifications
  const outcome: Outcome = {
    session: error === undefined ? stage.stateOf('tested') : notificationText(error),
    routes: stage.received('tested'),
    heard: [...bystander.routes.keys()].toSorted(),
    malformed: stage.malformed('tested'),
    log: stage.told.filter((it) => it.kind === 'MalformedUpdateReceived').map(({ text }) => text),
  }
  if (bystander.sessions !== 1 || !bystander.established) throw new Error('the bystander suffers')
  if (stage.received('bystander').size !== 1) throw new Error('routes of the bystander are lost')
  for (const peer of [tested, bystander]) peer.hangUp()
  await stage.pass()
  const left = stage.live()
  if (Object.values(left).some((count) => count > 0)) {
    throw new Error(`left over: ${JSON.stringify(left)}`)
  }
  await stage.stop()
  return outcome
}
