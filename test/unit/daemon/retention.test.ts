/**
 * A peer that restarts, played to a whole speaker (RFC 4724, RFC 8538, RFC 9494): whether its routes outlive
 * the session, for how long, and what others hear of that.
 */
import * as fc from 'fast-check'
import { afterEach, describe, expect, test } from 'vitest'
import type { RouteRow } from '../../../src/control/rows.ts'
import { message, NOTIFICATION, u16, u32, UPDATE } from '../../support/bgp-messages.ts'
import { fourOctetAs, IPV4_UNICAST, IPV6_UNICAST, type RawPeer } from '../../support/raw-peer.ts'
import { SpeakerStage, type StagePeer } from '../../support/speaker-stage.ts'
import { updateMessage } from '../../support/update-builder.ts'

const A = '10.1.0.0/16'
const B = '10.2.0.0/16'
const SIX = '2001:db8:a::/48'
const SET = { origin: 'IGP', asPath: '65001' } as const

interface Terms {
  readonly restarting?: boolean
  readonly notification?: boolean
  readonly seconds?: number
  /** AFIs, those that were forwarded as 1, the others as 0. */
  readonly families?: Readonly<Partial<Record<1 | 2, 0 | 1>>>
  readonly longLivedSeconds?: number
}

/** The capabilities of an OPEN. */
function capabilities(asn: number, terms: Terms | undefined): number[] {
  const usual = [...IPV4_UNICAST, ...IPV6_UNICAST, ...fourOctetAs(asn)]
  if (terms === undefined) return usual
  const { seconds = 60, families = { 1: 1, 2: 1 } } = terms
  const rows = Object.entries(families).flatMap(([afi, kept]) => [0, +afi, 1, kept === 1 ? 128 : 0])
  const flags = (terms.restarting === true ? 8 : 0) | (terms.notification === true ? 4 : 0)
  const short = [64, 2 + rows.length, ...u16((flags << 12) | seconds), ...rows]
  if (terms.longLivedSeconds === undefined) return [...usual, ...short]
  const time = u32(terms.longLivedSeconds).slice(1)
  const long = Object.keys(families).flatMap((afi) => [0, +afi, 1, 128, ...time])
  return [...usual, ...short, 71, long.length, ...long]
}

interface Restarter extends StagePeer {
  capabilities: readonly number[]
}

const stages: SpeakerStage[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.stop()
})

/** `tor` restarts, `other` hears what it has told. */
class Scene {
  readonly tor: Restarter
  readonly stage: SpeakerStage

  constructor(terms: Terms | undefined, config?: string, others?: Terms) {
    this.tor = {
      name: 'tor',
      address: '10.0.0.1',
      asn: 65_001,
      capabilities: capabilities(65_001, terms),
      ...(config === undefined ? {} : { config }),
    }
    const other = { name: 'other', address: '10.0.0.2', asn: 65_002 }
    this.stage = new SpeakerStage([
      this.tor,
      { ...other, capabilities: capabilities(65_002, others) },
    ])
    stages.push(this.stage)
  }

  static async begin(terms: Terms | undefined, config?: string, others?: Terms): Promise<Scene> {
    const scene = new Scene(terms, config, others)
    await scene.stage.start()
    await scene.tell([A, B])
    await scene.tell([SIX])
    return scene
  }

  get peer(): RawPeer {
    return this.stage.peer('tor')
  }

  async tell(announce: readonly string[], more: object = {}): Promise<void> {
    this.peer.send(updateMessage({ announce, set: { ...SET, ...more } }))
    await this.stage.pass()
  }

  async endOfRib(): Promise<void> {
    this.peer.send(updateMessage({}))
    await this.stage.pass()
  }

  /** The connection is lost, and the peer away: calls of ours find nobody. */
  async lose(): Promise<void> {
    this.peer.away = true
    this.peer.hangUp()
    await this.stage.pass()
  }

  async wait(seconds: number): Promise<void> {
    const { clock } = this.stage
    const end = clock.now() + 1000 * seconds
    await this.stage.until('time has passed', () => clock.now() >= end, 2000 * seconds)
    await this.stage.pass()
  }

  async comeBack(terms: Terms | undefined): Promise<void> {
    this.tor.capabilities = capabilities(65_001, terms)
    this.peer.away = false
    const { sessions } = this.peer
    await this.stage.until('it is back', () => this.peer.sessions > sessions)
    await this.stage.pass()
  }

  /** Prefixes of the peer that are in use, stale ones with a question mark. */
  get used(): string[] {
    return [...this.stage.received('tor').values()]
      .filter(({ best }) => best)
      .map(({ prefix, stale }) => (stale ? `${prefix}?` : prefix))
  }

  /** What the other peer knows. */
  get heard(): string[] {
    return [...this.stage.peer('other').routes.keys()].toSorted()
  }
}

