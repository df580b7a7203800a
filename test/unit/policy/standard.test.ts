import { describe, expect, test } from 'vitest'
import { originOf, Route } from '../../../src/policy/policy.ts'
import { STANDARD_POLICIES } from '../../../src/policy/standard.ts'

const from = {
  own: originOf({ local: true, name: 'local', source: 'static' }),
  learned: originOf({ local: false, name: 'tor-a', source: 'peer' }),
}

function routeFrom(which: keyof typeof from): Route {
  const route = new Route()
  route.from = from[which]
  route.set = 1
  return route
}

describe('the policies that need no configuration', () => {
  test.each([
    { name: 'accept', route: 'own', accepted: true },
    { name: 'accept', route: 'learned', accepted: true },
    { name: 'reject', route: 'own', accepted: false },
    { name: 'reject', route: 'learned', accepted: false },
    { name: 'local', route: 'own', accepted: true },
    { name: 'local', route: 'learned', accepted: false },
  ] as const)('$name: $route prefix accepted: $accepted', ({ name, route, accepted }) => {
    const verdict = STANDARD_POLICIES.get(name)?.judge(routeFrom(route))
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
