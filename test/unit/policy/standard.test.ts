import { describe, expect, test } from 'vitest'
import type { AttributeView, RouteView } from '../../../src/policy/policy.ts'
import { STANDARD_POLICIES } from '../../../src/policy/standard.ts'

const attributes: AttributeView = {
  origin: () => 0,
  asPathLength: () => 1,
  neighborAs: () => 65001,
  localPref: () => 100,
  med: () => 0,
}
const own: RouteView = { from: { local: true, name: 'local' }, attributes, set: 1 }
const learned: RouteView = { from: { local: false, name: 'tor-a' }, attributes, set: 1 }

describe('the policies that need no configuration', () => {
  test.each([
    { name: 'accept', route: 'our own', accepted: true },
    { name: 'accept', route: 'learned', accepted: true },
    { name: 'reject', route: 'our own', accepted: false },
    { name: 'reject', route: 'learned', accepted: false },
    { name: 'local', route: 'our own', accepted: true },
    { name: 'local', route: 'learned', accepted: false },
  ])('$name: $route prefix accepted: $accepted', ({ name, route, accepted }) => {
    const verdict = STANDARD_POLICIES.get(name)?.evaluate(route === 'learned' ? learned : own)
    expect(verdict?.accept).toBe(accepted)
    expect(verdict?.reason).toContain(`policy ${name}`)
  })

  test('they go by their names, and the verdict of none depends on the prefix', () => {
    expect([...STANDARD_POLICIES.keys()]).toEqual(['accept', 'reject', 'local'])
    for (const [name, policy] of STANDARD_POLICIES) {
      expect(policy.name).toBe(name)
      expect(policy.looksAtPrefix).toBe(false)
    }
  })
})
