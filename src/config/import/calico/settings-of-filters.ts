/** BGPFilter: rows of settings.ts. */
import type { Setting } from './setting.ts'

const RULES = 'a policy of its own, named by `import` or `export` of the peers that use the filter'

export const BGP_FILTER: readonly Setting[] = [
  {
    field: 'importV4',
    example: [{ action: 'Accept' }],
    becomes: `${RULES}; what no rule decides is accepted`,
  },
  {
    field: 'importV6',
    example: [{ action: 'Accept' }],
    becomes: 'the same for IPv6, whose sessions are apart',
  },
  {
    field: 'exportV4',
    example: [{ action: 'Accept' }],
    becomes: `${RULES}; what no rule decides goes to \`calico-export\``,
  },
  {
    field: 'exportV6',
    example: [{ action: 'Accept' }],
    becomes: 'the same for IPv6',
  },
  {
    field: 'rule.cidr',
    example: '10.244.0.0/16',
    becomes: '`match: { prefix: ... }`',
  },
  {
    field: 'rule.matchOperator',
    example: 'In',
    becomes:
      '`Equal`: the prefix alone; `In`: with `orlonger`; `NotEqual` and `NotIn`: under `not`, with the `family`',
  },
  {
    field: 'rule.prefixLength',
    example: { min: 24, max: 28 },
    becomes: '`ge` and `le`; a rule whose lengths leave nothing over is told, and left out',
  },
  {
    field: 'rule.source',
    example: 'RemotePeers',
    becomes: '`source: peer` on export; nothing on import, where all routes are',
  },
  {
    field: 'rule.interface',
    example: 'eth*',
    becomes: '`interface`',
    told: {
      why: 'Calico looks at the link that the route leaves by; linnet at the link of the session, or of our own prefix',
      instead: 'compare with linnet show routes once it runs',
    },
  },
  {
    field: 'rule.peerType',
    example: 'eBGP',
    becomes: 'a policy for external peers, and one for internal ones',
  },
  {
    field: 'rule.communities',
    example: { values: ['65001:100'] },
    becomes: '`community`, or `largeCommunity`',
  },
  {
    field: 'rule.asPathPrefix',
    example: [65001, 65002],
    becomes: '`asPath: ^65001 65002_`',
  },
  {
    field: 'rule.priority',
    example: 100,
    becomes: '`localPref`: 2147483647 less the priority, which is how Calico carries it',
  },
  {
    field: 'rule.action',
    example: 'Reject',
    becomes: '`then: accept` or `then: reject`',
  },
  {
    field: 'rule.operations',
    example: [{ addCommunity: { value: '65001:1' } }],
    becomes:
      '`set`: `addCommunity` is `community` or `largeCommunity` with `add`, `prependASPath` is `prepend`, `setPriority` is `localPref`',
  },
]
