/**
 * BFD with BIRD and with FRR's bfdd: up at the agreed pace, on the link and over routers, signed by BIRD; a daemon
 * that stands still loses its sessions long before the hold time, and finds that linnet has stood still.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { PeerDetail } from '../../src/control/rows.ts'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { eventually } from '../support/eventually.ts'
import type { HostProcess } from '../support/lab-host.ts'
import { Chain, linnetSeenFrom } from './chain.ts'

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

/** linnet between both, with all BFD sessions up. */
class Watched {
  readonly chain: Chain
  readonly bfdd: HostProcess

  private constructor(chain: Chain, bfdd: HostProcess) {
    this.chain = chain
    this.bfdd = bfdd
  }

  static async open({ multihop, birdBfd, birdKey }: Way): Promise<Watched> {
    const bfd = { interval: '100ms', multiplier: 4 }
    const chain = await Chain.open({
      linnetAsn: LINNET_ASN,
      peers: multihop ? { multihop: 2 } : {},
      left: {
        daemon: bird,
        asn: 65002,
        peers: { bfd: { ...bfd, ...birdKey } },
        words: {
          own: [`protocol bfd { ${birdBfd} }`],
          neighbor: ['bfd on;', ...(multihop ? ['multihop 2;'] : [])],
        },
      },
      right: {
        daemon: frr,
        asn: 65003,
        peers: { bfd },
        words: { neighbor: [...(multihop ? ['ebgp-multihop 2'] : []), 'bfd 4 100 100'] },
      },
    })
    const bfdd = await chain
      .host('right')
      .start('/usr/lib/frr/bfdd', [
        ...['--vty_socket', '/run/frr', '-z', '/run/frr/zserv.api', '--log', 'stdout'],
        ...['-i', '/run/frr/bfdd.pid', '--bfdctl', '/run/frr/bfdd.sock'],
      ])
    const watched = new Watched(chain, bfdd)
    await watched.allUp()
    return watched
  }

  async allUp(): Promise<PeerDetail[]> {
    return await eventually(
      'all are up, at full pace',
      () => Promise.all(PEERS.map((name) => this.chain.linnet.peer(name))),
      (rows) => rows.every(isAtFullPace),
      { deadlineMs: 30_000 },
    )
  }
}

const isAtFullPace = ({ state, bfd, bfdSession }: PeerDetail): boolean =>
  state === 'Established' && bfd === 'Up' && bfdSession?.detectionTime === 400

function upAtTheAgreedPace(of: () => Watched, multihop: boolean): void {
  test('all are up, at the agreed pace', async () => {
    for (const { bfdSession } of await of().allUp()) {
      expect(bfdSession).toMatchObject({
        ...{ multihop, remoteState: 'Up', remoteMultiplier: 4 },
        ...{ transmitInterval: 100, receiveInterval: 100 },
      })
    }
    const { bfdSession } = await of().chain.linnet.peer('left4')
    expect(bfdSession?.authenticated).toBe(!multihop)
  })
}

describe('on the link', () => {
  let watched: Watched
  beforeAll(async () => {
    watched = await Watched.open(ON_THE_LINK)
  })
  afterAll(() => watched?.chain.close())

  upAtTheAgreedPace(() => watched, false)

  test.each([
    ['BIRD', ['left4', 'left6'], () => watched.chain.left],
    ['bfdd', ['right4', 'right6'], () => watched.bfdd],
  ] as const)('%s stands still: its sessions end, and begin again', async (_title, names, of) => {
    await watched.allUp()
    of().freeze()
    for (const name of names) {
      const row = await eventually(
        `${name} has ended`,
        () => watched.chain.linnet.peer(name),
        ({ bfdFailures, lastError }) => bfdFailures > 0 && lastError === 'sent Cease/BFD Down',
        { deadlineMs: SOON_MS },
      )
      expect(row.bfdSession?.diagnostic).toBe('control detection time expired')
    }
    of().thaw()
    await watched.allUp()
  })
})

describe('over routers', () => {
  let watched: Watched
  beforeAll(async () => {
    watched = await Watched.open(OVER_ROUTERS)
  })
  afterAll(() => watched?.chain.close())

  upAtTheAgreedPace(() => watched, true)

  test('linnet stands still: both find out', async () => {
    const { chain } = watched
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
    await watched.allUp()
  })
})
