import { describe, expect, test } from 'vitest'
import {
  ON_ENTRY,
  STATES,
  transition,
  type Action,
  type EventType,
  type State,
  type Transition,
} from '../../../src/session/fsm.ts'

/**
 * One row per event, one column per state (RFC 4271 8.2.2), in the order of `COLUMNS`. A cell is:
 *   `.`            nothing happens
 *   State          that state is entered, with what entry to it brings
 *   `~Action,...`  the state stays, and these actions are carried out
 *   `x`            Idle, one failure counted, no word to the peer
 *   `x0`           Idle, the failures forgotten, no word to the peer
 *   `n/m`          Idle with NOTIFICATION n/m, one failure counted; `n/m:t` with the data byte t
 *   `event`        Idle with the NOTIFICATION that the event carries (here 9/9), one failure counted
 *   `event0`       the same, the failures forgotten
 */
const COLUMNS: readonly State[] = [
  'Idle',
  'Connect',
  'Active',
  'OpenSent',
  'OpenConfirm',
  'Established',
]

const TABLE: Readonly<Record<EventType, string>> = {
  // event                           Idle        Connect    Active     OpenSent      OpenConfirm   Established
  ManuallyStarted:
    '                 x0>Connect  .          .          .             .             .',
  ManuallyStopped:
    '                 .           x0         x0         event0        event0        event0',
  AutomaticallyStarted:
    '            Connect     .          .          .             .             .',
  ManuallyStartedPassively:
    '        x0>Active   .          .          .             .             .',
  AutomaticallyStartedPassively:
    '   Active      .          .          .             .             .',
  AutomaticallyStopped:
    '            .           x          x          event         event         event',
  ConnectRetryTimerExpired:
    '        .           x>Connect  Connect    5/0           5/0           5/0',
  HoldTimerExpired:
    '                .           x          x          4/0           4/0           4/0',
  KeepaliveTimerExpired:
    '           .           x          x          5/0           ~keepalive    ~keepalive',
  ConnectionAcknowledged:
    '          .           OpenSent   OpenSent   .             .             .',
  ConnectionConfirmed:
    '             .           OpenSent   OpenSent   .             .             .',
  ConnectionFailed:
    '                .           x          x          x>Active      x             x',
  OpenReceived:
    '                    .           x          x          OpenConfirm   5/2:1         5/3:1',
  HeaderErred:
    '                     .           x          x          event         event         event',
  OpenErred:
    '                       .           x          x          event         event         5/3:1',
  OpenCollisionDumped:
    '             .           x          x          6/7           6/7           6/7',
  VersionErrorReceived:
    '            .           x          x          Idle          Idle          x',
  NotificationReceived:
    '            .           x          x          x             x             x',
  KeepaliveReceived:
    '               .           x          x          5/1:4         Established   ~hold',
  UpdateReceived:
    '                  .           x          x          5/1:2         5/2:2         ~hold',
  UpdateErred:
    '                     .           x          x          5/1:2         5/2:2         event',
  SendHoldTimerExpired:
    '            .           x          x          5/0           8/0           8/0',
  RouteRefreshReceived:
    '            .           x          x          5/1:5         5/2:5         ~hold',
}

const CARRIED = { code: 9, subcode: 9, data: Uint8Array.of(7) }

function actionText(action: Action): string {
  if (!('notification' in action)) return action.type
  const { code, subcode, data } = action.notification
  return `SendNotification ${code}/${subcode}${data.length > 0 ? `:${data.join('.')}` : ''}`
}

const text = ({ state, actions }: Transition): string =>
  `${state}: ${actions.map(actionText).join(', ')}`

const entering = (state: State, ...before: string[]): string =>
  `${state}: ${[...before, ...ON_ENTRY[state].map(actionText)].join(', ')}`

/** What a cell of the table says, spelled out. */
function meaning(cell: string, state: State): string {
  const [head = '', then] = cell.split('>')
  if (head === '.') return `${state}: `
  if (head === '~keepalive') return `${state}: SendKeepalive, StartKeepaliveTimer`
  if (head === '~hold') return `${state}: RestartHoldTimer`
  const next = STATES.find((candidate) => candidate === (then ?? head)) ?? 'Idle'
  if (next === head) return entering(next)
  const counted = head.startsWith('event0') || head === 'x0' ? 'ForgetFailures' : 'CountFailure'
  if (head.startsWith('x')) return entering(next, counted)
  const notification = head.startsWith('event') ? '9/9:7' : head
  return entering('Idle', `SendNotification ${notification}`, counted)
}

describe('the machine follows the table for', () => {
  const rows = Object.entries(TABLE)
  expect(rows.length).toBe(23)
  test.each(rows)('%s', (type, cells) => {
    const row = cells.trim().split(/\s+/)
    expect(row).toHaveLength(COLUMNS.length)
    COLUMNS.forEach((state, i) => {
      const found = transition(state, { type: type as EventType, notification: CARRIED })
      expect(text(found), state).toBe(meaning(row[i] ?? '', state))
    })
  })
})

describe('entry to a state', () => {
  test('Idle leaves nothing behind', () => {
    expect(ON_ENTRY.Idle.map(actionText)).toEqual(['StopTimers', 'CloseConnection', 'EndSession'])
  })
  test('every state is known, and every state but Idle does something when entered', () => {
    expect(STATES.toSorted()).toEqual(COLUMNS.toSorted())
    for (const state of STATES) expect(ON_ENTRY[state].length, state).toBeGreaterThan(0)
  })
  test('the session begins on Established and ends with Idle, only there', () => {
    const having = (type: string): State[] =>
      STATES.filter((state) => ON_ENTRY[state].some((action) => action.type === type))
    expect(having('BeginSession')).toEqual(['Established'])
    expect(having('EndSession')).toEqual(['Idle'])
  })
})

test('a stop without a word for the peer still ceases', () => {
  expect(text(transition('Established', { type: 'AutomaticallyStopped' }))).toContain('6/0')
})

test('a NOTIFICATION is never answered with a NOTIFICATION (RFC 4271 6.4)', () => {
  for (const state of STATES) {
    for (const type of ['NotificationReceived', 'VersionErrorReceived'] as const) {
      expect(text(transition(state, { type })), state).not.toContain('SendNotification')
    }
  }
})
