import { describe, expect, test } from 'vitest'
import { complaintsAbout, configOf } from './loading.ts'

/** What is said about a policy `p` with one rule, and what about one that is used so. */
const rules: readonly (readonly [rule: string, ...complaints: string[]])[] = [
  ['{ match: { prefix: 10.0.0.0/8 }, then: accept }'],
  [
    '{ match: { prefix: 10.0.0.1/8 }, then: accept }',
    '4:22: policies.p[0].match.prefix: 10.0.0.1/8 has host bits set; write 10.0.0.0/8',
  ],
  [
    '{ match: { prefix: [10.0.0.0/8 le 7] }, then: accept }',
    '4:23: policies.p[0].match.prefix[0]: 10.0.0.0/8 le 7 matches nothing: 10.0.0.0/8 has 8 bits; write lengths between 8 and 32',
  ],
  [
    '{ match: { prefix: [10.0.0.0/8 ge 24 le 16] }, then: accept }',
    '4:23: policies.p[0].match.prefix[0]: 10.0.0.0/8 ge 24 le 16 matches nothing: 10.0.0.0/8 has 8 bits; write lengths between 8 and 32',
  ],
  [
    '{ match: { prefix: 10.0.0.0/8 upto 24 }, then: accept }',
    '4:22: policies.p[0].match.prefix: upto 24 says nothing about a prefix; write a prefix, alone or with le 24, ge 16, orlonger or longer',
  ],
  [
    '{ match: { prefix: pools }, then: accept }',
    '4:22: policies.p[0].match.prefix: there is no set pools of prefixes; did you mean pool?',
  ],
  [
    '{ match: { asPathLast: pool }, then: accept }',
    '4:26: policies.p[0].match.asPathLast: there is no set pool of asns; add pool to sets.asns',
  ],
  [
    '{ match: { asPath: "^(65001" }, then: accept }',
    '4:22: policies.p[0].match.asPath: ^(65001: ( has no ); add one',
  ],
  [
    '{ match: { community: "65536:1" }, then: accept }',
    '4:25: policies.p[0].match.community: 65536:1 is not a community; write 65001:100, 65001:*, 65001:1..99 or a name such as no-export',
  ],
  [
    '{ match: { largeCommunity: mixed }, then: accept }',
    '4:30: policies.p[0].match.largeCommunity: the set mixed has 65001:1, which is not a large community; make a set of its own for it',
  ],
  [
    '{ match: { comunity: "65001:1" }, then: accept }',
    '4:14: policies.p[0].match.comunity: unknown key; did you mean community?',
  ],
  [
    '{ match: { not: { med: 5..3 } }, then: accept }',
    '4:26: policies.p[0].match.not.med: 5..3 is not a MED; write 100, 100..200, le 100, ge 100 or none',
  ],
  [
    '{ set: { localPref: +10 } }',
    '4:23: policies.p[0].set.localPref: +10 is the number 10 in YAML; write "+10"',
  ],
  ['{ set: { localPref: "+10", med: -5 } }'],
  [
    '{ set: { community: { add: ["65001:*"] } } }',
    '4:31: policies.p[0].set.community.add[0]: 65001:* is not a community; write 65001:100 or a name such as no-export',
  ],
  ['{ set: { community: { set: [], remove: ["65001:*"], add: no-export } } }'],
  [
    '{ set: { prepend: { times: 2 } } }',
    '4:21: policies.p[0].set.prepend.asn: is missing; add asn: 65101',
  ],
  [
    '{ set: { prepend: { asn: [65101, 0] } } }',
    '4:36: policies.p[0].set.prepend.asn[1]: 0 is not an AS number; write 1..4294967295',
  ],
  [
    '{ set: { prepend: { asn: 65101, times: 99 } } }',
    '4:42: policies.p[0].set.prepend.times: 99 is not a number of times; write 1..25',
  ],
  [
    '{ set: { nextHop: [self, there] } }',
    '4:28: policies.p[0].set.nextHop[1]: there is not a next hop; write self, or an address such as 10.0.1.1',
  ],
  [
    '{ then: pass }',
    '4:11: policies.p[0].then: pass is not accept, reject or next; write accept, reject or next',
  ],
  ['{ }', '4:3: warning: policies.p[0]: this rule does nothing; add set, or then: accept'],
  [
    '{ match: { source: docker, peer: tor-a }, then: accept }',
    '4:22: warning: policies.p[0].match.source: this rule never applies: no peer sends what is our own; remove it, or peer',
  ],
  [
    '{ match: { family: ipv6, prefix: 10.0.0.0/8 }, then: accept }',
    '4:22: warning: policies.p[0].match.family: this rule never applies: none of its prefixes is ipv6; remove it',
  ],
]

