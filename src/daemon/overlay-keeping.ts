/**
 * Keeps what the overlay stands on: its device, made again when it goes, with an MTU that follows the links below; the
 * routes that guard its prefixes; and the rules that say who may send into it.
 *
 * What is true is what the host says of its links. Whenever that changes, or a next hop comes or goes, everything is
 * looked at; while there is no device the overlay is closed, and the routes inside it unreachable.
 */
import type { OverlayOptions } from '../fib/dataplanes/dataplane.ts'
import { DATAPLANES } from '../fib/dataplanes/index.ts'
import type { Overlay } from '../fib/dataplanes/overlay.ts'
import { tunnelText, type TunnelDevices } from '../fib/dataplanes/tunnel.ts'
import type { KernelError } from '../fib/kernel.ts'
import type { RuleTable } from '../linux/nftables.ts'
import type { openPathProbes } from '../linux/path-probes.ts'
import type { Address } from '../net/address.ts'
import type { Clock, Timer } from '../net/clock.ts'
import type { Link } from '../net/link.ts'
import { hostPrefix } from '../net/prefix.ts'
import type { HostView } from '../sources/source.ts'
import { Decapsulation } from './decapsulation.ts'
import type { Events } from './events.ts'
import type { NextHopSets } from './next-hop-sets.ts'
import { OverlayPaths } from './overlay-paths.ts'

export interface OverlayWorld {
  readonly devices: TunnelDevices
  readonly rules: RuleTable
  /** Undefined: whether wrapped packets arrive is not looked at. */
  readonly probes?: typeof openPathProbes | undefined
  readonly host: HostView
  readonly events: Events
  readonly clock: Clock
  readonly sets: NextHopSets
  readonly routerId: Address
}

/** Next hops come in bursts. */
const LOOK_SOON_MS = 20
/** A device that goes at once again, or can't be made. */
const RETRY_MS = 1_000
const RETRY_MAX_MS = 60_000
const GUARD_EVERY_MS = 10_000
/** Where nothing is known of the links below. */
const ETHERNET_MTU = 1500
const EOPNOTSUPP = 95
const EEXIST = 17

export class OverlayKeeping {
  readonly #overlay: Overlay | undefined
  readonly #world: OverlayWorld
  readonly #decapsulation: Decapsulation | undefined
  readonly #paths: OverlayPaths | undefined
  /** Undefined until they are known. */
  #peers: readonly Address[] | undefined
  /** The rules of an earlier run stand: they name hosts that we are still to hear of. */
  #keepsRules = false
  #problem: string | undefined
  #lookTimer: Timer | undefined
  #guardTimer: Timer | undefined
  #retryMs = RETRY_MS
  #retryAt = 0
  #ignoreLinks = (): void => {}

  constructor(overlay: Overlay | undefined, world: OverlayWorld) {
    this.#overlay = overlay
    this.#world = world
    if (overlay === undefined) return
    this.#decapsulation = new Decapsulation(overlay.dataplane.outer(overlay.options), world)
    if (world.probes !== undefined) {
      this.#paths = new OverlayPaths(overlay, { ...world, open: world.probes })
    }
    world.sets.onOverlaid = () => this.#lookSoon(LOOK_SOON_MS)
  }

