/**
 * What happens to a host's routes, with the kernel's time: `ip -ts monitor`, line by line.
 */
import type { BoxProcess } from './docker-box.ts'
import type { DockerHost } from './docker-fabric.ts'
import { until } from './until.ts'

export interface RouteEvent {
  readonly kind: 'added' | 'deleted'
  /** Of the line, in milliseconds since 1970, with a fraction. */
  readonly atMs: number
  /** The rest of it: `10.78.1.0/28 nhid 1275068417 via 10.0.2.1 dev eth0 proto 179 metric 20`. */
  readonly text: string
}

export class RouteWatch {
  readonly #monitor: BoxProcess

  private constructor(monitor: BoxProcess) {
    this.#monitor = monitor
  }

  /** Watches `what` (`route`, `address`) from now on. */
  static async start(host: DockerHost, what: 'route' | 'address'): Promise<RouteWatch> {
    const watch = new RouteWatch(await host.start('ip', '-4', '-ts', 'monitor', what))
    // It does not say when it listens: until it hears us.
    await until('ip monitor listens', async () => {
      await host.run('ip', 'addr', 'replace', '127.0.0.2/32', 'dev', 'lo')
      await host.run('ip', 'addr', 'del', '127.0.0.2/32', 'dev', 'lo')
      return watch.#monitor.lines.length > 0
    })
    return watch
  }

  /** Events whose text contains `words`. */
  events(words: string): RouteEvent[] {
    return this.#monitor.lines.flatMap((line) => {
      const [, time, deleted, text] = LINE.exec(line) ?? []
      if (time === undefined || !`${text} `.includes(`${words} `)) return []
      const kind = deleted === undefined ? 'added' : 'deleted'
      return [{ kind, atMs: millisecondsOf(time), text }]
    })
  }

  stop(): void {
    this.#monitor.kill('SIGTERM')
  }
}

const LINE = /^\[([-\d]+T[:\d]+\.\d+)\] (Deleted )?(.*)$/

/** `2026-11-21T09:06:57.716969`, to the microsecond. */
function millisecondsOf(time: string): number {
  const [seconds, fraction] = time.split('.')
  return Date.parse(`${seconds}Z`) + Number(`0.${fraction}`) * 1000
}
