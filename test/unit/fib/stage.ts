/** A FIB on a kernel of Maps, with real prefix tables and a clock of its own: what all FIB tests stand on. */
import { address } from '../../../src/net/address.ts'
import { FAMILIES, factsOf } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { PrefixTable } from '../../../src/rib/prefix-table.ts'
import { Fib } from '../../../src/fib/fib.ts'
import { Targets } from '../../../src/fib/targets.ts'
import type { KernelNextHop, KernelTarget } from '../../../src/fib/kernel.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MARK, MemoryKernel } from '../../support/memory-kernel.ts'

/**
 * `10.0.0.1@1`, `10.0.0.1@1*3`; several with ` + `; '' for none; or `blackhole`. With a standby:
 * `10.0.0.1@1 or 10.0.1.1@2`, or room for one: `10.0.0.1@1 or nothing`.
 */
export function target(text: string): KernelTarget {
  if (text === 'blackhole' || text === 'unreachable') return { kind: text }
  const [ways, standby] = text.split(' or ')
  const hops = ways === '' ? [] : ways.split(' + ').map(hop)
  if (standby === undefined) return { kind: 'gateways', hops }
  return { kind: 'gateways', hops, standby: standby === 'nothing' ? null : hop(standby) }
}

function hop(text: string): KernelNextHop {
  const [, via, link, weight] = /^(.+)@(\d+)(?:\*(\d+))?$/.exec(text) ?? []
  const leg = { via: address(via), link: Number(link) }
  return weight === undefined ? leg : { ...leg, weight: Number(weight) }
}

export class Stage {
  readonly kernel: MemoryKernel
  readonly clock: FakeClock
  readonly prefixes = [new PrefixTable(FAMILIES[0]), new PrefixTable(FAMILIES[1])] as const
  readonly targets: Targets
  readonly fib: Fib
  /** What was told, as text. */
  readonly told: string[] = []
  /** `step` was asked for since the last one. */
  woken = false

  constructor(kernel = new MemoryKernel(), clock = new FakeClock()) {
    this.kernel = kernel
    this.clock = clock
    this.targets = new Targets(kernel, clock, {
      failed: (_id, { text }) => this.told.push(`object failed: ${text}`),
    })
    this.fib = new Fib({
      ...MARK,
      writer: kernel,
      reader: kernel,
      targets: this.targets,
      prefixes: this.prefixes,
      clock,
      events: {
        failed: (name, error) => this.told.push(`${name} failed: ${error}`),
        repaired: (name, what) => this.told.push(`${name} repaired: ${what}`),
        fighting: (name, times, what, rest) =>
          this.told.push(`${name} fighting: ${times} times, ${what}, rests ${rest} s`),
        workArrived: () => (this.woken = true),
      },
    })
  }

  /** The RIB wants `text` to go to `to`; undefined: no route. */
  want(text: string, to: string | undefined, key = to): void {
    const value = prefix(text)
    const { index, name } = factsOf(value.family)
    const id = to === undefined ? 0 : this.targets.intern(`${name} ${key}`, name, target(to))
    const prefixId = this.prefixes[index].internPrefix(value)
    // As the RIB does: it holds the prefix while it talks about it.
    this.prefixes[index].retain(prefixId)
    this.fib.want(index, prefixId, id)
    this.prefixes[index].release(prefixId)
  }

  /** The next hops called `key` are reached otherwise now. */
  reach(key: string, to: KernelTarget): void {
    const found = [...this.targets].find((it) => it.key === key)
    if (found !== undefined) this.targets.update(found.id, to)
  }

  id(text: string): number {
    const value = prefix(text)
    return this.prefixes[factsOf(value.family).index].findPrefix(value)
  }

  state(text: string): string | undefined {
    const { index } = factsOf(prefix(text).family)
    const id = this.id(text)
    return id === 0 ? undefined : this.fib.stateOf(index, id)
  }

  /** Lets everybody work until there is nothing more to do without time passing. */
  async settle(): Promise<void> {
    for (let idle = 0, rounds = 0; idle < 8; idle++, rounds++) {
      if (rounds > 10_000) throw new Error('it never settles')
      if (this.fib.busy) {
        this.fib.step(Infinity)
        idle = 0
      }
      if (this.kernel.work() > 0) idle = 0
      await Promise.resolve()
    }
    this.woken = false
  }

  /** Lets time pass, a step at a time, with everybody working in between. */
  async pass(milliseconds: number, stepMs = milliseconds): Promise<void> {
    await this.settle()
    for (let passed = 0; passed < milliseconds; passed += stepMs) {
      this.clock.advance(stepMs)
      await this.settle()
    }
  }
}

/** A stage whose FIB has started. */
export async function started(kernel?: MemoryKernel, clock?: FakeClock): Promise<Stage> {
  const stage = new Stage(kernel, clock)
  await stage.fib.start()
  return stage
}
