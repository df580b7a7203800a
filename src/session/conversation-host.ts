import type { BackOff } from './back-off.ts'
import type { Loser } from './collision.ts'
import type { Conversation } from './conversation.ts'
import type { Counters } from './counters.ts'
import type { LastError } from './last-error.ts'
import type { Negotiated } from './negotiation.ts'
import type { PeerEnvironment, PeerEvents, PeerOptions } from './peer-options.ts'

/** What a conversation needs of the peer that it belongs to. */
export interface ConversationHost {
  readonly options: PeerOptions
  readonly environment: PeerEnvironment
  readonly events: PeerEvents
  readonly counters: Counters
  readonly backOff: BackOff
  stateChanged(cause: string): void
  /** This attempt came to nothing. */
  failed(conversation: Conversation, cause: string): void
  /** A good OPEN came: is this conversation to go, or another one for its sake? */
  collide(conversation: Conversation, negotiated: Negotiated): Loser
  sessionBegan(negotiated: Negotiated): void
  sessionEnded(cause: string, byError: boolean): void
  notified(error: LastError): void
  /** The queue of events is empty. */
  settled(): void
}
