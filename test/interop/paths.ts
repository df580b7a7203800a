/** What becomes of AS_PATH and of what others may hear: suites of chains. */
import { expect } from 'vitest'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { openbgpd } from '../support/daemons/openbgpd.ts'
import { route, type Route } from '../support/daemons/route.ts'
import { eventually } from '../support/eventually.ts'
import type { ChainCase, ChainSuite } from './chain-suites.ts'
import { linnetConfig } from './chain.ts'

const FROM_LEFT = route({ prefix: '10.202.1.0/24' })
const FROM_RIGHT = route({ prefix: '10.203.1.0/24' })

/** What we are to both sides decides what goes where. */
const MARKED_FROM_ABOVE: ChainCase = {
  title: 'what comes from above is marked and goes down; what comes from below goes up',
  run: async (stage) => {
    await stage.chain.left.originate([FROM_LEFT])
    await stage.chain.right.originate([FROM_RIGHT])
    await stage.hears('right', FROM_LEFT.prefix, (it) => it !== undefined)
    await stage.hears('left', FROM_RIGHT.prefix, (it) => it !== undefined)
    const rows = await stage.chain.linnet.received('left4', 'ipv4')
    expect(rows.find(({ prefix }) => prefix === FROM_LEFT.prefix)).toMatchObject({
      onlyToCustomer: 65002,
    })
  },
}

