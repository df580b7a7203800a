/**
 * BFD with BIRD and with FRR's bfdd: up at the agreed pace, on the link and over routers, signed by BIRD; a daemon
 * that stands still loses its sessions long before the hold time, and finds that linnet has stood still.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PeerDetail } from '../../src/control/rows.ts'
import { bird } from '../support/daemons/bird.ts'
import type { RunningDaemon } from '../support/daemons/daemon.ts'
import { frr } from '../support/daemons/frr.ts'
import type { Linnet } from '../support/daemons/linnet.ts'
import { eventually } from '../support/eventually.ts'
import { Chain, linnetSeenFrom } from './chain.ts'
import { Scene } from './scene.ts'

const LINNET_ASN = 65001
const PEERS = ['left4', 'left6', 'right4', 'right6']
/** Of 90 s that the hold time would take. */
const SOON_MS = 10_000

interface Way {
  readonly multihop: boolean
  /** Of BIRD's `protocol bfd`, and what linnet needs for it. */
  readonly birdBfd: string
  readonly birdKey?: Readonly<Record<string, unknown>>
}

const ON_THE_LINK: Way = {
  multihop: false,
  birdBfd:
    'interface "*" { interval 100 ms; multiplier 4; authentication meticulous keyed sha1; password "correct horse" { id 7; }; };',
  birdKey: { authentication: { key: 'correct horse', keyId: 7, meticulous: true } },
}

const OVER_ROUTERS: Way = {
  multihop: true,
  birdBfd: 'multihop { interval 100 ms; multiplier 4; };',
}

const BFD = { interval: '100ms', multiplier: 4 }
const FRR_BFD = 'bfd 4 100 100'

/** linnet between both. */
const chainOf = ({ multihop, birdBfd, birdKey }: Way): Promise<Chain> =>
  Chain.open({
    linnetAsn: LINNET_ASN,
    peers: multihop ? { multihop: 2 } : {},
    left: {
      daemon: bird,
      asn: 65002,
      peers: { bfd: { ...BFD, ...birdKey } },
      words: {
        own: [`protocol bfd { ${birdBfd} }`],
        neighbor: ['bfd on;', ...(multihop ? ['multihop 2;'] : [])],
      },
    },
    right: {
      daemon: frr,
      asn: 65003,
      peers: { bfd: BFD },
      words: { neighbor: [...(multihop ? ['ebgp-multihop 2'] : []), FRR_BFD] },
    },
  })

const allUp = (linnet: Linnet, peers: readonly string[] = PEERS): Promise<PeerDetail[]> =>
  eventually(
    'all are up, at full pace',
    () => Promise.all(peers.map((name) => linnet.peer(name))),
    (rows) => rows.every(isAtFullPace),
    { deadlineMs: 30_000 },
  )

const isAtFullPace = ({ state, bfd, bfdSession }: PeerDetail): boolean =>
  state === 'Established' && bfd === 'Up' && bfdSession?.detectionTime === 400

const AGREED = {
  remoteState: 'Up',
  remoteMultiplier: 4,
  transmitInterval: 100,
  receiveInterval: 100,
}

async function isUpAsAgreed(linnet: Linnet, multihop: boolean): Promise<void> {
  for (const { bfdSession } of await allUp(linnet)) {
    expect(bfdSession).toMatchObject({ ...AGREED, multihop })
  }
  expect((await linnet.peer('left4')).bfdSession?.authenticated).toBe(!multihop)
}

/** Stops a daemon: for its silence BFD ends these sessions. */
async function isFoundOut(linnet: Linnet, daemon: RunningDaemon, names: string[]): Promise<void> {
  const before = await allUp(linnet, names)
  daemon.freeze()
  try {
    for (const { name, bfdFailures: failures } of before) {
      await eventually(
        `${name} has ended`,
        () => linnet.peer(name),
        ({ bfdFailures, lastError, bfdSession }) =>
          bfdFailures > failures &&
          lastError === 'sent Cease/BFD Down' &&
          bfdSession?.diagnostic === 'control detection time expired',
        { deadlineMs: SOON_MS },
      )
    }
  } finally {
    daemon.thaw() // a host with a process that is stopped never ends
  }
}

describe('on the link', () => {
  let chain: Chain
  beforeAll(async () => {
    chain = await chainOf(ON_THE_LINK)
  })
  afterAll(() => chain?.close())

  test('all are up, at the agreed pace', () => isUpAsAgreed(chain.linnet, false))

  test.each(['left', 'right'] as const)(
    'the daemon on the %s stands still: its sessions end, and begin again',
    async (side) => {
      await isFoundOut(chain.linnet, chain[side], [`${side}4`, `${side}6`])
      await allUp(chain.linnet)
    },
  )
})

describe('over routers', () => {
  let chain: Chain
  beforeAll(async () => {
    chain = await chainOf(OVER_ROUTERS)
  })
  afterAll(() => chain?.close())

  test('all are up, at the agreed pace', () => isUpAsAgreed(chain.linnet, true))

  test('linnet stands still: both find out', async () => {
    chain.linnet.freeze()
    for (const side of ['left', 'right'] as const) {
      for (const family of ['ipv4', 'ipv6'] as const) {
        const seen = linnetSeenFrom(side, LINNET_ASN, family)
        await eventually(
          `${side} has ended its session over ${family}`,
          () => chain[side].session(seen),
          ({ established }) => !established,
          { deadlineMs: SOON_MS },
        )
      }
    }
    chain.linnet.thaw()
    await allUp(chain.linnet)
  })
})

test('between link-local addresses, with FRR: up, and a daemon that stands still is found out', async () => {
  const scene = await Scene.open({
    ...{ daemon: frr, linnetAsn: LINNET_ASN, daemonAsn: 65002, feeder: false },
    ...{ linnetHoldTime: 90, daemonHoldTime: 90, unnumbered: 'interface' },
    ...{ overIpv4: [], overIpv6: [], extendedNextHop: true },
    ours: { bfd: BFD },
    theirs: { words: { neighbor: [FRR_BFD] } },
  })
  try {
    const [{ bfdSession }] = await allUp(scene.linnet, ['overlink'])
    expect(bfdSession).toMatchObject({ ...AGREED, multihop: false })
    await isFoundOut(scene.linnet, scene.daemon, ['overlink'])
  } finally {
    await scene.close()
  }
})
