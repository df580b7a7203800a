/** `maxPrefixes`, played to a whole speaker: what a peer that goes beyond its limit gets, and gets back. */
import { afterEach, describe, expect, test } from 'vitest'
import { changeOf } from '../../../src/config/change.ts'
import type { PrefixLimit } from '../../../src/config/config.ts'
import { ROUTE_REFRESH as ROUTE_REFRESH_MESSAGE } from '../../../src/wire/constants.ts'
import {
  fourOctetAs,
  IPV4_UNICAST,
  IPV6_UNICAST,
  ROUTE_REFRESH,
  type RawPeer,
} from '../../support/raw-peer.ts'
import { SpeakerStage } from '../../support/speaker-stage.ts'
import { updateMessage } from '../../support/update-builder.ts'
import { notificationText } from '../conformance/update-stage.ts'

const PEER = '10.0.0.1'
const REFRESHING = [...IPV4_UNICAST, ...IPV6_UNICAST, ...ROUTE_REFRESH, ...fourOctetAs(65_001)]
const FORGETFUL = [...IPV4_UNICAST, ...IPV6_UNICAST, ...fourOctetAs(65_001)]

const stages: SpeakerStage[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.stop()
})

async function stageWith(maxPrefixes: string, capabilities = REFRESHING): Promise<SpeakerStage> {
  const peer = { name: 'a', address: PEER, asn: 65_001, capabilities }
  const stage = new SpeakerStage([{ ...peer, config: `maxPrefixes: ${maxPrefixes}` }])
  stages.push(stage)
  return await stage.start()
}

/** `10.1.0.0/24`, `10.1.1.0/24` and so on. */
const prefixes = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `10.1.${from + i}.0/24`)

async function announce(stage: SpeakerStage, from: number, to: number): Promise<void> {
  stage.peer('a').send(updateMessage({ announce: prefixes(from, to), set: SET }))
  await stage.pass()
}

async function withdraw(stage: SpeakerStage, from: number, to: number): Promise<void> {
  stage.peer('a').send(updateMessage({ withdraw: prefixes(from, to) }))
  await stage.pass()
}

const SET = { origin: 'IGP', asPath: '65001' } as const

const reasonOf = (stage: SpeakerStage): string =>
  stage.speaker.neighbor('a')?.snapshot().reason ?? ''

const told = (stage: SpeakerStage, ...kinds: readonly string[]): string[] =>
  stage.told.filter(({ kind }) => kinds.includes(kind)).map(({ text }) => text)

const limitOf = (stage: SpeakerStage, index = 0) => {
  const limits = stage.speaker.neighbor('a')?.limits
  if (limits === undefined) throw new Error('no peer')
  return { blocked: limits[index].blocked, exceeded: limits[index].exceeded }
}

const refreshesAsked = (peer: RawPeer): number =>
  peer.heard.filter(({ type }) => type === ROUTE_REFRESH_MESSAGE).length

interface Row {
  readonly title: string
  readonly limit: string
  /** Prefixes announced, message by message, as [from, to). */
  readonly announce: readonly (readonly [number, number])[]
  readonly held: number
  /** Of the NOTIFICATION that the peer gets. */
  readonly cease?: string
  readonly reason?: string
  readonly log: readonly string[]
  readonly counts: { readonly blocked: number; readonly exceeded: number }
}

const NEAR = 'announces 8 ipv4 prefixes, 75 % or more of the 10 that it may'
const KINDS = ['PrefixLimitNear', 'PrefixLimitExceeded', 'PrefixesBlocked']

