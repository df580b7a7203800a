/**
 * One BFD session in asynchronous mode (RFC 5880 section 6): `(session, event) -> (session, actions)`.
 *
 * A session is plain data and never changed in place; `session.ts` owns the timers and carries out the actions.
 * Time comes in and goes out as microseconds, the unit of the wire; what is scheduled is in milliseconds.
 *
 * New intervals count at once where they make us quicker to send or slower to despair; the other way round
 * only when the peer has heard of them, which a poll sequence finds out (6.8.3): P is set until F comes back.
 */
import {
  ADMINISTRATIVELY_DOWN,
  DETECTION_TIME_EXPIRED,
  NEIGHBOR_SIGNALED_DOWN,
  NO_DIAGNOSTIC,
  type BfdPacket,
  type State,
} from './packet.ts'

export interface BfdTimers {
  /** How often we would like to send. */
  readonly desiredMinTxMicroseconds: number
  /** How often the peer may send; never 0. */
  readonly requiredMinRxMicroseconds: number
  /** Packets in a row that may be missing before the session is down, 1..255. */
  readonly detectMultiplier: number
}

/** What the peer's last packet said. */
export interface Remote {
  readonly state: State
  readonly diagnostic: number
  /** 0 while it is not heard. */
  readonly discriminator: number
  readonly desiredMinTxMicroseconds: number
  readonly requiredMinRxMicroseconds: number
  readonly detectMultiplier: number
  readonly demand: boolean
  readonly controlPlaneIndependent: boolean
}

export interface Session {
  readonly state: State
  readonly diagnostic: number
  readonly discriminator: number
  readonly timers: BfdTimers
  /** What our packets say (bfd.DesiredMinTxInterval, bfd.RequiredMinRxInterval). */
  readonly toldTxMicroseconds: number
  readonly toldRxMicroseconds: number
  /** What counts until the peer has heard that. */
  readonly usedTxMicroseconds: number
  readonly usedRxMicroseconds: number
  /** Answers with F that must still come; the second is for what changed after the first poll began. */
  readonly polls: 0 | 1 | 2
  readonly remote: Remote
}

export type Event =
  /** It is the peer's: signed as it should be, with our discriminator or none. */
  | { readonly type: 'PacketReceived'; readonly packet: BfdPacket }
  | { readonly type: 'DetectionTimeExpired' }
  | { readonly type: 'TimersChanged'; readonly timers: BfdTimers }
  /** The operator wants no BFD (any more), which is no failure of the path. */
  | { readonly type: 'Disabled' }
  | { readonly type: 'Enabled' }

export type Action =
  | { readonly type: 'SendPacket'; readonly packet: BfdPacket }
  /** From the last packet to the next: a random time between both; 0 for no more packets. */
  | { readonly type: 'SetTransmitInterval'; readonly leastMs: number; readonly mostMs: number }
  /** Silence for this long, from now on, is an event; 0: no longer. */
  | { readonly type: 'RestartDetection'; readonly afterMs: number }
  /** `failure`: the path, or the other end of it, is broken; not merely switched off (RFC 5882 section 4.2). */
  | {
      readonly type: 'TellState'
      readonly from: State
      readonly to: State
      readonly failure: boolean
    }

export interface Step {
  readonly session: Session
  readonly actions: readonly Action[]
}

/** Nobody sends more often than this before the session is Up (6.8.3). */
const SLOW_MICROSECONDS = 1_000_000

const UNHEARD: Remote = {
  state: 'Down',
  diagnostic: NO_DIAGNOSTIC,
  discriminator: 0,
  desiredMinTxMicroseconds: 0,
  requiredMinRxMicroseconds: 1, // bfd.RemoteMinRxInterval before anything is heard (6.8.1)
  detectMultiplier: 0,
  demand: false,
  controlPlaneIndependent: false,
}

/** A session that begins: Down, and its first packet goes out at once. */
export function begin(discriminator: number, timers: BfdTimers): Step {
  const tx = Math.max(SLOW_MICROSECONDS, timers.desiredMinTxMicroseconds)
  const rx = timers.requiredMinRxMicroseconds
  const session: Session = {
    state: 'Down',
    diagnostic: NO_DIAGNOSTIC,
    discriminator,
    timers,
    toldTxMicroseconds: tx,
    toldRxMicroseconds: rx,
    usedTxMicroseconds: tx,
    usedRxMicroseconds: rx,
    polls: 0,
    remote: UNHEARD,
  }
  return { session, actions: [sending(session), pacing(session)] }
}

