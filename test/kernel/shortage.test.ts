/**
 * A kernel that is short of memory or room: what it has stays, what it refuses is told once and tried again until
 * it is taken. The shortage is made at the socket's seam, for the real kernel is never short here.
 */
import { afterEach, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/daemon/clock.ts'
import { Fib } from '../../src/fib/fib.ts'
import { Targets } from '../../src/fib/targets.ts'
import { openFibWriter } from '../../src/linux/fib-writer.ts'
import { kernelReader } from '../../src/linux/kernel-reader.ts'
import { openMonitor } from '../../src/linux/monitor.ts'
import { eachMessage, viewOf } from '../../src/linux/netlink.ts'
import type * as Sys from '../../src/linux/sys.ts'
import { address } from '../../src/net/address.ts'
import type { Clock } from '../../src/net/clock.ts'
import { FAMILIES } from '../../src/net/family.ts'
import { prefix } from '../../src/net/prefix.ts'
import { PrefixTable } from '../../src/rib/prefix-table.ts'
import { enterBox, ipJson, linkIndex, wire } from '../support/box.ts'
import { until } from '../support/until.ts'

type Shortage = 'none' | 'no room to send' | 'no room for an answer' | 'refused'

const seam = vi.hoisted(() => ({
  shortage: 'none' as Shortage,
  errno: 0,
  /** Sequence numbers of messages that are to be refused. */
  answers: [] as number[],
  tries: 0,
}))

vi.mock('../../src/linux/sys.ts', async (original) => {
  const sys = await original<typeof Sys>()
  const send: typeof sys.send = (fd, bytes, length, flags) => {
    if (seam.shortage === 'none') return sys.send(fd, bytes, length, flags)
    seam.tries++
    if (seam.shortage === 'no room to send') return -seam.errno
    eachMessage(viewOf(bytes), length, (_type, _flags, sequence) => seam.answers.push(sequence))
    return length
  }
  const receive: typeof sys.receive = (fd, into, flags) => {
    const sequence = seam.answers.shift()
    if (sequence === undefined) return sys.receive(fd, into, flags)
    if (seam.shortage === 'no room for an answer') {
      seam.answers.length = 0
      return -seam.errno
    }
    // struct nlmsghdr with NLMSG_ERROR, the errno, and the header that it answers.
    const view = viewOf(into)
    for (const [i, word] of [36, 2, sequence, 0, -seam.errno, 0, 0, 0, 0].entries()) {
      view.setInt32(4 * i, word, true)
    }
    return 36
  }
  return { ...sys, send, receive }
})

beforeAll(() => {
  enterBox()
  wire('one', 'one-far', ['10.1.0.1/24'])
})
const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  seam.shortage = 'none'
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** A FIB on the kernel of this box, whose time runs ten times faster. */
async function open() {
  const told: string[] = []
  const mark = { table: 254, metric: 20, protocol: 179 }
  const monitor = await openMonitor(mark)
  const writer = await openFibWriter({ ...mark, preferredSource: {}, nextHopObjects: 'auto' })
  monitor.ignorePorts(writer.ports)
  const fast: Clock = {
    now: () => systemClock.now() * 10,
    wallNow: () => systemClock.wallNow(),
    after: (ms, fire) => systemClock.after(ms / 10, fire),
  }
  const targets = new Targets(writer, fast, {
    failed: (_id, { text }) => told.push(`object: ${text}`),
  })
  const prefixes = [new PrefixTable(FAMILIES[0]), new PrefixTable(FAMILIES[1])] as const
  const step = (): void => fib.step(Infinity)
  const fib = new Fib({
    ...mark,
    ...{ writer, targets, prefixes, clock: fast },
    reader: kernelReader({ ...mark, events: monitor }),
    events: {
      failed: (name, error) => told.push(`${name}: ${error}`),
      repaired: (name, what) => told.push(`${name}: ${what}`),
      fighting: (name) => told.push(`${name}: fight`),
      workArrived: () => setImmediate(step),
    },
  })
  await fib.start()
  cleanUps.push(async () => {
    await fib.stop('remove')
    monitor.close()
    await writer.close()
  })
  const want = (text: string, via: string): void => {
    const hops = [{ via: address(via), link: linkIndex('one') }]
    const id = targets.intern(`ipv4 ${via}`, 'ipv4', { kind: 'gateways', hops })
    fib.want(0, prefixes[0].internPrefix(prefix(text)), id)
  }
  return { told, fib, want }
}

const routes = (): string[] =>
  ipJson('route show proto 179')
    .map(({ dst }) => dst ?? '')
    .toSorted()

const ENOMEM = 12
const ENOSPC = 28
const ENOBUFS = 105

const shortages: readonly { shortage: Shortage; errno: number; text: RegExp }[] = [
  { shortage: 'no room to send', errno: ENOBUFS, text: /ENOBUFS/ },
  { shortage: 'no room to send', errno: ENOMEM, text: /ENOMEM: out of memory/ },
  { shortage: 'no room for an answer', errno: ENOBUFS, text: /ENOBUFS/ },
  { shortage: 'refused', errno: ENOSPC, text: /ENOSPC: no space left/ },
  { shortage: 'refused', errno: ENOBUFS, text: /ENOBUFS/ },
  { shortage: 'refused', errno: ENOMEM, text: /ENOMEM: out of memory/ },
]

test.for(shortages)(
  '$shortage ($errno): what is there stays, the rest is tried again',
  async (it) => {
    const { told, fib, want } = await open()
    want('198.18.0.0/16', '10.1.0.2')
    await until('the first is there', () => routes().length === 1)
    Object.assign(seam, it)
    want('198.19.0.0/16', '10.1.0.2') // its object is there
    want('198.20.0.0/16', '10.1.0.3') // this one's is not
    await until('they are refused', () => fib.counters.failed === 2)
    await until('that is told', () => told.length === 2)
    seam.tries = 0
    await until('both have been tried again', () => seam.tries >= 4)
    expect(told).toEqual([
      expect.stringMatching(/^object: /),
      expect.stringMatching(/^198.19.0.0\/16: /),
    ])
    for (const line of told) expect(line).toMatch(it.text)
    seam.shortage = 'none'
    expect(routes()).toEqual(['198.18.0.0/16'])
    await until('all are there', () => routes().length === 3)
    await until('nothing is left to do', () => fib.counters.installed === 3)
    expect(fib.counters).toMatchObject({ pending: 0, failed: 0 })
  },
)
