/**
 * The BGP finite state machine (RFC 4271 section 8) as a pure function of state and event.
 *
 * The machine decides and the driver acts (`conversation.ts`): a transition is a next state and a list
 * of actions, all plain data, so a whole session can be replayed on paper. One run of the machine drives
 * one connection; a peer has two runs, one that connects and one that listens (`peer.ts`), which is
 * what 8.2.1 calls an FSM per connection, so the collision of section 6.8 is decided between runs and
 * arrives here as `OpenCollisionDumped`.
 *
 * What a state needs or forbids happens on entry to it (`ON_ENTRY`), however it was reached: Idle means
 * no timers, no connection, no session. Left out are the optional DelayOpen (events 12 and 20) and the
 * damping of peer oscillations (events 6, 7, 13): the back-off of `back-off.ts` spaces the attempts.
 */
import type { Notification } from '../wire/notification.ts'

export type State = 'Idle' | 'Connect' | 'Active' | 'OpenSent' | 'OpenConfirm' | 'Established'

/** In the order of progress; the state of a peer is that of its run that got furthest. */
export const STATES: readonly State[] = [
  'Idle',
  'Active',
  'Connect',
  'OpenSent',
  'OpenConfirm',
  'Established',
]

/** The events, with their numbers in RFC 4271 8.1. */
export type EventType =
  | 'ManuallyStarted' // 1
  | 'ManuallyStopped' // 2
  | 'AutomaticallyStarted' // 3
  | 'ManuallyStartedPassively' // 4
  | 'AutomaticallyStartedPassively' // 5
  | 'AutomaticallyStopped' // 8
  | 'ConnectRetryTimerExpired' // 9
  | 'HoldTimerExpired' // 10
  | 'KeepaliveTimerExpired' // 11
  | 'ConnectionAcknowledged' // 16: ours was taken
  | 'ConnectionConfirmed' // 17: theirs came in
  | 'ConnectionFailed' // 18
  | 'OpenReceived' // 19, a good one
  | 'HeaderErred' // 21
  | 'OpenErred' // 22
  | 'OpenCollisionDumped' // 23
  | 'VersionErrorReceived' // 24, NOTIFICATION 2/1
  | 'NotificationReceived' // 25
  | 'KeepaliveReceived' // 26
  | 'UpdateReceived' // 27
  | 'UpdateErred' // 28
  | 'SendHoldTimerExpired' // 29, RFC 9687
  | 'RouteRefreshReceived' // RFC 2918

export interface FsmEvent {
  readonly type: EventType
  /** For the peer: the error found in its message, or the cease that goes with a stop. */
  readonly notification?: Notification
}

export type Action =
  | { readonly type: 'SendNotification'; readonly notification: Notification }
  | { readonly type: ActionType }

type ActionType =
  | 'InitiateConnection'
  | 'CloseConnection'
  | 'SendOpen'
  | 'SendKeepalive'
  | 'StartConnectRetryTimer'
  | 'StopConnectRetryTimer'
  /** Some minutes for the peer's OPEN to come (8.2.2, OpenSent). */
  | 'StartLargeHoldTimer'
  | 'StartHoldTimer'
  | 'RestartHoldTimer'
  | 'StartKeepaliveTimer'
  | 'StopTimers'
  /** Increments and zeroes the ConnectRetryCounter. */
  | 'CountFailure'
  | 'ForgetFailures'
  | 'BeginSession'
  | 'EndSession'

export interface Transition {
  readonly state: State
  readonly actions: readonly Action[]
}

/** What happens on entry to a state, also from itself. */
export const ON_ENTRY: Readonly<Record<State, readonly Action[]>> = {
  Idle: plan('StopTimers', 'CloseConnection', 'EndSession'),
  Connect: plan('CloseConnection', 'StartConnectRetryTimer', 'InitiateConnection'),
  Active: plan('StopTimers', 'CloseConnection', 'StartConnectRetryTimer'),
  OpenSent: plan('StopConnectRetryTimer', 'SendOpen', 'StartLargeHoldTimer'),
  OpenConfirm: plan('SendKeepalive', 'StartHoldTimer', 'StartKeepaliveTimer'),
  Established: plan('RestartHoldTimer', 'BeginSession'),
}

/** The whole machine. */
export function transition(state: State, event: FsmEvent): Transition {
  const rules = MACHINE[state]
  const rule = rules[event.type] ?? rules.otherwise
  return rule(event)
}

type Rule = (event: FsmEvent) => Transition
type Rules = { readonly [Type in EventType]?: Rule } & { readonly otherwise: Rule }

function plan(...types: readonly ActionType[]): readonly Action[] {
  return types.map((type) => ({ type }))
}

/** A rule without parameters, made once: the machine allocates only where an event carries something. */
function always(state: State, before: readonly Action[] = []): Rule {
  const made: Transition = { state, actions: [...before, ...ON_ENTRY[state]] }
  return () => made
}

const enter = (state: State): Rule => always(state)

function stay(state: State, ...types: readonly ActionType[]): Rule {
  const made: Transition = { state, actions: plan(...types) }
  return () => made
}

/** Ends the attempt, without a word to the peer. */
const drop: Rule = always('Idle', plan('CountFailure'))
/** Ends the attempt on request: the next one starts with a clean slate. */
const forget: Rule = always('Idle', plan('ForgetFailures'))

/** Ends the attempt with a NOTIFICATION; after a manual stop the failures are forgotten. */
function refuse(notification: Notification, count: ActionType = 'CountFailure'): Transition {
  return {
    state: 'Idle',
    actions: [{ type: 'SendNotification', notification }, { type: count }, ...ON_ENTRY.Idle],
  }
}

