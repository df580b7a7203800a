/** Opens the kernel's side of forwarding: the writer and reader of `linux/` under the FIB of `fib/`. */
import type { Config } from '../config/config.ts'
import { Fib } from '../fib/fib.ts'
import { Targets } from '../fib/targets.ts'
import { claimOnLink } from '../linux/gratuitous-arp.ts'
import { openFibWriter } from '../linux/fib-writer.ts'
import { nftables } from '../linux/nftables.ts'
import { openPathProbes } from '../linux/path-probes.ts'
import { openTunnelDevices } from '../linux/tunnel-devices.ts'
import { kernelReader } from '../linux/kernel-reader.ts'
import type { Monitor } from '../linux/monitor.ts'
import { checkForwarding, enableForwarding } from '../linux/sysctl.ts'
import type { Clock } from '../net/clock.ts'
import type { Events } from './events.ts'
import type { KernelAccess } from './forwarding.ts'
import { PreferredSource, type DockerLinks } from './preferred-source.ts'

/** RT_TABLE_MAIN: the table whose other routes the monitor knows. */
const MAIN_TABLE = 254

export async function openKernel(
  config: Config,
  monitor: Monitor,
  events: Events,
  clock: Clock,
  docker: DockerLinks,
): Promise<KernelAccess> {
  const { kernel } = config
  const { table, metric, protocol, nexthopObjects } = kernel
  const source = new PreferredSource(config, monitor, docker)
  const writer = await openFibWriter({
    table,
    metric,
    protocol,
    preferredSource: source.current,
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
  let forgetSource = (): void => {}
  return {
    tunnels: {
      devices: openTunnelDevices({ table, protocol }),
      rules: nftables,
      // Most hosts that an address plan has room for are not there.
      probes: config.overlay?.fan?.learn === 'static' ? undefined : openPathProbes,
    },
    open: (prefixes, fibEvents) => {
      const targets = new Targets(writer, clock, {
        failed: (_id, { text }) => warn(`a nexthop object could not be written: ${text}`),
      })
      const fib = new Fib({
        writer,
        reader,
        targets,
        prefixes,
        clock,
        table,
        metric,
        protocol,
        get preferredSource() {
          return source.current
        },
        events: fibEvents,
      })
      forgetSource = source.onChange((current) => {
        writer.preferSource(current)
        fib.rewrite()
      })
      return { fib, targets }
    },
    claim: claimOnLink,
    close: async () => {
      forgetSource()
      await writer.close()
      if (kernel.onStop === 'remove') writer.restoreSysctl()
    },
  }
}
