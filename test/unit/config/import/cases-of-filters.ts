/* oxlint-disable unicorn/no-thenable -- the word of the configuration */
/** Rules of BGPFilters, and what they become. */
type Fields = Readonly<Record<string, unknown>>

/** Undefined: no rule at all. Without `exported` it is the same in both directions. */
export type FilterCase = readonly [
  fields: string,
  rule: Fields,
  imported: Fields | undefined,
  exported?: Fields,
]

export const FILTER_RULES: readonly FilterCase[] = [
  ['action', {}, { match: { family: 'ipv4' }, then: 'accept' }],
  ['action', { action: 'Reject' }, { match: { family: 'ipv4' }, then: 'reject' }],
  [
    'cidr matchOperator',
    { cidr: '10.1.0.0/16', matchOperator: 'Equal' },
    { match: { prefix: '10.1.0.0/16' }, then: 'accept' },
  ],
  [
    'cidr matchOperator',
    { cidr: '10.1.2.3/16', matchOperator: 'In' },
    { match: { prefix: '10.1.0.0/16 orlonger' }, then: 'accept' },
  ],
  [
    'matchOperator',
    { cidr: '10.1.0.0/16', matchOperator: 'NotEqual' },
    { match: { family: 'ipv4', not: { prefix: '10.1.0.0/16' } }, then: 'accept' },
  ],
  [
    'matchOperator',
    { cidr: '10.1.0.0/16', matchOperator: 'NotIn' },
    { match: { family: 'ipv4', not: { prefix: '10.1.0.0/16 orlonger' } }, then: 'accept' },
  ],
  [
    'prefixLength',
    { cidr: '10.1.0.0/16', matchOperator: 'In', prefixLength: { min: 8, max: 24 } },
    { match: { prefix: '10.1.0.0/16 ge 16 le 24' }, then: 'accept' },
  ],
  [
    'prefixLength',
    { cidr: '10.1.0.0/16', matchOperator: 'In', prefixLength: { max: 15 } },
    undefined,
  ],
  [
    'prefixLength',
    { cidr: '10.1.0.0/16', matchOperator: 'NotIn', prefixLength: { max: 15 } },
    { match: { family: 'ipv4' }, then: 'accept' },
  ],
  [
    'source',
    { source: 'RemotePeers' },
    { match: { family: 'ipv4' }, then: 'accept' },
    { match: { family: 'ipv4', source: 'peer' }, then: 'accept' },
  ],
  ['interface', { interface: 'eth*' }, { match: { family: 'ipv4', interface: 'eth*' } }],
  ['peerType', { peerType: 'eBGP' }, { match: { family: 'ipv4' }, then: 'accept' }],
  ['peerType', { peerType: 'iBGP' }, undefined],
  [
    'communities',
    { communities: { values: ['65001:100'] } },
    { match: { family: 'ipv4', community: ['65001:100'] } },
  ],
  [
    'communities',
    { communities: { values: ['65001:1:2'] } },
    { match: { family: 'ipv4', largeCommunity: ['65001:1:2'] } },
  ],
  [
    'asPathPrefix',
    { asPathPrefix: [65001, '1.10'] },
    { match: { family: 'ipv4', asPath: '^65001 65546_' } },
  ],
  ['priority', { priority: 100 }, { match: { family: 'ipv4', localPref: 2147483547 } }],
  [
    'operations',
    {
      operations: [
        { addCommunity: { value: '65001:1' } },
        { addCommunity: { value: '65001:1:1' } },
        { prependASPath: { prefix: [1, 2] } },
        { prependASPath: { prefix: [3] } },
        { setPriority: { value: 1 } },
        { setPriority: { value: 2 } },
      ],
    },
    {
      match: { family: 'ipv4' },
      set: {
        localPref: 2147483645,
        prepend: { asn: [3, 1, 2] },
        community: { add: ['65001:1'] },
        largeCommunity: { add: ['65001:1:1'] },
      },
      then: 'accept',
    },
  ],
]
