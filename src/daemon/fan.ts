/**
 * Fan put together (`overlay.mode: fan`): our own slice and its bridge, what is taken in of the others', and, where
 * nobody tells of them, the hosts that the address plan has room for. The packets are the overlay's: `OverlayKeeping`.
 */
import type { Config, OverlayConfig } from '../config/config.ts'
import type { Clock } from '../net/clock.ts'
import type { Policy } from '../policy/policy.ts'
import { FanValidation, type FanRefused } from '../policy/fan-validation.ts'
import type { Rib } from '../rib/rib.ts'
import { FanSource } from '../sources/fan.ts'
import type { HostView } from '../sources/source.ts'
import type { Events } from './events.ts'
import type { KernelAccess } from './forwarding.ts'
import { FanBridge } from './fan-bridge.ts'
import { FanHosts } from './fan-hosts.ts'

export type FanConfig = NonNullable<OverlayConfig['fan']>

export interface FanWorld {
  readonly host: HostView
  readonly events: Events
  readonly clock: Clock
  /** Absent where nothing is installed. */
  readonly kernel: Pick<KernelAccess, 'tunnels'> | undefined
}

/** Undefined without a Fan. */
export const openFan = ({ overlay, asn }: Config, rib: Rib, world: FanWorld): Fan | undefined =>
  overlay?.fan === undefined ? undefined : new Fan(overlay.fan, asn, rib, world)

/** Refusals that are told; those beyond are in `show routes --rejected`. */
const MOST_TOLD = 1000

export class Fan {
  /** Our own slice. */
  readonly source: FanSource
  readonly #config: FanConfig
  readonly #rib: Rib
  readonly #events: Events
  readonly #hosts: FanHosts | undefined
  readonly #bridge: FanBridge | undefined
  readonly #told = new Set<string>()
  /** What was made of each import policy, so that the same one stays the same. */
  readonly #validations = new WeakMap<Policy, Policy>()

  constructor(config: FanConfig, asn: number, rib: Rib, { host, events, clock, kernel }: FanWorld) {
    this.#config = config
    this.#rib = rib
    this.#events = events
    const devices = kernel?.tunnels?.devices
    this.source = new FanSource(config, host, config.bridge?.name)
    if (config.learn === 'static') this.#hosts = new FanHosts(config, asn, rib, clock)
    if (config.bridge !== undefined && devices !== undefined) {
      this.#bridge = new FanBridge(config, { devices, host, events })
    }
  }

  /** `then`, asked only about what comes from the host that has it. */
  validated(then: Policy): Policy {
    if (this.#config.validate === 'none') return then
    const known = this.#validations.get(then)
    if (known !== undefined) return known
    const { attributes } = this.#rib
    const validation = new FanValidation(this.#config, attributes, then, this.#refused)
    this.#validations.set(then, validation)
    return validation
  }

  start(): void {
    this.#bridge?.start()
    this.#hosts?.start()
  }

  /** `remove`: the bridge goes as well, if nothing is on it. */
  stop(remove: boolean): void {
    this.#hosts?.close()
    this.#bridge?.stop(remove)
  }

  readonly #refused: FanRefused = (prefix, owner, nextHop) => {
    const by = nextHop?.text ?? 'an IPv6 address'
    const key = `${prefix.text} ${by}`
    if (this.#told.has(key) || this.#told.size >= MOST_TOLD) return
    this.#told.add(key)
    this.#events.tell({
      ...{ level: 'warn', topic: 'routes', kind: 'FanRefused', prefix: prefix.text },
      text: `refused ${prefix.text} by ${by}: by the address plan it belongs to ${owner.text}; correct what ${by} announces, or overlay.fan`,
    })
  }
}
