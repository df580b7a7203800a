/**
 * Errors of headers, OPENs and states against the running daemon: every row of the conformance tables that ends
 * a session, over TCP, each from a peer of its own, for one peer may not call as often as that.
 */
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NOTIFICATION, OPEN } from '../../support/bgp-messages.ts'
import { BgpPeer } from '../../support/bgp-peer.ts'
import { Workshop, type Daemon } from '../../support/daemon.ts'
import { enterFabric, wire } from '../../support/fabric.ts'
import { SPEAKER_ASN } from '../../support/speaker-stage.ts'
import { concat } from '../../support/update-builder.ts'
import {
  leadIn,
  PEER,
  SESSION_ERRORS,
  type SessionRow,
  type TalkingState,
} from '../../unit/conformance/session-errors.ts'
import { notificationText } from '../../unit/conformance/update-stage.ts'
import { hex } from '../../unit/wire/hex.ts'

/** As the tables know the speaker. */
const US = '10.0.0.100'
const BYSTANDER = '10.0.0.9'
const goesOn = ({ answer }: SessionRow): boolean =>
  answer === 'OpenConfirm' || answer === 'Established'

interface Case {
  readonly title: string
  readonly row: SessionRow
  readonly state: TalkingState
  /** Of its peer. */
  readonly address: string
}

const CASES: readonly Case[] = SESSION_ERRORS.flatMap(({ rule, rows }) =>
  rows
    .filter((row) => !goesOn(row))
    .flatMap((row) => row.states.map((state) => ({ rule, row, state }))),
).map(({ rule, row, state }, i) => ({
  ...{ row, state, address: `10.0.${1 + Math.floor(i / 200)}.${1 + (i % 200)}` },
  title: `${rule}: ${row.what}, in ${state}: ${row.answer}`,
}))

const peerLine = ({ address, row }: Case, i: number): string =>
  `  - { name: p${i}, address: ${address}, asn: ${row.internal === true ? SPEAKER_ASN : PEER.asn}, group: all }`
const CONFIG = `
asn: ${SPEAKER_ASN}
routerId: ${US}
peerGroups:
  all: { passive: true, import: accept, export: accept }
peers:
  - { name: bystander, address: ${BYSTANDER}, asn: 65009, group: all }
${CASES.map(peerLine).join('\n')}
kernel: { install: false }
`

const workshop = new Workshop()
let daemon: Daemon
let bystander: BgpPeer
beforeAll(async () => {
  const [host] = enterFabric()
  if (host === undefined) throw new Error('no host')
  const fabric = [BYSTANDER, ...CASES.map(({ address }) => address)].map((it) => `${it}/16`)
  await wire(host, { link: 'eth0', host: [`${US}/16`], fabric })
  daemon = await workshop.daemon(host, CONFIG)
  bystander = await new BgpPeer({ local: BYSTANDER, remote: US, asn: 65_009 }).up()
})
afterAll(async () => {
  bystander.close()
  await workshop.close()
})

/** All that the daemon says to `bytes`, sent once its OPEN is there, until it closes the connection. */
function conversation(local: string, bytes: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: US, port: 179, localAddress: local, noDelay: true })
    let heard: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      if (heard.length === 0) socket.write(bytes)
      heard = Buffer.concat([heard, chunk])
    })
    socket.on('end', () => resolve(heard))
    socket.on('error', reject)
  })
}

/** Type and body of each whole message. */
function messagesIn(bytes: Buffer): { type: number; body: Buffer }[] {
  const messages = []
  for (let at = 0; at < bytes.length;) {
    const end = at + bytes.readUInt16BE(at + 16)
    messages.push({ type: bytes[at + 18], body: bytes.subarray(at + 19, end) })
    at = end
  }
  return messages
}

describe('over TCP, the daemon answers', () => {
  test.each(CASES)('$title', async ({ row, state, address }) => {
    const bytes = concat(...leadIn(state, row.internal), hex(row.bytes))
    const [first, ...more] = messagesIn(await conversation(address, bytes))
    expect(first?.type).toBe(OPEN)
    const notifications = more.filter(({ type }) => type === NOTIFICATION)
    const told = notifications.map(({ body }) =>
      notificationText({ code: body[0], subcode: body[1], data: body.subarray(2) }),
    )
    expect(told).toEqual(row.answer === 'closed' ? [] : [row.answer])
    // It is the last word.
    if (told.length > 0) expect(more.at(-1)?.type).toBe(NOTIFICATION)
  })

  test('with every code and subcode that there is for it', () => {
    const codes = new Set(CASES.map(({ row }) => row.answer.split(':')[0]))
    const wanted = [
      '1/1',
      '1/2',
      '1/3',
      '2/1',
      '2/2',
      '2/3',
      '2/4',
      '2/6',
      '2/7',
      '5/1',
      '5/2',
      '5/3',
    ]
    expect(wanted.filter((code) => !codes.has(code))).toEqual([])
  })

  test('and the bystander has noticed nothing', async () => {
    expect(bystander.established).toBe(true)
    expect(bystander.sessions).toBe(1)
    expect(bystander.notifications).toEqual([])
    expect((await daemon.peer('bystander')).flaps).toBe(0)
    expect(daemon.stderr).toBe('')
  })
})
