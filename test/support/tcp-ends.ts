/**
 * Two hosts on one link, in one process: the far one listens, the near one connects. For the kernel
 * tests of TCP; importing this moves the process into fresh network namespaces.
 */
import { afterEach, beforeAll } from 'vitest'
import { address } from '../../src/net/address.ts'
import { listen, type Listener } from '../../src/linux/tcp-listener.ts'
import { tcpTransport } from '../../src/linux/tcp.ts'
import type {
  CloseReason,
  Connection,
  ConnectionEvents,
  ConnectOptions,
  Endpoint,
  SocketOptions,
} from '../../src/session/transport.ts'
import { ip } from './box.ts'
import { enterNetworkNamespace, type NetworkNamespace } from './network-namespace.ts'
import { until } from './until.ts'

export let far: NetworkNamespace
beforeAll(async () => {
  far = enterNetworkNamespace()
  enterNetworkNamespace()
  ip(`link add near0 type veth peer name far0 netns ${far.path}`)
  ip('addr add 10.0.0.1/24 dev near0')
  ip('addr add 10.0.0.3/24 dev near0')
  ip('addr add 2001:db8::1/64 dev near0 nodad')
  ip('link set near0 addrgenmode none')
  ip('addr add fe80::1/64 dev near0 nodad')
  ip('link set near0 up')
  far.within(() => {
    ip('addr add 10.0.0.2/24 dev far0')
    ip('addr add 2001:db8::2/64 dev far0 nodad')
    ip('link set far0 addrgenmode none')
    ip('addr add fe80::2/64 dev far0 nodad')
    ip('link set far0 up')
  })
  const isUp = (): boolean => ip('-br link show type veth').includes(' UP ')
  await until('the link is up', () => isUp() && far.within(isUp))
})

export const transport = tcpTransport({ connectTimeoutMs: 400 })
export const endpoint = (text: string, port: number): Endpoint => ({ address: address(text), port })

/** Remembers what a connection tells. */
export class Ear implements ConnectionEvents {
  isOpen = false
  isDrained = 0
  text = ''
  bytes = 0
  reasons: CloseReason[] = []
  opened(): void {
    this.isOpen = true
  }
  received(chunk: Uint8Array): void {
    this.bytes += chunk.length
    if (this.text.length < 1000) this.text += Buffer.from(chunk).toString()
  }
  drained(): void {
    this.isDrained++
  }
  closed(reason: CloseReason): void {
    this.reasons.push(reason)
  }
}

export const listeners: Listener[] = []
export const connections: Connection[] = []
afterEach(() => {
  for (const listener of listeners.splice(0)) listener.close()
  for (const connection of connections.splice(0)) connection.abort()
})

export interface Door {
  readonly listener: Listener
  readonly accepted: Connection[]
}

/** Listens on the far host. */
export function open(where = '10.0.0.2', onAccept: (it: Connection) => void = () => {}): Door {
  const accepted: Connection[] = []
  const onConnection = (connection: Connection): void => {
    accepted.push(connection)
    connections.push(connection)
    onAccept(connection)
  }
  const listener = far.within(() => listen(endpoint(where, 0), { onConnection }))
  listeners.push(listener)
  return { listener, accepted }
}

export function connect(remote: string, port: number, options: SocketOptions = {}) {
  const ear = new Ear()
  const wanted: ConnectOptions = { remote: endpoint(remote, port), ...options }
  const connection = transport.connect(wanted, ear)
  connections.push(connection)
  return { ear, connection }
}

/** A connection that is up, with ears at both ends. */
export async function pair(remote = '10.0.0.2', options: SocketOptions = {}) {
  const door = open(remote)
  const near = connect(remote, door.listener.local.port, options)
  await until('both ends are up', () => near.ear.isOpen && door.accepted.length === 1)
  const [accepted] = door.accepted
  if (accepted === undefined) throw new Error('nothing was accepted')
  const farEar = new Ear()
  accepted.listen(farEar)
  return { ...near, accepted, farEar }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
