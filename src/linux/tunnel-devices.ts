/**
 * Tunnel devices, and the routes that guard their prefixes, over netlink: `fib/dataplanes/tunnel`'s TunnelDevices.
 *
 * On a socket of its own, which the monitor does not ignore: it is the monitor that tells of the device.
 */
import type { TunnelDevices } from '../fib/dataplanes/tunnel.ts'
import { ROUTE_DELETE, ROUTE_PUT, type KernelError, type KernelOptions } from '../fib/kernel.ts'
import { wordsOf } from '../net/address.ts'
import { FAMILIES } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import { dumpRoutes } from './kernel-reader.ts'
import { MessageBuilder } from './netlink.ts'
import { NetlinkSocket } from './netlink-socket.ts'
import { RouteEncoder, plainDefinition } from './route-encoder.ts'
import { ESRCH, SystemError } from './sys.ts'
import {
  adjustTunnel,
  createBridge,
  createTunnel,
  deleteLink,
  putAddress,
  takeUp,
} from './tunnel-message.ts'

/** So that every other route to the same prefix is better. */
const GUARD_METRIC = 0xffffffff
/** What the encoder knows guards by. */
const GUARD = 1

export function openTunnelDevices(
  options: Pick<KernelOptions, 'table' | 'protocol'>,
): TunnelDevices {
  const socket = NetlinkSocket.open()
  const builder = new MessageBuilder(1024)
  const encoder = new RouteEncoder({ ...options, metric: GUARD_METRIC, preferredSource: {} })
  encoder.define(GUARD, plainDefinition('ipv4', { kind: 'unreachable' }))

  const transact = (bytes: Uint8Array, length: number): KernelError | undefined => {
    let first: KernelError | undefined
    try {
      socket.transact(bytes, length, (_sequence, error) => {
        first ??= error
      })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      socket.reopen()
      return { errno: error.errno, text: error.message }
    }
    return first
  }
  const build = (append: (to: MessageBuilder) => void): KernelError | undefined => {
    append(builder.reset())
    return transact(builder.bytes, builder.length)
  }
  const route = (operation: number, { family, bytes, length }: Prefix): KernelError | undefined => {
    encoder.reset()
    const index = family === FAMILIES[0].name ? 0 : 1
    encoder.encode(operation, index, wordsOf(bytes), 0, length, GUARD, 1)
    return transact(encoder.bytes, encoder.length)
  }
  return {
    create: (name, kind, mtu) => build((to) => createTunnel(to, 1, name, kind, mtu)),
    adjust: (link, mtu) => build((to) => adjustTunnel(to, 1, link, mtu)),
    createBridge: (name, mtu) => build((to) => createBridge(to, 1, name, mtu)),
    putAddress: (link, address, length) =>
      build((to) => {
        putAddress(to, 1, link, address, length)
        takeUp(to, 2, link)
      }),
    remove: (link) => build((to) => deleteLink(to, 1, link)),
    guard(prefixes) {
      let first: KernelError | undefined
      for (const prefix of prefixes) first = route(ROUTE_PUT, prefix) ?? first
      return first
    },
    async unguard(prefixes) {
      const kept = new Set(prefixes.map(({ text }) => text))
      const stale: Prefix[] = []
      const { table, protocol } = options
      await dumpRoutes(
        'ipv4',
        { table, protocol },
        (found) => found === protocol,
        (found) => {
          const isGuard = found.table === table && found.metric === GUARD_METRIC
          if (isGuard && !kept.has(found.prefix.text)) stale.push(found.prefix)
        },
      )
      for (const prefix of stale) {
        const error = route(ROUTE_DELETE, prefix)
        if (error !== undefined && error.errno !== ESRCH) throw new Error(error.text)
      }
    },
    close: () => socket.close(),
  }
}
