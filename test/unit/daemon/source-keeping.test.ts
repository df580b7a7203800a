import { beforeEach, describe, expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { SourceKeeping } from '../../../src/daemon/source-keeping.ts'
import { isWhole } from '../../../src/nat/exemption.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryRules } from '../../support/memory-rules.ts'

const POOLS = ['10.244.0.0/16', '2001:db8:244::/48'].map(prefix)
const NAT = { exempt: 'auto', pools: POOLS } as const

let rules: MemoryRules
let clock: FakeClock
let told: string[]
let keeping: SourceKeeping
beforeEach(() => {
  rules = new MemoryRules()
  clock = new FakeClock()
  told = []
  const events = new Events(clock)
  events.subscribe(({ kind, text }) => void told.push(`${kind}: ${text}`))
  keeping = new SourceKeeping(rules, events, clock)
})

/** Lets time pass, and what waits for it work. */
async function pass(milliseconds: number): Promise<void> {
  clock.advance(milliseconds)
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

describe('sources are kept', () => {
  test('from the start, and by other pools after a reload', async () => {
    await keeping.configure(NAT)
    expect(isWhole(rules.table, POOLS)).toBe(true)
    expect(told).toEqual([
      'SourcesKept: sources stay as they are from pool to pool: 10.244.0.0/16, 2001:db8:244::/48',
    ])
    await keeping.configure({ ...NAT, pools: POOLS.slice(0, 1) })
    expect(isWhole(rules.table, POOLS)).toBe(false)
    expect(isWhole(rules.table, POOLS.slice(0, 1))).toBe(true)
  })

  test.each([
    ['`exempt: none`', { ...NAT, exempt: 'none' } as const],
    ['no `nat`', undefined],
  ])('until a reload says %s', async (_, nat) => {
    await keeping.configure(NAT)
    await keeping.configure(nat)
    expect(rules.table).toBeUndefined()
    expect(clock.pendingCount).toBe(0)
  })

  test('until the end, and beyond it when routes stay too', async () => {
    await keeping.configure(NAT)
    await keeping.close(false)
    expect(rules.table).toBeDefined()
    await keeping.configure(NAT)
    await keeping.close(true)
    expect(rules.table).toBeUndefined()
    expect(clock.pendingCount).toBe(0)
  })

  test('nobody asked for them: nothing is touched', async () => {
    rules.broken = 'there is no program nft on this host'
    await keeping.configure(undefined)
    await keeping.close(true)
    expect(told).toEqual([])
  })
})

describe('trouble', () => {
  test.each([
    ['the table', () => (rules.table = undefined)],
    ['a rule', () => (rules.table = rules.table?.slice(0, -1))],
  ])('somebody takes %s away: it is back, and told', async (_, spoil) => {
    await keeping.configure(NAT)
    spoil()
    await pass(10_000)
    expect(isWhole(rules.table, POOLS)).toBe(true)
    expect(told.at(-1)).toMatch(/^RulesRepaired: somebody took our rules away, they are back/)
    await pass(10_000)
    expect(rules.applied).toBe(2)
  })

  test('it can’t be done: told once, shown, and tried until it can', async () => {
    rules.broken = 'there is no program nft on this host: install the package nftables'
    await keeping.configure(NAT)
    for (let i = 0; i < 5; i++) await pass(10_000)
    const words = `containers may be hidden behind this host: ${rules.broken}`
    expect(told).toEqual([`RulesFailed: ${words}`])
    expect(keeping.problem).toBe(words)
    rules.broken = undefined
    await pass(10_000)
    expect(keeping.problem).toBeUndefined()
    expect(isWhole(rules.table, POOLS)).toBe(true)
  })
})
