import { describe, expect, test } from 'vitest'
import { STATES, type BfdPacket, type State } from '../../../src/bfd/packet.ts'
import {
  begin,
  detectionMicroseconds,
  nextState,
  packetOf,
  step,
  transmitMicroseconds,
  type Action,
  type BfdTimers,
  type Event,
  type Session,
} from '../../../src/bfd/state-machine.ts'

const TIMERS: BfdTimers = {
  desiredMinTxMicroseconds: 300_000,
  requiredMinRxMicroseconds: 300_000,
  detectMultiplier: 3,
}

const packet = (state: State, more: Partial<BfdPacket> = {}): BfdPacket => ({
  diagnostic: 0,
  state,
  poll: false,
  final: false,
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: 5,
  myDiscriminator: 77,
  yourDiscriminator: 9,
  desiredMinTxMicroseconds: state === 'Up' ? 100_000 : 1_000_000,
  requiredMinRxMicroseconds: 100_000,
  requiredMinEchoRxMicroseconds: 0,
  ...more,
})

const received = (state: State, more: Partial<BfdPacket> = {}): Event => ({
  type: 'PacketReceived',
  packet: packet(state, more),
})

function after(session: Session, ...events: Event[]): { session: Session; actions: Action[] } {
  const actions: Action[] = []
  for (const event of events) {
    const taken = step(session, event)
    session = taken.session
    actions.push(...taken.actions)
  }
  return { session, actions }
}

const fresh = (timers = TIMERS): Session => begin(9, timers).session
const TO_REACH: Readonly<Record<State, readonly Event[]>> = {
  Down: [],
  Init: [received('Down')],
  Up: [received('Init')],
  AdminDown: [{ type: 'Disabled' }],
}
const inState = (state: State): Session => after(fresh(), ...TO_REACH[state]).session
/** Up, and the poll that made it quick is answered. */
const settled = (): Session => after(inState('Up'), received('Up', { final: true })).session

const sent = (actions: readonly Action[]): BfdPacket[] =>
  actions.flatMap((it) => (it.type === 'SendPacket' ? [it.packet] : []))
const told = (actions: readonly Action[]) =>
  actions.flatMap((it) => (it.type === 'TellState' ? [[it.from, it.to, it.failure]] : []))

describe('every cell of the table of RFC 5880 section 6.8.6', () => {
  /** Rows: our state. Columns: what the peer says, in the order of STATES. */
  const TABLE: Readonly<Record<State, readonly State[]>> = {
    AdminDown: ['AdminDown', 'AdminDown', 'AdminDown', 'AdminDown'],
    Down: ['Down', 'Init', 'Up', 'Down'],
    Init: ['Down', 'Init', 'Up', 'Up'],
    Up: ['Down', 'Down', 'Up', 'Up'],
  }
  const CELLS = STATES.flatMap((own) =>
    STATES.map((remote, i) => [own, remote, TABLE[own][i]] as const),
  )
  test.each(CELLS)('%s, the peer says %s: %s', (own, remote, expected) => {
    expect(nextState(own, remote)).toBe(expected)
    const { session, actions } = after(inState(own), received(remote))
    expect(session.state).toBe(expected)
    expect(session.remote).toMatchObject({ state: remote, discriminator: 77 })
    // A change of state is told at once, and only a change.
    expect(sent(actions).map(({ state }) => state)).toEqual(expected === own ? [] : [expected])
    expect(told(actions)).toEqual(
      expected === own ? [] : [[own, expected, own === 'Up' && remote === 'Down']],
    )
  })

  test.each(STATES)('silence while %s', (own) => {
    const { session, actions } = after(inState(own), { type: 'DetectionTimeExpired' })
    const fails = own === 'Init' || own === 'Up'
    expect(session.state).toBe(fails ? 'Down' : own)
    expect(session.remote).toMatchObject({ state: 'Down', discriminator: 0 })
    expect(session.diagnostic).toBe(fails ? 1 : own === 'AdminDown' ? 7 : 0)
    expect(actions).toContainEqual({ type: 'RestartDetection', afterMs: 0 })
    expect(told(actions)).toEqual(fails ? [[own, 'Down', own === 'Up']] : [])
  })

  test.each(STATES)('switched off while %s', (own) => {
    const { session, actions } = after(inState(own), { type: 'Disabled' })
    expect(session).toMatchObject({ state: 'AdminDown', diagnostic: 7 })
    expect(told(actions)).toEqual(own === 'AdminDown' ? [] : [[own, 'AdminDown', false]])
  })

  test.each(STATES)('switched on while %s', (own) => {
    const { session } = after(inState(own), { type: 'Enabled' })
    expect(session.state).toBe(own === 'AdminDown' ? 'Down' : own)
  })
})

