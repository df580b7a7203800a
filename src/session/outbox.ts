/**
 * What goes out on one connection: counted, and watched, since a peer that takes no bytes is as dead as
 * one that says nothing (RFC 9687).
 *
 * Bytes are never refused here, only the wish for more is: whoever sends UPDATEs stops at `false` and
 * waits, while a KEEPALIVE or a last word always finds room.
 */
import { messagesIn, type MessageKind, type Traffic } from './counters.ts'
import { ROUTE_REFRESH } from '../wire/constants.ts'
import type { Line } from './line.ts'

/** Where the type stands in a message (RFC 4271 4.1). */
const TYPE_AT = 18

export class Outbox {
  readonly #line: Line
  readonly #sent: Traffic
  readonly #stuck: () => void
  #open: Uint8Array | undefined

  /** `stuck` is called whenever bytes pile up; it starts the send hold timer. */
  constructor(line: Line, sent: Traffic, stuck: () => void) {
    this.#line = line
    this.#sent = sent
    this.#stuck = stuck
  }

  /** The OPEN that went out. */
  get open(): Uint8Array | undefined {
    return this.#open
  }

  write(kind: MessageKind, message: Uint8Array): void {
    if (kind === 'open') this.#open = message
    this.#sent[kind]++
    this.#sent.bytes += message.length
    if (!this.#line.write(message)) this.#stuck()
  }

  /**
   * Sends UPDATEs, and the marks of a refresh between them, each part made of whole messages of one type;
   * false when the caller should wait.
   */
  updates(parts: readonly Uint8Array[]): boolean {
    for (const part of parts) {
      this.#sent[part[TYPE_AT] === ROUTE_REFRESH ? 'routeRefresh' : 'update'] += messagesIn(part)
      this.#sent.bytes += part.length
    }
    const flows = this.#line.writeAll(parts)
    if (!flows) this.#stuck()
    return flows
  }
}