const ROWS: readonly Row[] = [
  {
    title: 'below the part at which to warn, nothing is said',
    limit: '10',
    announce: [[0, 7]],
    held: 7,
    log: [],
    counts: { blocked: 0, exceeded: 0 },
  },
  {
    title: 'at the part at which to warn, that is said once',
    limit: '10',
    announce: [[0, 8], [8, 9], [9, 10]], // prettier-ignore
    held: 10,
    log: [NEAR],
    counts: { blocked: 0, exceeded: 0 },
  },
  {
    title: 'the part may be the whole',
    limit: '{ limit: 10, warnAt: 100% }',
    announce: [[0, 9], [9, 10]], // prettier-ignore
    held: 10,
    log: ['announces 10 ipv4 prefixes, 100 % or more of the 10 that it may'],
    counts: { blocked: 0, exceeded: 0 },
  },
  {
    title: 'warn: all are taken',
    limit: '{ limit: 10, action: warn }',
    announce: [[0, 8], [8, 12], [12, 14]], // prettier-ignore
    held: 14,
    log: [NEAR, 'announces 12 ipv4 prefixes, the limit is 10'],
    counts: { blocked: 0, exceeded: 1 },
  },
  {
    title: 'block: what is new beyond is left out, and told once a minute',
    limit: '{ limit: 10, action: block }',
    announce: [[0, 12], [0, 15], [20, 21]], // prettier-ignore
    held: 10,
    log: ['announces more than 10 ipv4 prefixes, the limit: 2 were not taken'],
    counts: { blocked: 8, exceeded: 1 },
  },
  {
    title: 'disconnect: a cease with the limit in its data, and the peer stays down',
    limit: '{ limit: 10, action: disconnect }',
    announce: [[0, 10], [10, 11]], // prettier-ignore
    held: 0,
    cease: '6/1: 0001010000000a',
    reason: 'held down: 11 ipv4 prefixes, the limit is 10; until linnet startup a',
    log: [
      'announces 10 ipv4 prefixes, 75 % or more of the 10 that it may',
      'announces 11 ipv4 prefixes, the limit is 10',
    ],
    counts: { blocked: 0, exceeded: 1 },
  },
  {
    title: 'restart: the same, for a while',
    limit: '{ limit: 10, action: restart, after: 4m }',
    announce: [[0, 20]],
    held: 0,
    cease: '6/1: 0001010000000a',
    reason: 'held down: 20 ipv4 prefixes, the limit is 10; next attempt in 4 min',
    log: ['announces 20 ipv4 prefixes, the limit is 10'],
    counts: { blocked: 0, exceeded: 1 },
  },
]

describe('a peer that announces', () => {
  test.each(ROWS)('$title', async (row) => {
    const stage = await stageWith(row.limit)
    for (const [from, to] of row.announce) await announce(stage, from, to)
    expect(stage.received('a').size).toBe(row.held)
    expect(stage.peer('a').notifications.map(notificationText)).toEqual(
      row.cease === undefined ? [] : [row.cease],
    )
    expect(stage.stateOf('a')).toBe(row.cease === undefined ? 'Established' : 'Idle')
    expect(reasonOf(stage)).toBe(row.reason ?? '')
    expect(told(stage, ...KINDS)).toEqual(row.log)
    expect(limitOf(stage)).toEqual(row.counts)
  })
})

test('the warning comes again only after the number was clearly below', async () => {
  const stage = await stageWith('100')
  await announce(stage, 0, 80)
  await withdraw(stage, 70, 80)
  await announce(stage, 70, 80)
  expect(told(stage, ...KINDS)).toHaveLength(1)
  await withdraw(stage, 60, 80)
  await announce(stage, 60, 80)
  expect(told(stage, ...KINDS)).toHaveLength(2)
})

test('each family counts for itself', async () => {
  const stage = await stageWith('2')
  const sent = ['2001:db8:1::/48', '2001:db8:2::/48', '2001:db8:3::/48']
  stage.peer('a').send(updateMessage({ announce: sent, set: SET }))
  await announce(stage, 0, 2)
  expect(stage.received('a').size).toBe(4)
  expect([limitOf(stage, 0).blocked, limitOf(stage, 1).blocked]).toEqual([0, 1])
})