describe('diagnostics', () => {
  test('a peer that says Down gives us 3, and coming up takes it away', () => {
    const down = after(settled(), received('Down')).session
    expect(down.diagnostic).toBe(3)
    expect(after(down, received('Down')).session).toMatchObject({ state: 'Init', diagnostic: 3 })
    expect(after(down, received('Init')).session).toMatchObject({ state: 'Up', diagnostic: 0 })
  })

  test('a peer that switches BFD off is no failure', () => {
    const { session, actions } = after(settled(), received('AdminDown', { diagnostic: 7 }))
    expect(session).toMatchObject({ state: 'Down', diagnostic: 3, remote: { diagnostic: 7 } })
    expect(told(actions)).toEqual([['Up', 'Down', false]])
  })

  test('nor is a peer whose BFD begins anew, unless it complains', () => {
    const anew = { myDiscriminator: 78, yourDiscriminator: 0 }
    expect(told(after(settled(), received('Down', anew)).actions)).toEqual([['Up', 'Down', false]])
    const complains = received('Down', { ...anew, diagnostic: 1 })
    expect(told(after(settled(), complains).actions)).toEqual([['Up', 'Down', true]])
  })

  test('of a peer that is silent its C bit is remembered', () => {
    const up = after(settled(), received('Up', { controlPlaneIndependent: true })).session
    const { session } = after(up, { type: 'DetectionTimeExpired' })
    expect(session.remote.controlPlaneIndependent).toBe(true)
  })
})

test('the first packet says Down, slowly, and knows nobody', () => {
  const { session, actions } = begin(9, TIMERS)
  expect(actions).toEqual([
    { type: 'SendPacket', packet: packetOf(session) },
    { type: 'SetTransmitInterval', leastMs: 750, mostMs: 1000 },
  ])
  expect(packetOf(session)).toMatchObject({
    state: 'Down',
    myDiscriminator: 9,
    yourDiscriminator: 0,
    desiredMinTxMicroseconds: 1_000_000,
    requiredMinRxMicroseconds: 300_000,
    requiredMinEchoRxMicroseconds: 0,
    controlPlaneIndependent: false,
  })
})

describe('the pace', () => {
  test('nobody is quicker than once a second before Up, or than configured if that is slower', () => {
    for (const state of ['Down', 'Init', 'AdminDown'] as const) {
      expect(transmitMicroseconds(inState(state))).toBe(1_000_000)
    }
    expect(transmitMicroseconds(fresh({ ...TIMERS, desiredMinTxMicroseconds: 4e6 }))).toBe(4e6)
  })

  test('up, the slower of what we like and the peer can: at once, with a poll', () => {
    const { session, actions } = after(fresh(), ...TO_REACH.Up)
    expect(transmitMicroseconds(session)).toBe(300_000)
    expect(sent(actions).at(-1)).toMatchObject({ poll: true, desiredMinTxMicroseconds: 300_000 })
    expect(actions).toContainEqual({ type: 'SetTransmitInterval', leastMs: 225, mostMs: 300 })
    const slowPeer = after(session, received('Up', { requiredMinRxMicroseconds: 700_000 })).session
    expect(transmitMicroseconds(slowPeer)).toBe(700_000)
  })

  test('a peer that wants no packets gets none, but its polls are answered', () => {
    const quiet = { requiredMinRxMicroseconds: 0 }
    const { session, actions } = after(settled(), received('Up', quiet))
    expect(actions).toContainEqual({ type: 'SetTransmitInterval', leastMs: 0, mostMs: 0 })
    expect(sent(after(session, received('Up', { ...quiet, poll: true })).actions)).toHaveLength(1)
  })

  test('a peer in demand mode gets none while all is well', () => {
    const { session } = after(settled(), received('Up', { demand: true }))
    expect(transmitMicroseconds(session)).toBe(0)
    expect(transmitMicroseconds(after(session, received('Down', { demand: true })).session)).toBe(
      1e6,
    )
  })

  test.each([
    [1, 0.9],
    [2, 1],
    [255, 1],
  ])('with multiplier %i at most %f of an interval passes', (detectMultiplier, share) => {
    const { actions } = begin(9, { ...TIMERS, detectMultiplier })
    expect(actions).toContainEqual({
      type: 'SetTransmitInterval',
      leastMs: 750,
      mostMs: 1000 * share,
    })
  })
})