const KEPT = [A, B, SIX]
const stale = (...prefixes: readonly string[]): string[] => prefixes.map((it) => `${it}?`)
const notification = (code: number, subcode: number): Uint8Array =>
  message(NOTIFICATION, [code, subcode])

describe('when a session ends, its routes', () => {
  const ways: Readonly<Record<string, (scene: Scene) => Promise<void> | void>> = {
    'the connection is lost': (scene) => scene.lose(),
    'it goes silent': async (scene) => {
      scene.peer.silent = true
      await scene.wait(91)
    },
    'it ceases': (scene) => scene.peer.send(notification(6, 4)),
    'it ceases for good': (scene) => scene.peer.send(notification(6, 9)),
    'its UPDATE is broken': (scene) => scene.peer.send(message(UPDATE, [0, 99, 0, 0])),
    'linnet reset': ({ stage }) => void stage.orders.reset('tor'),
    'linnet shutdown': ({ stage }) => void stage.orders.shutdown('tor'),
  }
  test.each<
    [way: keyof typeof ways, terms: Terms | undefined, config: string | undefined, stay: boolean]
  >([
    ['the connection is lost', {}, undefined, true],
    ['the connection is lost', undefined, undefined, false],
    ['the connection is lost', { families: {} }, undefined, false],
    ['the connection is lost', {}, 'gracefulRestart: false', false],
    ['it goes silent', {}, undefined, true],
    ['it ceases', {}, undefined, false],
    ['it ceases', { notification: true }, undefined, true],
    ['it ceases for good', { notification: true }, undefined, false],
    ['its UPDATE is broken', {}, undefined, false],
    ['its UPDATE is broken', { notification: true }, undefined, true],
    ['linnet reset', { notification: true }, undefined, false],
    ['linnet shutdown', { notification: true }, undefined, false],
    ['linnet shutdown', {}, undefined, false],
  ])('%s, %o, %s: stay: %o', async (way, terms, config, stay) => {
    const scene = await Scene.begin(terms, config)
    scene.peer.away = true
    await ways[way](scene)
    await scene.stage.pass()
    expect(scene.used).toEqual(stay ? stale(...KEPT) : [])
    expect(scene.heard).toEqual(stay ? KEPT : [])
  })

  test('of one family alone stay, where the peer offers no more', async () => {
    const scene = await Scene.begin({ families: { 2: 1 } })
    await scene.lose()
    expect(scene.used).toEqual(stale(SIX))
  })

  test('an order from us goes out as a hard reset where both know it (RFC 8538), else as it is', async () => {
    const ceases = []
    for (const notification of [true, false]) {
      const scene = await Scene.begin({ notification })
      scene.stage.orders.shutdown('tor', 'bye')
      await scene.stage.pass()
      const [{ code, subcode, data }] = scene.peer.notifications
      ceases.push([code, subcode, ...data.subarray(0, 3)])
    }
    expect(ceases).toEqual([
      [6, 9, 6, 2, 3],
      [6, 2, 3, 98, 121],
    ])
  })
})

describe('routes that have outlived their session', () => {
  test('stay as long as the peer has asked for', async () => {
    const scene = await Scene.begin({ seconds: 30 })
    await scene.lose()
    await scene.wait(29)
    expect(scene.used).toEqual(stale(...KEPT))
    await scene.wait(2)
    expect(scene.used).toEqual([])
    expect(scene.heard).toEqual([])
    expect(scene.stage.live()).toEqual({ prefixes: 0, paths: 0, sets: 0, nextHops: 0 })
  })

  test('but no longer than ten minutes', async () => {
    const scene = await Scene.begin({ seconds: 4095 })
    await scene.lose()
    await scene.wait(595)
    expect(scene.used).toEqual(stale(...KEPT))
    await scene.wait(6)
    expect(scene.used).toEqual([])
  })

  test.each<[string, (scene: Scene) => void]>([
    ['linnet shutdown', ({ stage }) => void stage.orders.shutdown('tor')],
    ['linnet reset', ({ stage }) => void stage.orders.reset('tor')],
  ])('go at once with %s', async (_, order) => {
    const scene = await Scene.begin({})
    await scene.lose()
    order(scene)
    await scene.stage.pass()
    expect(scene.used).toEqual([])
  })

  test('are told to nobody anew when they come again as they were; what does not goes with End-of-RIB', async () => {
    const scene = await Scene.begin({})
    const { heard } = scene.stage.peer('other')
    await scene.lose()
    await scene.comeBack({ restarting: true, families: { 1: 1, 2: 1 } })
    expect(scene.used).toEqual(stale(...KEPT))
    const before = heard.filter(({ type }) => type === UPDATE).length
    await scene.tell([A])
    expect(scene.used).toEqual([A, ...stale(B, SIX)])
    await scene.endOfRib()
    expect(scene.used).toEqual([A, ...stale(SIX)])
    expect(scene.heard).toEqual([A, SIX])
    const more = heard.filter(({ type }) => type === UPDATE).slice(before)
    expect(more).toHaveLength(1) // the withdrawal
  })

  test('go at once, of a family that was not forwarded or is no longer offered', async () => {
    const scene = await Scene.begin({})
    await scene.lose()
    await scene.comeBack({ families: { 1: 0, 2: 1 } })
    expect(scene.used).toEqual(stale(SIX))
    await scene.lose()
    await scene.comeBack({ families: { 1: 1 } })
    expect(scene.used).toEqual([])
  })

  test('go at once when the peer is back without graceful restart', async () => {
    const scene = await Scene.begin({})
    await scene.lose()
    await scene.comeBack(undefined)
    expect(scene.used).toEqual([])
  })

  test('go after six minutes when the peer never says End-of-RIB', async () => {
    const scene = await Scene.begin({ seconds: 1000 })
    await scene.lose()
    await scene.comeBack({})
    await scene.tell([A])
    await scene.wait(350)
    expect(scene.used).toEqual([A, ...stale(B, SIX)])
    await scene.wait(11)
    expect(scene.used).toEqual([A])
  })

  test('do not get another time when the peer restarts once more before it has told them (section 4.2)', async () => {
    const scene = await Scene.begin({})
    await scene.lose()
    await scene.comeBack({})
    await scene.tell([A])
    await scene.lose()
    expect(scene.used).toEqual(stale(A))
  })
})

