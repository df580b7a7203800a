/**
 * The matrix: what is tried with every daemon. A row needs nothing of the daemon but its driver; what
 * the daemon can't do is said there (`cannot`), and shown in docs/interop.md.
 *
 * Rows of one suite share a scene and run in this order; suites run side by side.
 */
import { expect } from 'vitest'
import type { Ability, Daemon } from '../support/daemons/daemon.ts'
import type { Route } from '../support/daemons/route.ts'
import { FED, OFFERED } from './routes.ts'
import { PROTECTION } from './protection.ts'
import { SEVERAL_PATHS } from './several-paths.ts'
import { SHORT_HOLD, type Scene, type SceneOptions } from './scene.ts'
import {
  sessionsUp,
  shownByCommand,
  hearsUs,
  weHear,
  withdrawnByUs,
  withdrawnByIt,
  refreshIn,
  refreshOut,
  reset,
  weShutDown,
  itShutsDown,
  itRestarts,
  itFreezes,
  weFreeze,
  weRestart,
  wrongAsn,
} from './steps.ts'

export interface Case {
  /** A sentence. */
  readonly title: string
  readonly needs?: readonly Ability[]
  run(scene: Scene): Promise<void>
}

export interface Suite {
  readonly title: string
  readonly needs?: readonly Ability[]
  scene(daemon: Daemon): Omit<SceneOptions, 'daemon'>
  readonly cases: readonly Case[]
}

const EXTERNAL_ASN = 4200000002

