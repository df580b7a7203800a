import { describe, expect, test } from 'vitest'
import { wordsOf } from '../../../src/net/address.ts'
import { factsOf } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { FanValidation } from '../../../src/policy/fan-validation.ts'
import { Route } from '../../../src/policy/policy.ts'
import { accept, reject } from '../../../src/policy/standard.ts'
import { TrialSets } from '../../../src/policy/trial.ts'
import { encodeAttributes } from '../../../src/wire/attributes/describe.ts'

const MAPPING = { overlay: prefix('10.0.0.0/8'), underlay: prefix('172.16.0.0/16') }

function judge(text: string, nextHop: string, then = accept) {
  const refused: string[] = []
  const sets = new TrialSets()
  const policy = new FanValidation(MAPPING, sets, then, (it, owner, by) => {
    refused.push(`${it.text} ${owner.text} ${by?.text ?? '-'}`)
  })
  const { family: name, bytes, length } = prefix(text)
  const route = new Route()
  const set = encodeAttributes({
    ...{ origin: 'IGP', asPath: '65001' },
    ...(nextHop.includes(':') ? { nextHop, reachFamily: name } : { nextHop }),
  })
  route.set = sets.intern(set, 0, set.length)
  route.family = factsOf(name)
  route.words.set(wordsOf(bytes))
  route.length = length
  return { ...policy.judge(route), refused }
}

describe('a prefix of the overlay', () => {
  test.each([
    ['the slice of its next hop', '10.3.4.0/24', '172.16.3.4'],
    ['a container of it', '10.3.4.77/32', '172.16.3.4'],
    ['outside of the overlay', '11.3.4.0/24', '172.16.9.9'],
    ['of which the overlay is a part', '0.0.0.0/0', '172.16.9.9'],
    ['of IPv6', '2001:db8::/48', '2001:db8::1'],
  ])('is left to the policy of the peer: %s', (_title, text, nextHop) => {
    expect(judge(text, nextHop)).toMatchObject({ accept: true, refused: [] })
    expect(judge(text, nextHop, reject)).toMatchObject({ accept: false, reason: 'policy reject' })
  })

  test.each([
    ["another host's slice", '10.3.4.0/24', '172.16.9.9', '172.16.3.4'],
    ['part of it', '10.3.4.128/25', '172.16.3.5', '172.16.3.4'],
    ['more than a slice', '10.3.4.0/23', '172.16.3.4', '172.16.3.4'],
    ['the overlay itself', '10.0.0.0/8', '172.16.0.0', '172.16.0.0'],
    ['a next hop that is no host of the underlay', '10.3.4.0/24', '192.168.3.4', '172.16.3.4'],
  ])('is refused, and both are named: %s', (_title, text, nextHop, owner) => {
    const reason = `fan: it belongs to ${owner}, and is told by ${nextHop}`
    const refused = [`${text} ${owner} ${nextHop}`]
    expect(judge(text, nextHop)).toEqual({ accept: false, reason, refused })
  })

  test('is refused behind an IPv6 next hop', () => {
    const reason = 'fan: it belongs to 172.16.3.4, and is told by an IPv6 address'
    expect(judge('10.3.4.0/24', '2001:db8::1')).toMatchObject({ accept: false, reason })
  })
})
