import { expect, test } from 'vitest'
import { REMOVAL, exemptionRules, isWhole } from '../../../src/nat/exemption.ts'
import { prefix } from '../../../src/net/prefix.ts'

const table = { table: { family: 'inet', name: 'linnet' } }

test('one transaction makes the table what it shall be, whatever it was', () => {
  const commands = exemptionRules([prefix('10.244.0.0/16'), prefix('192.0.2.7/32')])
  expect(commands.slice(0, 3)).toEqual([{ add: table }, { delete: table }, { add: table }])
  const of = { family: 'inet', table: 'linnet' }
  const payload = (field: string) => ({ payload: { protocol: 'ip', field } })
  expect(commands.slice(3)).toEqual([
    {
      add: {
        chain: {
          ...of,
          name: 'postrouting',
          type: 'nat',
          hook: 'postrouting',
          prio: 90,
          policy: 'accept',
        },
      },
    },
    {
      add: {
        set: {
          ...of,
          name: 'ipv4-pools',
          type: 'ipv4_addr',
          flags: ['interval'],
          'auto-merge': true,
          elem: [{ prefix: { addr: '10.244.0.0', len: 16 } }, '192.0.2.7'],
        },
      },
    },
    {
      add: {
        rule: {
          ...of,
          chain: 'postrouting',
          expr: [
            { match: { op: '==', left: payload('saddr'), right: '@ipv4-pools' } },
            { match: { op: '==', left: payload('daddr'), right: '@ipv4-pools' } },
            { snat: { family: 'ip', addr: payload('saddr') } },
          ],
          comment: 'linnet: sources stay (918dc607)',
        },
      },
    },
  ])
})

test('each family has a set and a rule, and one without pools has none', () => {
  const kinds = (...pools: readonly string[]): string[] =>
    exemptionRules(pools.map(prefix)).map((it) => JSON.stringify(it).slice(2, 19))
  expect(kinds('10.244.0.0/16', '2001:db8::/32')).toHaveLength(8)
  expect(kinds('2001:db8::/32')).toHaveLength(6)
  expect(JSON.stringify(exemptionRules([prefix('2001:db8::/32')]))).not.toContain('ipv4')
})

test('a listing is whole when it has the rules of just these pools', () => {
  const pools = ['10.244.0.0/16', '2001:db8::/32'].map(prefix)
  expect(isWhole(exemptionRules(pools), pools)).toBe(true)
  expect(isWhole(exemptionRules(pools.slice(1)), pools)).toBe(false)
  expect(isWhole(exemptionRules([prefix('10.245.0.0/16')]), pools.slice(0, 1))).toBe(false)
  expect(isWhole(REMOVAL, pools)).toBe(false)
})
