/**
 * The bridge of our slice (`overlay.fan.bridge`): made when this host has an address in the underlay, with the first
 * address of the slice and room for what the tunnel puts around packets. Who gives out the others, Docker say, is told
 * of it.
 */
import type { TunnelDevices } from '../fib/dataplanes/tunnel.ts'
import { dataplaneOf } from '../fib/dataplanes/index.ts'
import type { KernelError } from '../fib/kernel.ts'
import { bridgeAddressOf, bridgeNameOf } from '../net/fan.ts'
import type { Link } from '../net/link.ts'
import { ownSlice } from '../sources/fan.ts'
import type { HostView } from '../sources/source.ts'
import type { Events } from './events.ts'
import type { FanConfig } from './fan.ts'

/** Of Ethernet, less the outer header: until there is a tunnel that knows better. */
const USUAL_MTU = 1480

export class FanBridge {
  readonly #config: FanConfig
  readonly #world: { devices: TunnelDevices; host: HostView; events: Events }
  #ignoreLinks = (): void => {}
  /** What was told last. */
  #told = ''

  constructor(
    config: FanConfig,
    world: { devices: TunnelDevices; host: HostView; events: Events },
  ) {
    this.#config = config
    this.#world = world
  }

  start(): void {
    this.#ignoreLinks = this.#world.host.onLinksChanged(() => this.#look())
    this.#look()
  }

  /** One that is named by the operator, or that something is plugged into, stays. */
  stop(remove: boolean): void {
    this.#ignoreLinks()
    const slice = ownSlice(this.#config, this.#world.host)
    if (!remove || slice === undefined || this.#config.bridge?.name !== undefined) return
    const links = [...this.#world.host.links()]
    const bridge = links.find(({ name }) => name === bridgeNameOf(slice))
    if (bridge === undefined || links.some(({ master }) => master === bridge.index)) return
    this.#world.devices.remove(bridge.index)
  }

  #look(): void {
    const slice = ownSlice(this.#config, this.#world.host)
    if (slice === undefined) return
    const { devices } = this.#world
    const name = this.#config.bridge?.name ?? bridgeNameOf(slice)
    const link = this.#link(name)
    if (link === undefined) return this.#complain(name, devices.createBridge(name, this.#mtu()))
    const address = bridgeAddressOf(slice)
    if (this.#has(link, address.text)) return
    const error = devices.putAddress(link.index, address, slice.length)
    if (error !== undefined) return this.#complain(name, error)
    const text = `${name} has ${address.text}/${slice.length}; for Docker, write { "bridge": "${name}", "mtu": ${link.mtu} } in /etc/docker/daemon.json`
    this.#tell('info', 'FanBridgeMade', text)
  }

  #has({ index }: Link, address: string): boolean {
    const { host } = this.#world
    return [...host.addresses()].some((it) => it.link === index && it.address.text === address)
  }

  #link(name: string): Link | undefined {
    return [...this.#world.host.links()].find((it) => it.name === name)
  }

  #mtu(): number {
    return this.#link(dataplaneOf('fan').deviceName)?.mtu ?? USUAL_MTU
  }

  #complain(name: string, error: KernelError | undefined): void {
    if (error === undefined) return
    this.#tell('error', 'FanBridgeFailed', `the bridge ${name} can't be made: ${error.text}`)
  }

  #tell(level: 'info' | 'error', kind: string, text: string): void {
    if (text === this.#told) return
    this.#told = text
    this.#world.events.tell({ level, topic: 'fib', kind, text })
  }
}
