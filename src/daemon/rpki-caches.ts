/** The configured RPKI caches: their connections over TCP, their news in the log and to who must judge anew. */
import type { Clock } from '../net/clock.ts'
import { RtrClient, type RtrConnection, type RtrConnectionEvents } from '../rpki/client.ts'
import { Rpki, type Affected } from '../rpki/rpki.ts'
import type { Endpoint, Transport } from '../session/transport.ts'
import type { Events } from './events.ts'

export interface RpkiWorld {
  readonly clock: Clock
  readonly events: Events
  readonly transport: Transport
  /** Data have come in that `step` is to deal with. */
  workArrived(): void
  /** Routes of these prefixes may be judged otherwise now. */
  revalidate(affected: Affected): void
}

export interface RpkiCache extends Endpoint {
  readonly name: string
  readonly client: RtrClient
}

export class RpkiCaches {
  readonly rpki = new Rpki()
  readonly #world: RpkiWorld
  #caches: readonly RpkiCache[] = []

  constructor(world: RpkiWorld) {
    this.#world = world
  }

  get size(): number {
    return this.#caches.length
  }

  values(): readonly RpkiCache[] {
    return this.#caches
  }

  /** Speaks with these caches from now on; those that are there already are left alone. */
  configure(endpoints: readonly Endpoint[]): void {
    const before = this.#caches
    this.#caches = endpoints.map((endpoint) => {
      const name = nameOf(endpoint)
      return before.find((it) => it.name === name) ?? this.#newCache(name, endpoint)
    })
    for (const cache of before) if (!this.#caches.includes(cache)) cache.client.stop()
    this.rpki.use(this.#caches.map(({ client }) => client))
    this.#settled(this.rpki.settle(undefined, []))
    for (const { client } of this.#caches)
      if (!before.some((it) => it.client === client)) client.start()
  }

  close(): void {
    for (const { client } of this.#caches) client.stop()
  }

  #newCache(name: string, endpoint: Endpoint): RpkiCache {
    const { clock, events, transport, workArrived } = this.#world
    const client: RtrClient = new RtrClient({
      clock,
      connect: (listener) => connect(transport, endpoint, listener),
      workArrived,
      changed: (vrps) => this.#settled(this.rpki.settle(client, vrps)),
      told: (text) =>
        events.tell({
          level: 'info',
          topic: 'rpki',
          kind: 'RpkiCache',
          text: `cache ${name}: ${text}`,
        }),
    })
    return { ...endpoint, name, client }
  }

  #settled(affected: Affected | undefined): void {
    if (affected !== undefined) this.#world.revalidate(affected)
  }
}

const nameOf = ({ address, port }: Endpoint): string =>
  address.family === 'ipv6' ? `[${address.text}]:${port}` : `${address.text}:${port}`

function connect(
  transport: Transport,
  remote: Endpoint,
  events: RtrConnectionEvents,
): RtrConnection {
  let closed = false
  const connection = transport.connect(
    { remote },
    {
      opened: () => {
        if (!closed) events.opened()
      },
      received: (chunk) => {
        if (!closed) events.received(chunk)
      },
      drained: () => undefined,
      closed: ({ text }) => {
        if (!closed) events.closed(text)
      },
    },
  )
  return {
    send: (bytes) => void connection.write(bytes),
    pause: () => connection.pause(),
    resume: () => connection.resume(),
    close: () => {
      closed = true
      connection.close()
    },
  }
}