export function step(before: Session, event: Event): Step {
  switch (event.type) {
    case 'PacketReceived':
      return received(before, event.packet)
    case 'DetectionTimeExpired':
      return silent(before)
    case 'TimersChanged': {
      const after = told({ ...before, timers: event.timers })
      return { session: after, actions: [sending(after), ...paced(before, after)] }
    }
    case 'Disabled':
      return moved(before, 'AdminDown', ADMINISTRATIVELY_DOWN)
    case 'Enabled':
      return before.state === 'AdminDown'
        ? moved(before, 'Down', NO_DIAGNOSTIC)
        : { session: before, actions: [] }
  }
}

/** What we send: `final` answers a poll, and polls only when it does not. */
export const packetOf = (session: Session, final = false): BfdPacket => ({
  diagnostic: session.diagnostic,
  state: session.state,
  poll: session.polls > 0 && !final,
  final,
  // Our BFD lives in the process that speaks BGP, and ends with it.
  controlPlaneIndependent: false,
  demand: false,
  detectMultiplier: session.timers.detectMultiplier,
  myDiscriminator: session.discriminator,
  yourDiscriminator: session.remote.discriminator,
  desiredMinTxMicroseconds: session.toldTxMicroseconds,
  requiredMinRxMicroseconds: session.toldRxMicroseconds,
  requiredMinEchoRxMicroseconds: 0,
})

/** Between two of our packets, before jitter (6.8.2, 6.8.7); 0: none are sent. */
export function transmitMicroseconds(session: Session): number {
  const { remote, state, polls, usedTxMicroseconds } = session
  if (remote.requiredMinRxMicroseconds === 0) return 0
  // A peer in demand mode wants to be left in peace while all is well.
  const atRest = remote.demand && remote.state === 'Up' && state === 'Up' && polls === 0
  return atRest ? 0 : Math.max(usedTxMicroseconds, remote.requiredMinRxMicroseconds)
}

/** Silence that ends the session (6.8.4); 0 before the peer is heard. */
export const detectionMicroseconds = ({ remote, usedRxMicroseconds }: Session): number =>
  remote.detectMultiplier * Math.max(usedRxMicroseconds, remote.desiredMinTxMicroseconds)

/** RFC 5880 section 6.8.6, from where the packet is known to be the peer's. */
function received(before: Session, packet: BfdPacket): Step {
  const heard = polled({ ...before, remote: remoteOf(packet) }, packet.final)
  const restart: Action = {
    type: 'RestartDetection',
    afterMs: detectionMicroseconds(heard) / 1000,
  }
  // Whoever is switched off reads, and does not answer.
  if (before.state === 'AdminDown') return { session: heard, actions: [restart] }
  const to = nextState(before.state, packet.state)
  if (to === before.state) {
    const answers = packet.poll ? [sending(heard, true)] : []
    return { session: heard, actions: [restart, ...answers, ...paced(before, heard)] }
  }
  const after = entered(heard, to, to === 'Down' ? NEIGHBOR_SIGNALED_DOWN : before.diagnostic)
  const actions = [restart, telling(before, after), sending(after, packet.poll)]
  return { session: after, actions: [...actions, ...paced(before, after)] }
}

/** The table of section 6.8.6: our state, and the state that the peer tells. */
export function nextState(state: State, remote: State): State {
  if (remote === 'AdminDown') return state === 'AdminDown' ? state : 'Down'
  switch (state) {
    case 'AdminDown':
      return state
    case 'Down':
      return remote === 'Down' ? 'Init' : remote === 'Init' ? 'Up' : state
    case 'Init':
      return remote === 'Down' ? state : 'Up'
    case 'Up':
      return remote === 'Down' ? 'Down' : state
  }
}

function silent(before: Session): Step {
  const wasThere = before.state === 'Init' || before.state === 'Up'
  // What it said last of itself, its C bit above all, still tells what its silence means.
  const remote = {
    ...before.remote,
    state: UNHEARD.state,
    discriminator: 0,
    requiredMinRxMicroseconds: UNHEARD.requiredMinRxMicroseconds,
  }
  const gone = { ...before, remote }
  const stop: Action = { type: 'RestartDetection', afterMs: 0 }
  if (!wasThere) return { session: gone, actions: [stop, ...paced(before, gone)] }
  const after = entered(gone, 'Down', DETECTION_TIME_EXPIRED)
  const actions = [stop, telling(before, after), sending(after)]
  return { session: after, actions: [...actions, ...paced(before, after)] }
}