export const SUITES: readonly Suite[] = [
  {
    title: 'external peer, a session for each family',
    scene: () => ({
      ...{ linnetAsn: 65001, daemonAsn: EXTERNAL_ASN, feeder: true },
      ...{ linnetHoldTime: 21, daemonHoldTime: 30 },
      ...{ overIpv4: ['ipv4'], overIpv6: ['ipv6'] },
    }),
    cases: [
      {
        title: 'sessions over IPv4 and IPv6 come up; our hold time, the smaller, counts',
        run: (scene) => sessionsUp(scene, 21),
      },
      {
        title: 'hears our prefixes, a bridge, and what we pass on, every attribute as due',
        run: (scene) => hearsUs(scene),
      },
      {
        title: 'what it announces arrives, every attribute as sent',
        run: (scene) => weHear(scene),
      },
      {
        title: '`linnet show routes --json` tells the same',
        run: ({ linnet, sessions }) => shownByCommand(linnet, sessions[0]),
      },
      {
        title: 'prefixes that we or others withdraw leave its table, and come back',
        run: withdrawnByUs,
      },
      { title: 'a prefix that it withdraws leaves our table, and comes back', run: withdrawnByIt },
      {
        title: 'sends its routes again when `linnet refresh --in` asks',
        needs: ['answersRefresh'],
        run: refreshIn,
      },
      {
        title: 'hears our routes again when it asks',
        needs: ['asksForRefresh'],
        run: refreshOut,
      },
      { title: '`linnet reset`: all is as before', run: reset },
      {
        title: 'shows the reason given to `linnet shutdown`; `linnet startup` takes it back',
        needs: ['showsShutdownText'],
        run: weShutDown,
      },
      {
        title: 'we show the reason that it gives when it shuts down',
        needs: ['sendsShutdownText'],
        run: itShutsDown,
      },
    ],
  },
  {
    title: 'internal peer',
    scene: (daemon) => ({
      ...{ linnetAsn: 65001, daemonAsn: 65001, feeder: true },
      ...{ linnetHoldTime: 90, daemonHoldTime: 12 },
      ...(daemon.cannot.bothFamilies === undefined
        ? { overIpv4: ['ipv4', 'ipv6'], overIpv6: [] }
        : { overIpv4: ['ipv4'], overIpv6: ['ipv6'] }),
    }),
    cases: [
      {
        title: 'comes up for both families; its hold time, the smaller, counts',
        run: (scene) => sessionsUp(scene, 12),
      },
      {
        title: 'one session carries both families',
        needs: ['bothFamilies'],
        run: async ({ linnet, sessions }) => {
          const [{ name }] = sessions
          expect((await linnet.peer(name)).families).toEqual(['ipv4', 'ipv6'])
        },
      },
      {
        title: 'hears our routes, LOCAL_PREF and MED among the attributes',
        run: (scene) => hearsUs(scene),
      },
      {
        title: 'what it announces arrives, LOCAL_PREF among the attributes',
        run: (scene) => weHear(scene, OFFERED.map(preferred)),
      },
    ],
  },
  {
    title: 'IPv4 routes with IPv6 next hops (RFC 8950)',
    needs: ['extendedNextHop'],
    scene: () => ({
      ...{ linnetAsn: 65001, daemonAsn: EXTERNAL_ASN, feeder: true, extendedNextHop: true },
      ...{ linnetHoldTime: 90, daemonHoldTime: 90 },
      ...{ overIpv4: [], overIpv6: ['ipv4', 'ipv6'] },
    }),
    cases: [
      {
        title: 'both offer it on a session over IPv6',
        run: async (scene) => {
          await sessionsUp(scene, 90)
          const { capabilities } = await scene.linnet.peer(scene.sessions[0].name)
          expect(capabilities).toContain('extended-next-hop')
        },
      },
      {
        title: 'our IPv4 routes are in its table with our IPv6 address as next hop',
        run: (scene) => hearsUs(scene),
      },
      {
        title: 'its IPv4 routes are in our table with its IPv6 address, and in the kernel',
        run: (scene) => weHear(scene),
      },
      { title: 'what we withdraw leaves its table, and comes back', run: withdrawnByUs },
      { title: 'what it withdraws leaves our table, and comes back', run: withdrawnByIt },
    ],
  },
  {
    title: 'neighbour on an unnumbered link (`interface`)',
    needs: ['extendedNextHop', 'unnumbered'],
    scene: () => ({
      ...{ linnetAsn: 65001, daemonAsn: EXTERNAL_ASN, feeder: true, extendedNextHop: true },
      ...{ linnetHoldTime: 21, daemonHoldTime: 30, unnumbered: 'interface' },
      ...{ overIpv4: [], overIpv6: [] },
    }),
    cases: [
      { title: 'it is found, and the session comes up', run: (scene) => sessionsUp(scene, 21) },
      {
        title: 'our routes are in its table with our link-local address as next hop',
        run: (scene) => hearsUs(scene),
      },
      {
        title: 'its routes are in our table with its link-local address, and in the kernel',
        run: (scene) => weHear(scene),
      },
      { title: 'what we withdraw leaves its table, and comes back', run: withdrawnByUs },
      { title: 'its kill and restart: session and routes come back', run: itRestarts },
    ],
  },
  {
    title: 'neighbour at a link-local address',
    needs: ['extendedNextHop', 'linkLocal'],
    scene: () => ({
      ...{ linnetAsn: 65001, daemonAsn: EXTERNAL_ASN, feeder: true, extendedNextHop: true },
      ...{ linnetHoldTime: 21, daemonHoldTime: 30, unnumbered: 'address' },
      ...{ overIpv4: [], overIpv6: [] },
    }),
    cases: [
      { title: 'the session comes up', run: (scene) => sessionsUp(scene, 21) },
      {
        title: 'our routes are in its table with our link-local address as next hop',
        run: (scene) => hearsUs(scene),
      },
      {
        title: 'its routes are in our table with its link-local address, and in the kernel',
        run: (scene) => weHear(scene),
      },
      { title: 'what we withdraw leaves its table, and comes back', run: withdrawnByUs },
      { title: 'its kill and restart: session and routes come back', run: itRestarts },
    ],
  },
  {
    title: 'faults',
    scene: () => ({
      // Ours doesn't fit into OPEN: the capability alone says it (RFC 6793 section 4.1).
      ...{ linnetAsn: 4200000001, daemonAsn: EXTERNAL_ASN, feeder: false },
      ...{ linnetHoldTime: SHORT_HOLD, daemonHoldTime: 30 },
      ...{ overIpv4: ['ipv4'], overIpv6: ['ipv6'] },
      // Routes go with their sessions here; those that stay are in lab/restart.test.ts.
      ours: { gracefulRestart: false },
    }),
    cases: [
      { title: 'its kill and restart: sessions and routes come back', run: itRestarts },
      {
        title: 'it falls silent: our hold timer ends the session, and it recovers',
        run: itFreezes,
      },
      { title: 'we fall silent: its hold timer ends the session, and it recovers', run: weFreeze },
      { title: 'our end by SIGTERM and restart: routes go, and come back', run: weRestart },
      { title: 'another AS than configured: we say which of the two is which', run: wrongAsn },
    ],
  },
  SEVERAL_PATHS,
  ...PROTECTION,
  {
    title: 'speaker of two-octet AS numbers',
    needs: ['twoOctetAs'],
    scene: (daemon) => ({
      linnetAsn: daemon.cannot.meetsAsTrans === undefined ? 4200000001 : 65001,
      ...{ daemonAsn: 65002, feeder: true, fourOctetAs: false },
      ...{ linnetHoldTime: 90, daemonHoldTime: 90 },
      ...{ overIpv4: ['ipv4'], overIpv6: ['ipv6'] },
    }),
    cases: [
      { title: 'the sessions come up', run: (scene) => sessionsUp(scene, 90) },
      {
        title: 'we are AS_TRANS to it, for our AS does not fit',
        needs: ['meetsAsTrans'],
        run: async (scene) => {
          expect(scene.options.linnetAsn).toBeGreaterThan(65535)
          await scene.established()
        },
      },
      {
        title: 'puts AS_PATH and AS4_PATH of ours together: every AS is there',
        run: (scene) => hearsUs(scene, WITHOUT_AGGREGATOR),
      },
      {
        title: 'puts AGGREGATOR and AS4_AGGREGATOR of ours together',
        needs: ['readsAs4Aggregator'],
        run: (scene) => hearsUs(scene),
      },
      {
        title: 'AS_PATH and AS4_PATH of its own are put together: every AS is there',
        run: (scene) => weHear(scene),
      },
    ],
  },
]

const WITHOUT_AGGREGATOR = FED.map((it) => ({ ...it, aggregator: null }))

const preferred = (it: Route, at: number): Route => ({ ...it, localPref: 150 + at })