test.each(rules)('%s', (rule, ...complaints) => {
  const text = `asn: 65101
sets: { prefixes: { pool: [10.244.0.0/16] }, communities: { mixed: ["65001:1:2", "65001:1"] } }
policies: { p: [
  ${rule} ] }
`
  expect(complaintsAbout(text)).toEqual(complaints.map((it) => `c.yaml:${it}`))
})

describe('around the rules', () => {
  test.each([
    [
      'policies: 7',
      '2:11: policies: this is no map of policies; write from-tor: [{ then: accept }]',
    ],
    [
      'policies: { accept: [{ then: accept }] }',
      '2:13: policies.accept: accept is there already; give it another name',
    ],
    [
      'policies: { p: [] }',
      '2:16: policies.p: an empty list is not a list of rules; write - { then: accept }',
    ],
    [
      'policies: { p: [{ then: accept }, { then: reject }] }',
      '2:35: warning: policies.p[1]: no route comes so far: rule 1 decides about all; move it before rule 1, or remove it',
    ],
    [
      'sets: { prefixes: { 9: [10.0.0.0/8] } }',
      '2:21: sets.prefixes.9: 9 is not the name of a set; begin with a letter: my-set',
    ],
    [
      'sets: { prefixes: { pool: [10.0.0.0] } }',
      '2:28: sets.prefixes.pool[0]: 10.0.0.0 is not a prefix; write a prefix, alone or with le 24, ge 16, orlonger or longer',
    ],
    [
      'sets: { communities: { no-export: ["65001:1"] } }',
      '2:24: sets.communities.no-export: no-export is the name of a well-known community; give it another',
    ],
    [
      'sets: { asns: { big: [0] } }',
      '2:23: sets.asns.big[0]: 0 is not an AS number, or a span of them; write 65001 or 65001..65010',
    ],
    [
      'sets: { asns: { none: [] } }',
      '2:23: warning: sets.asns.none: nothing is in this set; add something',
    ],
  ])('%s', (line, complaint) => {
    expect(complaintsAbout(`asn: 65101\n${line}\n`)).toEqual([`c.yaml:${complaint}`])
  })

  test.each([
    ['import: [p, q]', '5:67: peers[0].import[1]: there is no policy q; did you mean p?'],
    [
      'import: [accept, p]',
      '5:72: warning: peers[0].import[1]: p is never asked: accept decides about every route; put it before accept, or remove it',
    ],
    [
      'import: self',
      '5:63: peers[0].import: rule 2 of self sets nextHop: self, which is for export; write an address there',
    ],
    ['import: [local]', '5:64: peers[0].import[0]: local is for export; write accept or reject'],
    ['import: p, export: [self, reject]', ''],
  ])('%s', (settings, complaint) => {
    const text = `asn: 65101
policies:
  p: [{ match: { med: 1 }, then: accept }]
  self: [{ match: { med: 1 }, then: reject }, { set: { nextHop: self }, then: next }]
peers: [{ name: a, address: 10.0.0.1, asn: internal,  ${settings} }]
`
    expect(complaintsAbout(text)).toEqual(complaint === '' ? [] : [`c.yaml:${complaint}`])
  })
})

test('a policy stands by itself: sets are filled in, values are texts', () => {
  const { policies, peers } = configOf(`asn: 65101
sets: { asns: { customers: [65010, 65020..65029] } }
policies:
  from-tor:
    - match: { asPathLast: [customers, 65001], not: { med: 5 } }
      set: { localPref: 200, community: { add: "65101:1" } }
      then: accept
    - { set: { med: none } }
peers: [{ address: 10.0.0.1, asn: 65001, import: from-tor, export: [from-tor, local] }]
`)
  const rules = [
    {
      match: { asPathLast: ['65010', '65020..65029', '65001'] },
      not: { med: ['5'] },
      set: { localPref: { '': ['200'] }, community: { add: ['65101:1'] } },
      end: 'accept',
    },
    { match: {}, not: {}, set: { med: { '': ['none'] } }, end: 'next' },
  ]
  expect(policies).toEqual([{ name: 'from-tor', rules }])
  expect(peers[0]?.importPolicy).toEqual(policies)
  expect(peers[0]?.exportPolicy).toEqual([...policies, { name: 'local', rules: [] }])
})