  /** What is wrong, with the remedy. */
  get problems(): readonly string[] {
    const own = [this.#problem, this.#decapsulation?.problem].filter((it) => it !== undefined)
    return [...own, ...(this.#paths?.problems ?? [])]
  }

  /** Guards the prefixes and makes the device, before there are routes. */
  async start(): Promise<void> {
    const { devices, host } = this.#world
    const options = this.#overlay?.options
    await devices.unguard(options?.prefixes ?? [])
    if (options === undefined) return
    this.#keepsRules = (await this.#decapsulation?.isThere()) === true
    this.#guard()
    this.#ignoreLinks = host.onLinksChanged(() => this.#look())
    this.#look()
  }

  neighborsChanged(addresses: readonly Address[]): void {
    this.#peers = addresses
    if (this.#overlay !== undefined) this.#lookSoon(LOOK_SOON_MS)
  }

  /** Devices of an earlier run, which no route goes by any more. */
  sweep(): void {
    this.#keepsRules = false
    if (this.#overlay !== undefined) this.#lookSoon(LOOK_SOON_MS)
    this.#removeDevices((name) => name !== this.#overlay?.dataplane.deviceName)
  }

  async stop(routes: 'keep' | 'remove'): Promise<void> {
    this.#ignoreLinks()
    this.#lookTimer?.cancel()
    this.#guardTimer?.cancel()
    this.#paths?.close()
    await this.#decapsulation?.close(routes === 'remove')
    if (routes === 'remove') {
      this.#removeDevices(() => true)
      await this.#world.devices.unguard([])
    }
    this.#world.devices.close()
  }

  #removeDevices(which: (name: string) => boolean): void {
    const own = DATAPLANES.map(({ deviceName }) => deviceName)
    for (const { name, index } of this.#world.host.links()) {
      if (own.includes(name) && which(name)) this.#world.devices.remove(index)
    }
  }

  #lookSoon(milliseconds: number): void {
    this.#lookTimer ??= this.#world.clock.after(milliseconds, () => {
      this.#lookTimer = undefined
      this.#look()
    })
  }

  #guard(): void {
    const { devices, clock } = this.#world
    const error = devices.guard(this.#overlay?.options.prefixes ?? [])
    if (error !== undefined)
      this.#tell(`routes that guard the overlay can't be written: ${error.text}`)
    this.#guardTimer = clock.after(GUARD_EVERY_MS, () => this.#guard())
  }

  #look(): void {
    const overlay = this.#overlay
    if (overlay === undefined) return
    const { options } = overlay
    const nextHops = [...this.#world.sets.overlaid()]
    const addresses = [...(this.#peers ?? []), ...nextHops.map(({ address }) => address)]
    const sources = new Map(
      addresses.filter(({ family }) => family === 'ipv4').map((it) => [it.text, hostPrefix(it)]),
    )
    const inOrder = [...sources.values()].toSorted((a, b) => (a.text < b.text ? -1 : 1))
    if (this.#peers !== undefined && !this.#keepsRules) {
      this.#decapsulation?.accept([...inOrder, ...options.acceptFrom])
    }
    const tunnel = options.device === undefined ? this.#ownDevice(overlay) : this.#given(options)
    const isOther = overlay.use(tunnel)
    this.#paths?.serve(nextHops)
    if (!isOther) return
    this.#world.sets.overlayChanged()
    if (tunnel === undefined) return
    this.#problem = undefined
    const text = `${overlay.dataplane.name} through ${this.#nameOf(overlay)} for ${prefixesOf(options)}`
    this.#world.events.tell({ level: 'info', topic: 'fib', kind: 'OverlayOpened', text })
  }

  /** Index of the device, when it can be used; made or adjusted otherwise. */
  #ownDevice(overlay: Overlay): number | undefined {
    const { dataplane, options } = overlay
    const { devices, routerId } = this.#world
    const link = this.#link(dataplane.deviceName)
    const mtu = options.mtu ?? this.#underlayMtu() - dataplane.overheadBytes(options)
    const kind = dataplane.device(options, routerId.bytes)
    if (link === undefined) {
      this.#carryOut(overlay, 'is gone', () => devices.create(dataplane.deviceName, kind, mtu))
      return undefined
    }
    if (link.kind !== kind.kind || link.tunnel === undefined) {
      const what = `no ${kind.kind} device without a far end`
      this.#close(`${link.name} is somebody else's, for it is ${what}; remove it, or rename it`)
      return undefined
    }
    if (link.tunnel !== tunnelText(kind)) {
      // Of an earlier run with other settings. It is made again when the monitor tells that it has gone.
      devices.remove(link.index)
      return undefined
    }
    if (!link.up || link.mtu !== mtu) {
      this.#carryOut(overlay, 'is down', () => devices.adjust(link.index, mtu), link.up)
    }
    return link.up ? link.index : undefined
  }

  /** Somebody else's device, which is left as it is. */
  #given({ device = '' }: OverlayOptions): number | undefined {
    const link = this.#link(device)
    if (link === undefined) this.#close(`there is no link ${device}`)
    else if (!link.up) this.#close(`${device} is down: ip link set ${device} up`)
    return link?.up === true ? link.index : undefined
  }

  /** Asks the kernel for it, not more often than is good. */
  #carryOut(
    overlay: Overlay,
    why: string,
    change: () => KernelError | undefined,
    open = false,
  ): void {
    const { clock } = this.#world
    const now = clock.now()
    const name = overlay.dataplane.deviceName
    if (!open && overlay.tunnel !== undefined) this.#close(`${name} ${why}`)
    const failed = this.#retryMs > RETRY_MS
    if (now < this.#retryAt && (failed || !open)) return this.#lookSoon(this.#retryAt - now)
    const error = change()
    this.#retryMs = error === undefined ? RETRY_MS : Math.min(2 * this.#retryMs, RETRY_MAX_MS)
    this.#retryAt = now + this.#retryMs
    if (error === undefined) return
    const text = `${name} can't be made as it shall be: ${remedyFor(error, overlay)}`
    if (open) this.#tell(text)
    else this.#close(text)
    this.#lookSoon(this.#retryMs)
  }

  /** The least that the links to the next hops take. */
  #underlayMtu(): number {
    const links = new Map([...this.#world.host.links()].map((it) => [it.index, it.mtu]))
    const used = [...this.#world.sets.overlaid()].flatMap((it) => it.resolution.gateways)
    const mtus = used.flatMap(({ link }) => links.get(link) ?? [])
    return mtus.length === 0 ? ETHERNET_MTU : Math.min(...mtus)
  }

  #link(name: string): Link | undefined {
    return [...this.#world.host.links()].find((it) => it.name === name)
  }

  #nameOf({ options, dataplane }: Overlay): string {
    return options.device ?? dataplane.deviceName
  }

  #close(why: string): void {
    const options = this.#overlay?.options
    if (options === undefined) return
    this.#tell(
      `no overlay: ${why}; routes inside ${prefixesOf(options)} are unreachable until then`,
    )
  }

  /** Once. */
  #tell(text: string): void {
    if (text === this.#problem) return
    this.#problem = text
    this.#world.events.tell({ level: 'error', topic: 'fib', kind: 'OverlayClosed', text })
  }
}

const NO_ROUTER = new Uint8Array(4)
const prefixesOf = ({ prefixes }: OverlayOptions): string =>
  prefixes.map(({ text }) => text).join(', ')

function remedyFor({ errno, text }: KernelError, { dataplane, options }: Overlay): string {
  if (errno === EOPNOTSUPP)
    return `this kernel has no ${dataplane.device(options, NO_ROUTER).kind} devices (${text}); try modprobe, or another overlay.mode`
  if (errno === EEXIST)
    return `there is such a device already (${text}): remove it, or name it as overlay.device`
  return text
}