describe('the detection time', () => {
  test("is the peer's multiplier times the slower of both", () => {
    expect(detectionMicroseconds(fresh())).toBe(0)
    expect(detectionMicroseconds(settled())).toBe(5 * 300_000)
    const slow = received('Up', { desiredMinTxMicroseconds: 2e6, detectMultiplier: 2 })
    const { session, actions } = after(settled(), slow)
    expect(detectionMicroseconds(session)).toBe(2 * 2e6)
    expect(actions).toContainEqual({ type: 'RestartDetection', afterMs: 4000 })
  })

  test('begins anew with each packet, also while switched off', () => {
    for (const state of STATES) {
      const { actions } = after(inState(state), received('Down'))
      expect(actions.filter(({ type }) => type === 'RestartDetection')).toHaveLength(1)
    }
  })
})

describe('a poll', () => {
  const slower: Event = {
    type: 'TimersChanged',
    timers: { ...TIMERS, desiredMinTxMicroseconds: 900_000, requiredMinRxMicroseconds: 100_000 },
  }

  test('of the peer is answered at once, also while we poll', () => {
    for (const session of [settled(), inState('Up')]) {
      const { actions } = after(session, received('Up', { poll: true }))
      expect(sent(actions)).toMatchObject([{ poll: false, final: true }])
    }
  })

  test('goes on until its answer comes', () => {
    const up = inState('Up')
    expect(packetOf(after(up, received('Up')).session).poll).toBe(true)
    expect(packetOf(settled()).poll).toBe(false)
  })

  test('what makes us slower, or less patient, counts when it is answered', () => {
    const { session, actions } = after(settled(), slower)
    expect(sent(actions)).toMatchObject([
      { poll: true, desiredMinTxMicroseconds: 900_000, requiredMinRxMicroseconds: 100_000 },
    ])
    expect(transmitMicroseconds(session)).toBe(300_000)
    expect(detectionMicroseconds(session)).toBe(5 * 300_000)
    const answered = after(session, received('Up', { final: true }))
    expect(transmitMicroseconds(answered.session)).toBe(900_000)
    expect(detectionMicroseconds(answered.session)).toBe(5 * 100_000)
    expect(answered.actions).toContainEqual({ type: 'RestartDetection', afterMs: 500 })
    expect(answered.actions).toContainEqual({
      type: 'SetTransmitInterval',
      leastMs: 675,
      mostMs: 900,
    })
  })

  test('what makes us quicker, or more patient, counts at once', () => {
    const timers = {
      ...TIMERS,
      desiredMinTxMicroseconds: 150_000,
      requiredMinRxMicroseconds: 600_000,
    }
    const { session } = after(settled(), { type: 'TimersChanged', timers })
    expect(transmitMicroseconds(session)).toBe(150_000)
    expect(detectionMicroseconds(session)).toBe(5 * 600_000)
  })

  test('of two changes the second is polled for when the first is answered', () => {
    const slowest: Event = {
      type: 'TimersChanged',
      timers: { ...TIMERS, desiredMinTxMicroseconds: 2e6 },
    }
    const { session } = after(settled(), slower, slowest, received('Up', { final: true }))
    expect(transmitMicroseconds(session)).toBe(300_000)
    expect(packetOf(session).poll).toBe(true)
    expect(transmitMicroseconds(after(session, received('Up', { final: true })).session)).toBe(2e6)
  })

  test('ends with the session', () => {
    const { session } = after(settled(), slower, { type: 'DetectionTimeExpired' })
    expect(packetOf(session).poll).toBe(false)
    expect(transmitMicroseconds(session)).toBe(1_000_000)
  })

  test('a state that is told in answer to a poll is one packet', () => {
    const { actions } = after(inState('Init'), received('Up', { poll: true }))
    expect(sent(actions)).toMatchObject([{ state: 'Up', final: true, poll: false }])
  })
})