describe('what was left out', () => {
  test('is asked for when there is room again', async () => {
    const stage = await stageWith('10')
    await announce(stage, 0, 12)
    await withdraw(stage, 0, 2)
    expect(refreshesAsked(stage.peer('a'))).toBe(1)
    expect(told(stage, 'RefreshOrdered')).toEqual([
      '2 ipv4 prefixes were not taken, and there is room again: asked for its routes again',
    ])
    await announce(stage, 2, 12)
    expect(stage.received('a').size).toBe(10)
    expect(limitOf(stage)).toEqual({ blocked: 2, exceeded: 1 })
  })

  test('is not asked for more than once a minute, and then all the same', async () => {
    const stage = await stageWith('10')
    await announce(stage, 0, 12)
    for (let i = 0; i < 5; i++) {
      await withdraw(stage, 0, 2)
      await announce(stage, 0, 3)
      await announce(stage, 12, 20)
    }
    await withdraw(stage, 0, 2)
    expect(refreshesAsked(stage.peer('a'))).toBe(1)
    await stage.until('asked once more', () => refreshesAsked(stage.peer('a')) === 2)
  })

  test('can not be asked for without route refresh: that is told', async () => {
    const stage = await stageWith('10', FORGETFUL)
    await announce(stage, 0, 12)
    await withdraw(stage, 0, 2)
    expect(told(stage, 'PrefixesMissing')).toEqual([
      '2 ipv4 prefixes were not taken, and there is room again; it has no route refresh (RFC 2918): linnet reset brings them',
    ])
  })
})

describe('a peer that is held down', () => {
  const held = async (action: string): Promise<SpeakerStage> => {
    const stage = await stageWith(`{ limit: 10, ${action} }`)
    await announce(stage, 0, 11)
    expect(stage.stateOf('a')).toBe('Idle')
    return stage
  }
  const up = (stage: SpeakerStage) => (): boolean => stage.stateOf('a') === 'Established'

  test('comes back by itself after the time that was set', async () => {
    const stage = await held('action: restart, after: 60s')
    await stage.pass(30_000)
    expect(reasonOf(stage)).toContain('next attempt in 30 s')
    await stage.pass(29_000)
    expect(stage.stateOf('a')).toBe('Idle')
    await stage.until('it is back', up(stage), 3000)
    await announce(stage, 0, 10)
    expect(stage.received('a').size).toBe(10)
  })

  test('does not come back by itself, whoever calls, when no time is set', async () => {
    const stage = await held('action: disconnect')
    await stage.pass(10_000)
    expect(stage.stateOf('a')).toBe('Idle')
    expect(stage.peer('a').sessions).toBe(1)
  })

  const ways: readonly (readonly [title: string, act: (stage: SpeakerStage) => void])[] = [
    ['linnet startup', (stage) => void stage.orders.startup('a')],
    ['linnet reset', (stage) => void stage.orders.reset('a')],
    ['another limit', (stage) => relimit(stage, { limit: 20, warnAt: 75, action: 'block' })],
  ]
  test.each(ways)('comes back with %s', async (_, act) => {
    const stage = await held('action: disconnect')
    act(stage)
    await stage.until('it is back', up(stage))
    expect(reasonOf(stage)).toBe('')
    expect(limitOf(stage).exceeded).toBe(1)
  })

  test('is shut down by linnet shutdown, for good', async () => {
    const stage = await held('action: restart, after: 60s')
    stage.orders.shutdown('a', 'enough')
    expect(reasonOf(stage)).toBe('shut down: enough')
    await stage.pass(70_000)
    expect(stage.stateOf('a')).toBe('Idle')
  })

  test('has no routes to refresh', async () => {
    const stage = await held('action: disconnect')
    expect(() => stage.orders.refresh('a', 'both')).toThrow('the session with a is not up')
  })

  test('nobody waits for its routes', async () => {
    const stage = await held('action: disconnect')
    expect(stage.speaker.neighbor('a')?.outOfReach).toBe(true)
  })

  test('begins to count anew with clear counters', async () => {
    const stage = await held('action: disconnect')
    stage.orders.clearCounters()
    expect(limitOf(stage)).toEqual({ blocked: 0, exceeded: 0 })
    expect(stage.speaker.neighbor('a')?.snapshot().flaps).toBe(0)
    expect(reasonOf(stage)).toContain('held down')
  })
})