export const PATHS: readonly ChainSuite[] = [
  {
    title: 'A confederation of BIRD, linnet and FRR (RFC 5065)',
    options: {
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
    },
    cases: [
      {
        title: 'routes pass it with LOCAL_PREF and MED, and each member is in the path',
        run: async (stage) => {
          await stage.chain.left.originate([{ ...FROM_LEFT, localPref: 150, med: 7 }])
          await stage.chain.right.originate([FROM_RIGHT])
          const inFrr = await stage.hears('right', FROM_LEFT.prefix, (it) => it !== undefined)
          expect(inFrr).toMatchObject({ asPath: '(65101 65102)', localPref: 150, med: 7 })
          const inBird = await stage.hears('left', FROM_RIGHT.prefix, (it) => it !== undefined)
          expect(inBird).toMatchObject({ asPath: '(65101 65103)' })
        },
      },
      {
        title: 'what is marked no-export reaches the other member',
        run: async (stage) => {
          const marked = { ...FROM_LEFT, communities: ['no-export'] }
          await stage.chain.left.originate([marked])
          await stage.hears(
            'right',
            FROM_LEFT.prefix,
            (it) => it?.communities.includes('no-export') === true,
          )
        },
      },
    ],
  },
  {
    title: 'BIRD within the confederation, FRR outside',
    options: {
      linnetAsn: 65101,
      more: { confederation: { asn: 65000, members: [65101, 65102] } },
      left: {
        daemon: bird,
        asn: 65102,
        words: { neighbor: ['confederation 65000;', 'confederation member yes;'] },
      },
      right: { daemon: frr, asn: 65001, linnetAsn: 65000 },
      peers: { nextHop: 'self' },
    },
    cases: [
      {
        title: 'FRR sees one AS; BIRD sees whom the route has passed within',
        run: async (stage) => {
          await stage.chain.left.originate([FROM_LEFT])
          await stage.chain.right.originate([FROM_RIGHT])
          const inFrr = await stage.hears('right', FROM_LEFT.prefix, (it) => it !== undefined)
          expect(inFrr).toMatchObject({ asPath: '65000' })
          const inBird = await stage.hears('left', FROM_RIGHT.prefix, (it) => it !== undefined)
          expect(inBird).toMatchObject({ asPath: '(65101) 65001' })
        },
      },
      {
        title: 'what BIRD marks no-export stays within',
        run: async (stage) => {
          const other = { ...FROM_LEFT, prefix: '10.202.2.0/24' }
          await stage.chain.left.originate([{ ...FROM_LEFT, communities: ['no-export'] }, other])
          await stage.hears('right', other.prefix, (it) => it !== undefined)
          await stage.hears('right', FROM_LEFT.prefix, (it) => it === undefined)
          const rows = await stage.chain.linnet.received('left4', 'ipv4')
          expect(rows.map(({ prefix }) => prefix)).toContain(FROM_LEFT.prefix)
        },
      },
    ],
  },
  {
    title: 'One OpenBGPD is our provider, another our customer (RFC 9234)',
    options: {
      linnetAsn: 65001,
      left: {
        daemon: openbgpd,
        asn: 65002,
        peers: { role: { is: 'customer', strict: true } },
        words: { neighbor: ['announce policy provider enforce'] },
      },
      right: {
        daemon: openbgpd,
        asn: 65003,
        peers: { role: { is: 'provider', strict: true } },
        words: { neighbor: ['announce policy customer enforce'] },
      },
      peers: { nextHop: 'self' },
    },
    cases: [MARKED_FROM_ABOVE],
  },
  {
    title: 'BIRD is our provider, FRR our customer (RFC 9234)',
    options: {
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
    },
    cases: [
      MARKED_FROM_ABOVE,
      {
        title: 'graceful shutdown (RFC 8326): `linnet drain` marks all, `--undo` takes it back',
        run: async (stage) => {
          const marked = (it?: Route): boolean =>
            it?.communities.includes('graceful-shutdown') === true
          const told = await stage.chain.linnet.command('drain')
          expect(told).toContain('done')
          await stage.hears('right', FROM_LEFT.prefix, marked)
          await stage.hears('left', FROM_RIGHT.prefix, marked)
          await stage.chain.linnet.command('drain', '--undo')
          await stage.hears('right', FROM_LEFT.prefix, (it) => it !== undefined && !marked(it))
          await stage.hears('left', FROM_RIGHT.prefix, (it) => it !== undefined && !marked(it))
        },
      },
      {
        title: 'what they mark is our last choice',
        run: async (stage) => {
          await stage.chain.left.originate([{ ...FROM_LEFT, communities: ['graceful-shutdown'] }])
          await stage.chain.right.originate([{ ...FROM_RIGHT, communities: ['graceful-shutdown'] }])
          for (const name of ['left4', 'right4']) {
            await eventually(
              `LOCAL_PREF of ${name}`,
              () => stage.chain.linnet.received(name, 'ipv4'),
              (rows) => rows.length === 1 && rows[0].localPref === 0,
            )
          }
        },
      },
      {
        title: 'two customers are no match: we refuse with 2/11, or they do',
        run: async (stage) => {
          await stage.chain.linnet.reload(
            linnetConfig({
              ...stage.options,
              right: { ...stage.options.right, peers: { role: 'customer' } },
            }),
          )
          const peer = await eventually(
            'the refusal',
            () => stage.chain.linnet.peer('right4'),
            ({ lastError }) => lastError?.includes('Role Mismatch') === true,
          )
          expect(peer.state).not.toBe('Established')
        },
      },
    ],
  },
  {
    title: 'FRR knows us by another AS, BIRD sees no private ones',
    options: {
      linnetAsn: 65001,
      left: { daemon: bird, asn: 3000, peers: { removePrivateAsn: 'replace' } },
      right: {
        daemon: frr,
        asn: 65003,
        linnetAsn: 65200,
        peers: { localAsn: { asn: 65200, prependReceived: true, prependOwn: true } },
      },
      peers: { nextHop: 'self' },
    },
    cases: [
      {
        title: 'either of our numbers stands in the paths, as `local-as` does elsewhere',
        run: async (stage) => {
          await stage.chain.left.originate([FROM_LEFT])
          await stage.chain.right.originate([FROM_RIGHT])
          const inFrr = await stage.hears('right', FROM_LEFT.prefix, (it) => it !== undefined)
          expect(inFrr).toMatchObject({ asPath: '65200 65001 3000' })
          const inBird = await stage.hears('left', FROM_RIGHT.prefix, (it) => it !== undefined)
          expect(inBird).toMatchObject({ asPath: '65001 65001 65001' })
        },
      },
    ],
  },
  {
    title: 'BIRD and FRR see no private AS numbers, and each has some in its paths',
    options: {
      linnetAsn: 3999,
      left: { daemon: bird, asn: 3000 },
      right: { daemon: frr, asn: 3001 },
      peers: { nextHop: 'self', removePrivateAsn: 'all' },
    },
    cases: [
      {
        title: '`removePrivateAsn: all`: the others are left, in their order',
        run: async (stage) => {
          await stage.chain.left.originate([{ ...FROM_LEFT, asPath: '65077 3500 4200000077' }])
          await stage.chain.right.originate([{ ...FROM_RIGHT, asPath: '65078' }])
          await stage.hears('right', FROM_LEFT.prefix, (it) => it?.asPath === '3999 3000 3500')
          await stage.hears('left', FROM_RIGHT.prefix, (it) => it?.asPath === '3999 3001')
        },
      },
    ],
  },
  {
    title: 'BIRD and FRR are two sites of one AS',
    options: {
      linnetAsn: 65001,
      left: { daemon: bird, asn: 65010 },
      right: { daemon: frr, asn: 65010 },
      peers: { nextHop: 'self', asOverride: true },
    },
    cases: [
      {
        title: '`asOverride`: each hears the other, with our AS in place of theirs',
        run: async (stage) => {
          await stage.chain.left.originate([{ ...FROM_LEFT, asPath: '65011' }])
          await stage.chain.right.originate([FROM_RIGHT])
          await stage.hears('right', FROM_LEFT.prefix, (it) => it?.asPath === '65001 65001 65011')
          await stage.hears('left', FROM_RIGHT.prefix, (it) => it?.asPath === '65001 65001')
        },
      },
    ],
  },
]