function moved(before: Session, to: State, diagnostic: number): Step {
  if (before.state === to) return { session: before, actions: [] }
  const after = entered(before, to, diagnostic)
  return {
    session: after,
    actions: [telling(before, after), sending(after), ...paced(before, after)],
  }
}

/** Up is where the configured pace begins; everything else is slow, and polls nobody. */
function entered(session: Session, state: State, diagnostic: number): Session {
  const isUp = state === 'Up'
  return told({ ...session, state, diagnostic: isUp ? NO_DIAGNOSTIC : diagnostic })
}

/** Tells what the timers and the state ask for, and polls when that is new to a peer that counts on it. */
function told(session: Session): Session {
  const { timers, state, toldTxMicroseconds, toldRxMicroseconds } = session
  const tx =
    state === 'Up'
      ? timers.desiredMinTxMicroseconds
      : Math.max(SLOW_MICROSECONDS, timers.desiredMinTxMicroseconds)
  const rx = timers.requiredMinRxMicroseconds
  const after = { ...session, toldTxMicroseconds: tx, toldRxMicroseconds: rx }
  // The handshake tells the peer all that it needs before a session is Up.
  if (state !== 'Up') return { ...after, usedTxMicroseconds: tx, usedRxMicroseconds: rx, polls: 0 }
  if (tx === toldTxMicroseconds && rx === toldRxMicroseconds) return after
  return {
    ...after,
    usedTxMicroseconds: Math.min(tx, session.usedTxMicroseconds),
    usedRxMicroseconds: Math.max(rx, session.usedRxMicroseconds),
    polls: session.polls === 0 ? 1 : 2,
  }
}

/** `final` ends the poll: from now on what we tell is what counts. */
function polled(session: Session, final: boolean): Session {
  if (!final || session.polls === 0) return session
  if (session.polls === 2) return { ...session, polls: 1 }
  const { toldTxMicroseconds, toldRxMicroseconds } = session
  return {
    ...session,
    usedTxMicroseconds: toldTxMicroseconds,
    usedRxMicroseconds: toldRxMicroseconds,
    polls: 0,
  }
}

const remoteOf = (packet: BfdPacket): Remote => ({
  state: packet.state,
  diagnostic: packet.diagnostic,
  discriminator: packet.myDiscriminator,
  desiredMinTxMicroseconds: packet.desiredMinTxMicroseconds,
  requiredMinRxMicroseconds: packet.requiredMinRxMicroseconds,
  detectMultiplier: packet.detectMultiplier,
  demand: packet.demand,
  controlPlaneIndependent: packet.controlPlaneIndependent,
})

const sending = (session: Session, final = false): Action => ({
  type: 'SendPacket',
  packet: packetOf(session, final),
})

function telling(before: Session, after: Session): Action {
  const lost = before.state === 'Up' && after.state === 'Down'
  const failure = lost && after.remote.state !== 'AdminDown' && !hasBegunAnew(before, after)
  return { type: 'TellState', from: before.state, to: after.state, failure }
}

/**
 * Another session of the peer, which has nothing to complain of: its BFD was restarted or given other settings, as
 * FRR does when BGP has come up. That says nothing about the path; if it is broken, silence will tell.
 */
const hasBegunAnew = ({ remote: before }: Session, { remote: after }: Session): boolean =>
  after.discriminator !== 0 &&
  after.discriminator !== before.discriminator &&
  after.diagnostic === NO_DIAGNOSTIC

/** Up to a quarter less, lest all of a host's packets leave at once; of one that may not be missed at least a tenth (6.8.7). */
function pacing(session: Session): Action {
  const ms = transmitMicroseconds(session) / 1000
  const most = session.timers.detectMultiplier === 1 ? 0.9 : 1
  return { type: 'SetTransmitInterval', leastMs: 0.75 * ms, mostMs: most * ms }
}

function paced(before: Session, after: Session): Action[] {
  const same =
    transmitMicroseconds(before) === transmitMicroseconds(after) &&
    before.timers.detectMultiplier === after.timers.detectMultiplier
  return same ? [] : [pacing(after)]
}
