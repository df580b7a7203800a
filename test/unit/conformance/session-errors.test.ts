import { describe, expect, test } from 'vitest'
import { message } from '../../support/bgp-messages.ts'
import { SpeakerStage } from '../../support/speaker-stage.ts'
import { concat } from '../../support/update-builder.ts'
import { hex } from '../wire/hex.ts'
import {
  fillers,
  INTERNAL_PEER,
  leadIn,
  PEER,
  SESSION_ERRORS,
  type SessionRow,
  type TalkingState,
} from './session-errors.ts'
import { notificationText } from './update-stage.ts'

/** How the bytes come: in which chunks, and how many of them the network hands over at a time. */
interface Cut {
  readonly name: string
  readonly chunkBytes?: number
  readonly chunks: (before: readonly Uint8Array[], bytes: Uint8Array) => Uint8Array[]
  readonly states?: readonly TalkingState[]
}

const CUTS: readonly Cut[] = [
  { name: 'message by message', chunks: (before, bytes) => [...before, bytes] },
  { name: 'byte by byte', chunkBytes: 1, chunks: (before, bytes) => [...before, bytes] },
  { name: 'in one segment', chunks: (before, bytes) => [concat(...before, bytes)] },
  {
    name: 'with more behind it in the segment',
    chunks: (before, bytes) => [concat(...before, bytes, message(4), message(4))],
    states: ['OpenConfirm', 'Established'],
  },
  {
    name: 'twentieth in a segment',
    chunks: (before, bytes) => [...before, concat(...fillers(19), bytes)],
    states: ['Established'],
  },
  {
    name: 'in pieces of seven bytes, twenty messages',
    chunkBytes: 7,
    chunks: (before, bytes) => [concat(...before, ...fillers(19), bytes)],
    states: ['Established'],
  },
]

/** What the peer hears, or in which state the session is, once `row` was played. */
async function answerTo(row: SessionRow, state: TalkingState, cut: Cut): Promise<string> {
  const peer = row.internal === true ? INTERNAL_PEER : PEER
  const network = cut.chunkBytes === undefined ? {} : { chunkBytes: cut.chunkBytes }
  const stage = await new SpeakerStage([{ ...peer, name: 'tested' }], network).start()
  const tested = stage.peer('tested')
  tested.send(...cut.chunks(leadIn(state, row.internal), hex(row.bytes)))
  await stage.pass(20)
  const { connected, notifications } = tested
  const reached = stage.stateOf('tested')
  await stage.stop()
  expect(notifications.length).toBeLessThanOrEqual(1)
  const [error] = notifications
  if (error !== undefined) {
    expect(connected).toBe(false)
    expect(stage.told.some(({ text }) => text.length > 0)).toBe(true)
    return notificationText(error)
  }
  return connected ? reached : 'closed'
}

describe.each(SESSION_ERRORS)('$rule', ({ rows }) => {
  for (const row of rows) {
    for (const state of row.states) {
      test(`${row.what}, in ${state}: ${row.answer}, whatever the cut`, async () => {
        const cuts = CUTS.filter(({ states }) => states === undefined || states.includes(state))
        const goesOn = row.answer === 'OpenConfirm' || row.answer === 'Established'
        // Behind a good message, more of it is an error of its own.
        const fitting = goesOn ? cuts.filter(({ name }) => !name.startsWith('with more')) : cuts
        for (const cut of fitting) {
          expect(await answerTo(row, state, cut), cut.name).toBe(row.answer)
        }
      })
    }
  }
})

describe('a peer that says nothing (RFC 4271 8.2.2)', () => {
  const cases: readonly [state: TalkingState, afterSeconds: number][] = [
    ['OpenSent', 240],
    ['OpenConfirm', 90],
    ['Established', 90],
  ]
  test.each(cases)('in %s hears "Hold Timer Expired" after %i s', async (state, seconds) => {
    const stage = await new SpeakerStage([{ ...PEER, name: 'tested' }]).start()
    const tested = stage.peer('tested')
    tested.send(...leadIn(state))
    await stage.pass()
    expect(stage.stateOf('tested')).toBe(state)
    stage.clock.advance(seconds * 1000 - 100)
    expect(tested.notifications).toEqual([])
    stage.clock.advance(200)
    expect(tested.notifications.map(notificationText)).toEqual(['4/0'])
    await stage.stop()
  })
})