describe('in the running session', () => {
  test('a lower limit keeps what is held, and blocks what is new', async () => {
    const stage = await stageWith('20')
    await announce(stage, 0, 12)
    relimit(stage, { limit: 10, warnAt: 75, action: 'block' })
    await announce(stage, 10, 14)
    expect(stage.received('a').size).toBe(12)
    expect(limitOf(stage)).toEqual({ blocked: 2, exceeded: 1 })
    expect(stage.peer('a').sessions).toBe(1)
  })

  test('a lower limit that disconnects does so at once', async () => {
    const stage = await stageWith('20')
    await announce(stage, 0, 12)
    relimit(stage, { limit: 10, warnAt: 75, action: 'disconnect' })
    await stage.pass()
    expect(stage.peer('a').notifications.map(notificationText)).toEqual(['6/1: 0001010000000a'])
    expect(reasonOf(stage)).toContain('held down: 12 ipv4 prefixes')
  })

  test('a higher limit asks for what was left out', async () => {
    const stage = await stageWith('10')
    await announce(stage, 0, 12)
    relimit(stage, { limit: 20, warnAt: 75, action: 'block' })
    await stage.pass()
    expect(refreshesAsked(stage.peer('a'))).toBe(1)
    await announce(stage, 0, 12)
    expect(stage.received('a').size).toBe(12)
  })
})

describe('when memory is short', () => {
  const limits = ['20', '{ limit: 20, action: warn }', '{ limit: 13, action: disconnect }']
  test.each(limits)('with maxPrefixes: %s, what is held stays and may change', async (limit) => {
    const stage = await stageWith(limit)
    await announce(stage, 0, 12)
    stage.speaker.takeNoMore(true)
    await announce(stage, 10, 16)
    expect(stage.received('a').size).toBe(12)
    expect(told(stage, 'PrefixesBlocked')).toEqual([
      'announces more ipv4 prefixes, but memory is short: 4 were not taken',
    ])
    await withdraw(stage, 0, 2)
    expect(stage.received('a').size).toBe(10)
    expect(refreshesAsked(stage.peer('a'))).toBe(0)
    stage.speaker.takeNoMore(false)
    await stage.pass()
    expect(refreshesAsked(stage.peer('a'))).toBe(1)
    await announce(stage, 2, 12)
    expect(stage.received('a').size).toBe(10)
    expect(stage.peer('a').sessions).toBe(1)
  })

  test('nothing is taken of a session that begins', async () => {
    const stage = await stageWith('20')
    stage.speaker.takeNoMore(true)
    stage.orders.reset('a')
    await stage.until('it is up again', () => stage.peer('a').sessions === 2)
    await announce(stage, 0, 3)
    expect(stage.received('a').size).toBe(0)
    stage.speaker.takeNoMore(false)
    await announce(stage, 0, 3)
    expect(stage.received('a').size).toBe(3)
  })
})

test('a cease of the peer for our prefixes is told with family and limit', async () => {
  const stage = await stageWith('10')
  const marker = Array.from({ length: 16 }, () => 255)
  const cease = [...marker, 0, 28, 3, 6, 1, 0, 1, 1, 0, 0, 0xc3, 0x50]
  stage.peer('a').send(Uint8Array.from(cease))
  await stage.pass()
  const { lastError } = stage.speaker.neighbor('a')?.snapshot() ?? {}
  expect(lastError?.text).toBe(
    'Cease/Maximum Number of Prefixes Reached: ipv4, the limit is 50,000',
  )
})

function relimit(stage: SpeakerStage, maxPrefixes: PrefixLimit): void {
  const { config } = stage.speaker
  const after = { ...config, peers: config.peers.map((peer) => ({ ...peer, maxPrefixes })) }
  const change = changeOf(config, after)
  expect(change.changed.map(({ effect }) => effect)).toEqual(['live'])
  stage.speaker.reconfigure(after, change)
}