const CEASE = 6
const COLLISION_RESOLUTION = 7
const NOTHING = new Uint8Array(0)
const notice = (code: number, subcode: number, data = NOTHING): Notification => ({
  code,
  subcode,
  data,
})

/** Tells the peer what the event carries. */
const tell: Rule = (event) => refuse(event.notification ?? notice(CEASE, 0))
const tellAndForget: Rule = (event) =>
  refuse(event.notification ?? notice(CEASE, 0), 'ForgetFailures')
const dumped: Rule = () => refuse(notice(CEASE, COLLISION_RESOLUTION))
const heldTooLong: Rule = () => refuse(notice(4, 0))
const sentNothing: Rule = () => refuse(notice(8, 0))

const FSM_ERROR = 5
/** Message types, for the data of an FSM error (RFC 6608 section 4). */
const MESSAGE_TYPE: { readonly [Type in EventType]?: number } = {
  OpenReceived: 1,
  OpenErred: 1,
  UpdateReceived: 2,
  UpdateErred: 2,
  KeepaliveReceived: 4,
  RouteRefreshReceived: 5,
}

/** The event has no place in this state: FSM error, with RFC 6608's subcode when it was a message. */
const unexpected =
  (subcode: 1 | 2 | 3): Rule =>
  (event) => {
    const type = MESSAGE_TYPE[event.type]
    if (type === undefined) return refuse(notice(FSM_ERROR, 0))
    return refuse(notice(FSM_ERROR, subcode, Uint8Array.of(type)))
  }

const ignored = (state: State): Rules => {
  const unmoved = stay(state)
  return {
    ManuallyStarted: unmoved,
    AutomaticallyStarted: unmoved,
    ManuallyStartedPassively: unmoved,
    AutomaticallyStartedPassively: unmoved,
    otherwise: unmoved,
  }
}

/**
 * A manual start zeroes the failure counter as 8.2.2 has it; an automatic one does not, because our
 * back-off doubles by that counter.
 */
const idle: Rules = {
  ManuallyStarted: always('Connect', plan('ForgetFailures')),
  AutomaticallyStarted: enter('Connect'),
  ManuallyStartedPassively: always('Active', plan('ForgetFailures')),
  AutomaticallyStartedPassively: enter('Active'),
  otherwise: stay('Idle'),
}

/**
 * An attempt that failed or ran out of time is counted here too, beyond 8.2.2, for the sake of the
 * back-off. Without DelayOpen no message can come in before OpenSent.
 */
const connect: Rules = {
  ...ignored('Connect'),
  ManuallyStopped: forget,
  ConnectRetryTimerExpired: always('Connect', plan('CountFailure')),
  ConnectionAcknowledged: enter('OpenSent'),
  ConnectionConfirmed: enter('OpenSent'),
  otherwise: drop,
}

const active: Rules = {
  ...ignored('Active'),
  ManuallyStopped: forget,
  ConnectRetryTimerExpired: enter('Connect'),
  ConnectionAcknowledged: enter('OpenSent'),
  ConnectionConfirmed: enter('OpenSent'),
  otherwise: drop,
}

/** What holds in the three states with a connection. A NOTIFICATION is never answered (6.4). */
const connected = {
  ManuallyStopped: tellAndForget,
  AutomaticallyStopped: tell,
  HoldTimerExpired: heldTooLong,
  HeaderErred: tell,
  OpenCollisionDumped: dumped,
  NotificationReceived: drop,
} satisfies { readonly [Type in EventType]?: Rule }

/** A second connection is another run's business. */
const secondConnection = (state: State): Omit<Rules, 'otherwise'> => ({
  ConnectionAcknowledged: stay(state),
  ConnectionConfirmed: stay(state),
})

const openSent: Rules = {
  ...ignored('OpenSent'),
  ...connected,
  ...secondConnection('OpenSent'),
  // The peer will come back with another version: no failure to be held against it.
  VersionErrorReceived: enter('Idle'),
  OpenErred: tell,
  // Counted as well: a host where this peer is not configured takes connections, only to close them.
  ConnectionFailed: always('Active', plan('CountFailure')),
  OpenReceived: enter('OpenConfirm'),
  otherwise: unexpected(1),
}

const openConfirm: Rules = {
  ...ignored('OpenConfirm'),
  ...connected,
  ...secondConnection('OpenConfirm'),
  VersionErrorReceived: enter('Idle'),
  OpenErred: tell,
  ConnectionFailed: drop,
  KeepaliveTimerExpired: stay('OpenConfirm', 'SendKeepalive', 'StartKeepaliveTimer'),
  SendHoldTimerExpired: sentNothing,
  KeepaliveReceived: enter('Established'),
  otherwise: unexpected(2),
}

/**
 * 8.2.2 would answer a bad header with an FSM error here; 6.1 asks for a Message Header Error whatever
 * the state, says more, and is what everybody sends.
 */
const established: Rules = {
  ...ignored('Established'),
  ...connected,
  ...secondConnection('Established'),
  VersionErrorReceived: drop,
  ConnectionFailed: drop,
  KeepaliveTimerExpired: stay('Established', 'SendKeepalive', 'StartKeepaliveTimer'),
  SendHoldTimerExpired: sentNothing,
  KeepaliveReceived: stay('Established', 'RestartHoldTimer'),
  UpdateReceived: stay('Established', 'RestartHoldTimer'),
  UpdateErred: tell,
  RouteRefreshReceived: stay('Established', 'RestartHoldTimer'),
  otherwise: unexpected(3),
}

const MACHINE: Readonly<Record<State, Rules>> = {
  Idle: idle,
  Connect: connect,
  Active: active,
  OpenSent: openSent,
  OpenConfirm: openConfirm,
  Established: established,
}