describe('long-lived (RFC 9494)', () => {
  const LONG = { seconds: 20, longLivedSeconds: 600 }
  const CONFIG = 'gracefulRestart: { longLivedStaleTime: 100s }'

  test('the last choice after the restart time, marked, for the shorter time of both sides', async () => {
    const scene = await Scene.begin(LONG, CONFIG, LONG)
    await scene.lose()
    await scene.wait(21)
    const row = (): RouteRow | undefined => scene.stage.received('tor').get(A)
    expect(row()).toMatchObject({ stale: true, best: true, communities: ['llgr-stale'] })
    expect(scene.stage.peer('other').routes.get(A)?.communities).toEqual(['65535:6'])
    scene.stage
      .peer('other')
      .send(updateMessage({ announce: [A], set: { origin: 'EGP', asPath: '65002 1 2 3' } }))
    await scene.stage.pass()
    expect(row()).toMatchObject({ best: false, reason: 'loses by long-lived stale' })
    await scene.wait(95)
    expect(scene.used).toEqual(stale(B, SIX))
    await scene.wait(6)
    expect(scene.used).toEqual([])
  })

  test('told to nobody who has no part in it, and what is marked with no-llgr goes', async () => {
    const scene = await Scene.begin(LONG, CONFIG)
    await scene.tell([B], { communities: ['no-llgr'] })
    await scene.lose()
    expect(scene.heard).toEqual(KEPT)
    await scene.wait(21)
    expect(scene.used).toEqual(stale(A, SIX))
    expect(scene.heard).toEqual([])
  })

  test('as before once they are told again', async () => {
    const scene = await Scene.begin(LONG, CONFIG)
    await scene.lose()
    await scene.wait(30)
    await scene.comeBack(LONG)
    await scene.tell([A])
    await scene.endOfRib()
    expect(scene.stage.received('tor').get(A)).toMatchObject({ stale: false, communities: [] })
    expect(scene.heard).toEqual([A])
  })

  test('not where nobody has asked for it', async () => {
    const scene = await Scene.begin(LONG)
    await scene.lose()
    await scene.wait(21)
    expect(scene.used).toEqual([])
  })
})

test('a peer that restarts and tells the same as before leaves everything as it was', async () => {
  const update = fc.record({
    prefixes: fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { minLength: 1, maxLength: 8 }),
    med: fc.integer({ min: 0, max: 3 }),
  })
  const runs = fc.array(update, { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(runs, fc.infiniteStream(fc.nat()), async (updates, picks) => {
      const scene = new Scene({})
      await scene.stage.start()
      const last = new Map<string, number>()
      for (const { prefixes, med } of updates) {
        const announce = prefixes.map((it) => `10.${it}.0.0/16`)
        for (const prefix of announce) last.set(prefix, med)
        await scene.tell(announce, { med })
      }
      const before = [...scene.stage.received('tor')]
      const live = scene.stage.live()
      const heard = new Map(scene.stage.peer('other').routes)
      await scene.lose()
      await scene.comeBack({})
      const rest = [...last]
      while (rest.length > 0) {
        const [[prefix, med]] = rest.splice((picks.next().value ?? 0) % rest.length, 1)
        await scene.tell([prefix], { med })
      }
      await scene.endOfRib()
      expect([...scene.stage.received('tor')]).toEqual(before)
      expect(scene.stage.live()).toEqual(live)
      expect(scene.stage.peer('other').routes).toEqual(heard)
      await scene.stage.stop()
    }),
    { numRuns: 15 },
  )
})
