/** Opens the kernel's side of forwarding: the writer and reader of `linux/` under the FIB of `fib/`. */
import type { Config } from '../config/config.ts'
import { Fib } from '../fib/fib.ts'
import { Targets } from '../fib/targets.ts'
import { openFibWriter } from '../linux/fib-writer.ts'
import { kernelReader } from '../linux/kernel-reader.ts'
import type { Monitor } from '../linux/monitor.ts'
import { checkForwarding, enableForwarding } from '../linux/sysctl.ts'
import type { Address } from '../net/address.ts'
import type { Clock } from '../net/clock.ts'
import { matcher } from '../sources/glob.ts'
import type { Events } from './events.ts'
import type { KernelAccess } from './forwarding.ts'

/** RT_TABLE_MAIN: the table whose other routes the monitor knows. */
const MAIN_TABLE = 254

export async function openKernel(
  config: Config,
  monitor: Monitor,
  events: Events,
  clock: Clock,
): Promise<KernelAccess> {
  const { kernel } = config
  const { table, metric, protocol, nexthopObjects } = kernel
  const preferredSource = preferredSourceOf(config, monitor)
  const writer = await openFibWriter({
    ...{ table, metric, protocol, preferredSource },
    nextHopObjects: nexthopObjects,
    ...(table === MAIN_TABLE ? { foreign: monitor.tables.routes } : {}),
  })
  monitor.ignorePorts(writer.ports)
  const warn = (text: string): void =>
    events.tell({ level: 'warn', topic: 'fib', kind: 'KernelLimited', text })
  for (const note of writer.notes) warn(note)
  for (const error of enableForwarding()) warn(error.message)
  for (const problem of checkForwarding()) {
    warn(`${problem.sysctl} is ${problem.value}: ${problem.text}; set it to ${problem.wanted}`)
  }
  const reader = kernelReader({ events: monitor, table, protocol })
  return {
    open: (prefixes, fibEvents) => {
      const targets = new Targets(writer, clock, {
        failed: (_id, { text }) => warn(`a nexthop object could not be written: ${text}`),
      })
      const fib = new Fib({
        ...{ writer, reader, targets, prefixes, clock, table, metric, protocol },
        events: fibEvents,
      })
      return { fib, targets }
    },
    close: async () => {
      await writer.close()
      if (kernel.onStop === 'remove') writer.restoreSysctl()
    },
  }
}

/** `auto`: the address of the first link that is advertised, so that the host is reached as its containers are. */
function preferredSourceOf(
  { kernel, advertise }: Config,
  monitor: Monitor,
): { ipv4?: Address; ipv6?: Address } {
  if (kernel.preferredSource === 'none') return {}
  if (kernel.preferredSource !== 'auto') return kernel.preferredSource
  const matches = matcher(advertise.interfaces)
  const links = [...monitor.links()].filter((it) => matches(it.name)).map((it) => it.index)
  const first = (family: string): Address | undefined =>
    [...monitor.addresses()].find(
      (it) => it.address.family === family && it.scope === 0 && links.includes(it.link),
    )?.address
  const [ipv4, ipv6] = [first('ipv4'), first('ipv6')]
  return { ...(ipv4 && { ipv4 }), ...(ipv6 && { ipv6 }) }
}
