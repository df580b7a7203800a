/** What becomes of AS_PATH and of what others may hear, in the tables of BIRD and FRR. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { route, type Route } from '../support/daemons/route.ts'
import { eventually } from '../support/eventually.ts'
import { Chain, linnetConfig, linnetSeenFrom, type ChainOptions } from './chain.ts'

function stage(options: ChainOptions) {
  let chain: Chain | undefined
  beforeAll(async () => {
    chain = await Chain.open(options)
  })
  afterAll(() => chain?.close())
  const here = (): Chain => {
    if (chain === undefined) throw new Error('no chain')
    return chain
  }
  const hears = (
    side: 'left' | 'right',
    prefix: string,
    is: (it: Route | undefined) => boolean,
  ) => {
    const neighbor = linnetSeenFrom(side, options[side].linnetAsn ?? options.linnetAsn, 'ipv4')
    return eventually(
      `${prefix} in ${options[side].daemon.title}`,
      async () => (await here()[side].table(neighbor, 'ipv4')).find((it) => it.prefix === prefix),
      is,
    )
  }
  return { here, hears }
}

const FROM_LEFT = route({ prefix: '10.202.1.0/24' })
const FROM_RIGHT = route({ prefix: '10.203.1.0/24' })

describe('a confederation of BIRD, linnet and FRR (RFC 5065)', () => {
  const { here, hears } = stage({
    linnetAsn: 65101,
    more: { confederation: { asn: 65000, members: [65102, 65103] } },
    left: {
      daemon: bird,
      asn: 65102,
      words: { neighbor: ['confederation 65000;', 'confederation member yes;'] },
    },
    right: {
      daemon: frr,
      asn: 65103,
      words: {
        own: ['bgp confederation identifier 65000', 'bgp confederation peers 65101 65102'],
      },
    },
    peers: { nextHop: 'self' },
  })

  test('routes pass it with LOCAL_PREF and MED, and each member is in the path', async () => {
    await here().left.originate([{ ...FROM_LEFT, localPref: 150, med: 7 }])
    await here().right.originate([FROM_RIGHT])
    const inFrr = await hears('right', FROM_LEFT.prefix, (it) => it !== undefined)
    expect(inFrr).toMatchObject({ asPath: '(65101 65102)', localPref: 150, med: 7 })
    const inBird = await hears('left', FROM_RIGHT.prefix, (it) => it !== undefined)
    expect(inBird).toMatchObject({ asPath: '(65101 65103)' })
  })

  test('no-export stays within it, no-export-subconfed within its member', async () => {
    const marked = { ...FROM_LEFT, communities: ['no-export'] }
    await here().left.originate([marked])
    await hears('right', FROM_LEFT.prefix, (it) => it?.communities.includes('no-export') === true)
  })
})

describe('BIRD within the confederation, FRR outside', () => {
  const { here, hears } = stage({
    linnetAsn: 65101,
    more: { confederation: { asn: 65000, members: [65101, 65102] } },
    left: {
      daemon: bird,
      asn: 65102,
      words: { neighbor: ['confederation 65000;', 'confederation member yes;'] },
    },
    right: { daemon: frr, asn: 65001, linnetAsn: 65000 },
    peers: { nextHop: 'self' },
  })

  test('FRR sees one AS; BIRD sees whom the route has passed within', async () => {
    await here().left.originate([FROM_LEFT])
    await here().right.originate([FROM_RIGHT])
    const inFrr = await hears('right', FROM_LEFT.prefix, (it) => it !== undefined)
    expect(inFrr).toMatchObject({ asPath: '65000' })
    const inBird = await hears('left', FROM_RIGHT.prefix, (it) => it !== undefined)
    expect(inBird).toMatchObject({ asPath: '(65101) 65001' })
  })
})

describe('BIRD is our provider, FRR our customer (RFC 9234)', () => {
  const options: ChainOptions = {
    linnetAsn: 65001,
    left: {
      daemon: bird,
      asn: 65002,
      peers: { role: { is: 'customer', strict: true } },
      words: { neighbor: ['local role provider;'] },
    },
    right: {
      daemon: frr,
      asn: 65003,
      peers: { role: { is: 'provider', strict: true } },
      words: { neighbor: ['local-role customer strict-mode'] },
    },
    peers: { nextHop: 'self' },
  }
  const { here, hears } = stage(options)

  test('what comes from above is marked and goes down; what comes from below goes up', async () => {
    await here().left.originate([FROM_LEFT])
    await here().right.originate([FROM_RIGHT])
    await hears('right', FROM_LEFT.prefix, (it) => it !== undefined)
    await hears('left', FROM_RIGHT.prefix, (it) => it !== undefined)
    const rows = await here().linnet.received('left4', 'ipv4')
    expect(rows.find(({ prefix }) => prefix === FROM_LEFT.prefix)).toMatchObject({
      onlyToCustomer: 65002,
    })
  })

  test('graceful shutdown (RFC 8326): `linnet drain` marks all, `--undo` takes it back', async () => {
    const marked = (it?: Route): boolean => it?.communities.includes('graceful-shutdown') === true
    const told = await here().linnet.command('drain')
    expect(told).toContain('done')
    await hears('right', FROM_LEFT.prefix, marked)
    await hears('left', FROM_RIGHT.prefix, marked)
    await here().linnet.command('drain', '--undo')
    await hears('right', FROM_LEFT.prefix, (it) => it !== undefined && !marked(it))
    await hears('left', FROM_RIGHT.prefix, (it) => it !== undefined && !marked(it))
  })

  test('what they mark is our last choice', async () => {
    await here().left.originate([{ ...FROM_LEFT, communities: ['graceful-shutdown'] }])
    await here().right.originate([{ ...FROM_RIGHT, communities: ['graceful-shutdown'] }])
    for (const name of ['left4', 'right4']) {
      await eventually(
        `LOCAL_PREF of ${name}`,
        () => here().linnet.received(name, 'ipv4'),
        (rows) => rows.length === 1 && rows[0].localPref === 0,
      )
    }
  })

  test('two customers are no match: we refuse with 2/11, or they do', async () => {
    await here().linnet.reload(
      linnetConfig({ ...options, right: { ...options.right, peers: { role: 'customer' } } }),
    )
    const peer = await eventually(
      'the refusal',
      () => here().linnet.peer('right4'),
      ({ lastError }) => lastError?.includes('Role Mismatch') === true,
    )
    expect(peer.state).not.toBe('Established')
  })
})

describe('FRR knows us by another AS, BIRD sees no private ones', () => {
  const { here, hears } = stage({
    linnetAsn: 65001,
    left: { daemon: bird, asn: 3000, peers: { removePrivateAsn: 'replace' } },
    right: {
      daemon: frr,
      asn: 65003,
      linnetAsn: 65200,
      peers: { localAsn: { asn: 65200, prependReceived: true, prependOwn: true } },
    },
    peers: { nextHop: 'self' },
  })

  test('either of our numbers stands in the paths, as `local-as` does elsewhere', async () => {
    await here().left.originate([FROM_LEFT])
    await here().right.originate([FROM_RIGHT])
    const inFrr = await hears('right', FROM_LEFT.prefix, (it) => it !== undefined)
    expect(inFrr).toMatchObject({ asPath: '65200 65001 3000' })
    const inBird = await hears('left', FROM_RIGHT.prefix, (it) => it !== undefined)
    expect(inBird).toMatchObject({ asPath: '65001 65001 65001' })
  })
})
