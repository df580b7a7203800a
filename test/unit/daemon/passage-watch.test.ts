import { beforeEach, describe, expect, test } from 'vitest'
import type { NatConfig } from '../../../src/config/config.ts'
import { Events } from '../../../src/daemon/events.ts'
import { PassageWatch } from '../../../src/daemon/passage-watch.ts'
import { FirewallError } from '../../../src/linux/firewall-rules.ts'
import type { Finding } from '../../../src/nat/finding.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const NAT: NatConfig = { exempt: 'auto', pools: [prefix('10.76.0.0/14')] }

const DROPPED: Finding = {
  severity: 'problem',
  networks: ['docker0', 'br-blue'],
  text: "containers of other hosts don't get in: packets are dropped",
  rules: ['iptables, table filter: policy of FORWARD'],
  command: 'iptables -I DOCKER-USER ...',
}
const NOTE: Finding = { severity: 'note', networks: [], rules: [], text: 'by the way' }
const TOLD =
  "docker0, br-blue: containers of other hosts don't get in: packets are dropped (iptables, table filter: policy of FORWARD): iptables -I DOCKER-USER ...; linnet doctor docker tells more"

let clock: FakeClock
let told: string[]
let found: readonly Finding[] | undefined
let looks: number
let watch: PassageWatch
beforeEach(() => {
  clock = new FakeClock()
  told = []
  found = [DROPPED, NOTE]
  looks = 0
  const events = new Events(clock)
  events.subscribe(({ kind, text }) => void told.push(`${kind}: ${text}`))
  const examine = async (): Promise<readonly Finding[] | undefined> => {
    looks++
    return found
  }
  watch = new PassageWatch(examine, events, clock)
})

/** Lets time pass, and what waits for it work. */
async function pass(milliseconds: number): Promise<void> {
  clock.advance(milliseconds)
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

describe('what is in the way', () => {
  test('is told once, and shown until it is gone', async () => {
    watch.configure(NAT)
    await pass(0)
    expect(watch.problems).toEqual([TOLD])
    await pass(10_000)
    expect(told).toEqual([`PassageBlocked: ${TOLD}`])
    found = [NOTE]
    await pass(10_000)
    expect(watch.problems).toEqual([])
    expect(told.slice(1)).toEqual([
      'PassageFree: no rule of this host is in the way of containers any more',
    ])
  })

  test('is told again when it comes again', async () => {
    watch.configure(NAT)
    await pass(0)
    found = []
    await pass(10_000)
    found = [DROPPED]
    await pass(60_000)
    expect(told.map((it) => it.split(':')[0])).toEqual([
      'PassageBlocked',
      'PassageFree',
      'PassageBlocked',
    ])
  })

  test('is named by what does both, or by the command where that is enough', async () => {
    found = [
      { ...DROPPED, setting: 'a line in daemon.json' },
      { ...DROPPED, setting: 'another line', instead: true },
      { ...NOTE, severity: 'problem' },
    ]
    watch.configure(NAT)
    await pass(0)
    expect(watch.problems.map((it) => it.split('FORWARD): ')[1])).toEqual([
      'iptables -I DOCKER-USER ...; and a line in daemon.json; linnet doctor docker tells more',
      'iptables -I DOCKER-USER ...; linnet doctor docker tells more',
      undefined,
    ])
  })
})

test('looks are rare while all is well', async () => {
  found = []
  watch.configure(NAT)
  await pass(0)
  await pass(59_999)
  expect(looks).toBe(1)
  await pass(1)
  expect(looks).toBe(2)
  expect(told).toEqual([])
})

test('who can’t be asked about yet is asked about soon', async () => {
  found = undefined
  watch.configure(NAT)
  await pass(0)
  expect([watch.problems, told]).toEqual([[], []])
  found = [DROPPED]
  await pass(10_000)
  expect(watch.problems).toEqual([TOLD])
})

test.each([
  ['`exempt: none`', { ...NAT, exempt: 'none' as const }],
  ['no `nat`', undefined],
])('nobody looks with %s', async (_, nat) => {
  watch.configure(NAT)
  watch.configure(nat)
  await pass(0) // of the first, which does not count any more
  await pass(60_000)
  expect([looks, watch.problems, told, clock.pendingCount]).toEqual([1, [], [], 0])
})

test('rules that can’t be read are told as such', async () => {
  const events = new Events(clock)
  events.subscribe(({ text }) => void told.push(text))
  const blind = new PassageWatch(
    () => Promise.reject(new FirewallError("can't read the rules")),
    events,
    clock,
  )
  blind.configure(NAT)
  await pass(0)
  await pass(10_000)
  expect([blind.problems, told]).toEqual([["can't read the rules"], ["can't read the rules"]])
  blind.close()
})
