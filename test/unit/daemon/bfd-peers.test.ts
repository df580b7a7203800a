/** What BFD says, played to a whole speaker: which paths are watched, and what becomes of sessions. */
import { afterEach, describe, expect, test } from 'vitest'
import type { BfdReport } from '../../../src/bfd/session.ts'
import type { BfdSpec } from '../../../src/bfd/sessions.ts'
import { changeOf } from '../../../src/config/change.ts'
import type { BfdService } from '../../../src/daemon/bfd-thread.ts'
import type { BfdNews } from '../../../src/daemon/bfd-worker.ts'
import { u16 } from '../../support/bgp-messages.ts'
import { fourOctetAs, IPV4_UNICAST } from '../../support/raw-peer.ts'
import { SpeakerStage, type StagePeer } from '../../support/speaker-stage.ts'
import { updateMessage } from '../../support/update-builder.ts'
import { notificationText } from '../conformance/update-stage.ts'

const NAME = 'tor'
const UP: BfdReport = {
  state: 'Up',
  since: 0,
  diagnostic: 0,
  discriminator: 1,
  remoteState: 'Up',
  remoteDiagnostic: 0,
  remoteDiscriminator: 2,
  remoteDetectMultiplier: 3,
  controlPlaneIndependent: false,
  transmitMs: 300,
  receiveMs: 300,
  detectionMs: 900,
  ups: 1,
  failures: 0,
  longestSilenceMs: 290,
}

class FakeBfd implements BfdService {
  readonly specs = new Map<string, BfdSpec>()
  sets = 0
  closed = false
  heard: (news: BfdNews) => void = () => {}
  broken: (why: string) => void = () => {}

  listen(...listeners: [(news: BfdNews) => void, (why: string) => void]): void {
    ;[this.heard, this.broken] = listeners
  }
  set(name: string, spec: BfdSpec): void {
    this.sets++
    this.specs.set(name, spec)
  }
  remove(name: string): void {
    this.specs.delete(name)
  }
  async close(): Promise<void> {
    this.closed = true
    await Promise.resolve()
  }

  up(): void {
    this.heard({ type: 'Changed', name: NAME, report: UP, failure: false })
  }
  fails(more: Partial<BfdReport> = {}): void {
    const report: BfdReport = { ...UP, state: 'Down', diagnostic: 1, ...more }
    this.heard({ type: 'Changed', name: NAME, report, failure: true })
  }
  switchedOff(): void {
    const report: BfdReport = { ...UP, state: 'Down', diagnostic: 3, remoteState: 'AdminDown' }
    this.heard({ type: 'Changed', name: NAME, report, failure: false })
  }
}

const stages: SpeakerStage[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.stop()
})

const peer = (config: string, asn = 65_001): StagePeer => ({
  name: NAME,
  address: '10.0.0.1',
  asn,
  capabilities: [...IPV4_UNICAST, ...fourOctetAs(asn)],
  config,
})

function stageWith(config: string, asn?: number): { stage: SpeakerStage; bfd: FakeBfd } {
  const bfd = new FakeBfd()
  const stage = new SpeakerStage([peer(config, asn)], {}, '', bfd)
  stages.push(stage)
  return { stage, bfd }
}

async function started(config: string, asn?: number) {
  const it = stageWith(config, asn)
  await it.stage.start()
  return it
}

const told = ({ stage }: { stage: SpeakerStage }, kind: string): string[] =>
  stage.told.filter((it) => it.kind === kind).map(({ text }) => text)

describe('which paths are watched', () => {
  test('none without bfd', async () => {
    const { bfd } = await started('')
    expect(bfd.sets).toBe(0)
  })

  test('from where the session stands, with the timers that were asked for', async () => {
    const config =
      'bfd: { interval: 50ms, minReceive: 100ms, multiplier: 5, authentication: { key: secret, keyId: 7 } }'
    const { bfd } = await started(config)
    expect(bfd.specs.get(NAME)).toMatchObject({
      path: { hops: 'single', remote: { text: '10.0.0.1' }, local: { text: '10.0.0.100' } },
      timers: {
        desiredMinTxMicroseconds: 50_000,
        requiredMinRxMicroseconds: 100_000,
        detectMultiplier: 5,
      },
      key: { id: 7, meticulous: false, secret: new TextEncoder().encode('secret') },
    })
  })

  const HOPS: readonly [config: string, asn: number, hops: string][] = [
    ['bfd: true', 65_001, 'single'],
    ['bfd: true, multihop: 1', 65_001, 'single'],
    ['bfd: true, multihop: 3', 65_001, 'multiple'],
    ['bfd: true, ttlSecurity: 1', 65_001, 'single'],
    ['bfd: true, ttlSecurity: 2', 65_001, 'multiple'],
    ['bfd: { multihop: true }', 65_001, 'multiple'],
    ['bfd: { multihop: false }, multihop: 3', 65_001, 'single'],
    ['bfd: true', 65_000, 'single'], // internal, on our subnet
    ['bfd: { multihop: true }', 65_000, 'multiple'],
  ]
  test.each(HOPS)('%s, AS %i: %s', async (config, asn, hops) => {
    const { bfd } = await started(config, asn)
    expect(bfd.specs.get(NAME)?.path.hops).toBe(hops)
  })

  test('an internal peer on none of our subnets is far', async () => {
    const bfd = new FakeBfd()
    const far = { ...peer('bfd: true', 65_000), address: '10.9.9.9' }
    const stage = new SpeakerStage([far], {}, '', bfd)
    stages.push(stage)
    await stage.start()
    expect(bfd.specs.get(NAME)?.path.hops).toBe('multiple')
  })

  test('over the link still, when that goes and takes our subnet along', async () => {
    const { stage, bfd } = await started('bfd: true', 65_000)
    const loseLink = async (): Promise<string | undefined> => {
      stage.host.unaddress('eth0', '10.0.0.100/24').tell()
      await stage.pass(1000)
      return bfd.specs.get(NAME)?.path.hops
    }
    bfd.up()
    expect(await loseLink()).toBe('single')
    bfd.fails()
    expect(await loseLink()).toBe('multiple')
  })

  test('until the operator shuts the peer down, and again when it is started', async () => {
    const { stage, bfd } = await started('bfd: true')
    void stage.orders.shutdown(NAME, undefined)
    expect(bfd.specs.size).toBe(0)
    void stage.orders.startup(NAME)
    expect(bfd.specs.size).toBe(1)
  })

  test('until the daemon stops', async () => {
    const { stage, bfd } = await started('bfd: true')
    await stage.stop()
    expect(bfd.closed).toBe(true)
  })

  test('as a reload says, without the session ending', async () => {
    const { stage, bfd } = await started('bfd: true')
    const reload = (more: Partial<(typeof stage.speaker.config.peers)[0]>): void => {
      const { config } = stage.speaker
      const peers = config.peers.map((it) => ({ ...it, ...more }))
      stage.speaker.reconfigure({ ...config, peers }, changeOf(config, { ...config, peers }))
    }
    const [before] = stage.speaker.config.peers
    reload({ bfd: { intervalMs: 50, minReceiveMs: 50, multiplier: 9, strict: false } })
    expect(bfd.specs.get(NAME)?.timers.detectMultiplier).toBe(9)
    const without = { ...before }
    delete without.bfd
    const { config } = stage.speaker
    const peers = [without]
    stage.speaker.reconfigure({ ...config, peers }, changeOf(config, { ...config, peers }))
    expect(bfd.specs.size).toBe(0)
    expect(stage.speaker.neighbor(NAME)?.snapshot()).toMatchObject({
      state: 'Established',
      flaps: 0,
    })
  })
})

describe('a path that breaks', () => {
  test('ends the session at once, in words at both ends, and it begins again', async () => {
    const it = await started('bfd: true')
    const { stage, bfd } = it
    bfd.up()
    bfd.fails()
    expect(stage.stateOf(NAME)).not.toBe('Established')
    await stage.pass()
    expect(stage.peer(NAME).notifications.map(notificationText)).toEqual(['6/10'])
    expect(stage.speaker.neighbor(NAME)?.snapshot().lastError).toMatchObject({
      direction: 'sent',
      text: 'Cease/BFD Down',
    })
    expect(told(it, 'BfdWentDown')).toEqual(['BFD is down: control detection time expired'])
    expect(told(it, 'SessionEnded')).toEqual([
      'session is down: BFD is down: control detection time expired',
    ])
    await stage.until('it is up again', () => stage.stateOf(NAME) === 'Established', 10_000)
  })

  test.each([true, false])('the C bit of the peer is remembered: %s', async (bit) => {
    const { stage, bfd } = await started('bfd: true')
    bfd.up()
    bfd.fails({ controlPlaneIndependent: bit })
    const neighbor = stage.speaker.neighbor(NAME)
    expect(neighbor?.pathFailure).toEqual({ controlPlaneIndependent: bit })
    await stage.until('it is up again', () => stage.stateOf(NAME) === 'Established', 10_000)
    expect(neighbor?.pathFailure).toBeUndefined()
  })

  test('again and again holds the session down for longer and longer, and BFD goes on', async () => {
    const it = await started('bfd: true')
    const { stage, bfd } = it
    for (let i = 0; i < 3; i++) {
      bfd.up()
      await stage.pass(1000)
      bfd.fails()
      if (i > 0) {
        expect(stage.speaker.neighbor(NAME)?.snapshot().reason).toMatch(
          new RegExp(`held down: BFD is down: .*; next attempt in ${5 * i} s`),
        )
      }
      expect(bfd.specs.size).toBe(1)
      await stage.until('it is up again', () => stage.stateOf(NAME) === 'Established', 30_000)
    }
    expect(told(it, 'BfdWentDown').at(-1)).toBe(
      'BFD is down: control detection time expired, 3 times in a row: no session for 10 s',
    )
  })

  test('and is switched off ends nothing (RFC 5882 section 4.2)', async () => {
    const it = await started('bfd: true')
    it.bfd.up()
    it.bfd.switchedOff()
    await it.stage.pass()
    expect(it.stage.stateOf(NAME)).toBe('Established')
    expect(told(it, 'BfdWentDown')).toHaveLength(1)
  })
})

describe('strict', () => {
  test('no session before BFD is up, and the reason says why', async () => {
    const { stage, bfd } = stageWith('bfd: { strict: true }')
    await stage.speaker.start()
    await stage.pass(2000)
    expect(bfd.specs.size).toBe(1)
    expect(stage.speaker.neighbor(NAME)?.snapshot()).toMatchObject({
      state: 'Idle',
      reason: 'waiting for BFD to come up (strict)',
    })
    bfd.up()
    await stage.until('it is up', () => stage.stateOf(NAME) === 'Established', 10_000)
    bfd.fails()
    await stage.pass(20_000)
    expect(stage.stateOf(NAME)).toBe('Idle')
    bfd.up()
    await stage.until('it is up', () => stage.stateOf(NAME) === 'Established', 10_000)
    bfd.switchedOff()
    await stage.pass(20_000)
    expect(stage.stateOf(NAME)).toBe('Idle')
  })
})

test('what can not be had is said once, and asked for again', async () => {
  const it = await started('bfd: true')
  const refuse = (): void =>
    it.bfd.heard({ type: 'Failed', name: NAME, problem: 'UDP port 3784 is in use' })
  const before = it.bfd.sets
  refuse()
  await it.stage.pass(6000)
  expect(it.bfd.sets).toBe(before + 1)
  refuse()
  expect(told(it, 'BfdRefused')).toEqual(['UDP port 3784 is in use'])
})

test('a thread that breaks is told, and ends no session', async () => {
  const it = await started('bfd: true')
  it.bfd.up()
  it.bfd.broken('it ended with code 1')
  it.bfd.heard({
    ...{ type: 'Changed', name: NAME, failure: false },
    report: { ...UP, state: 'Down' },
  })
  await it.stage.pass()
  expect(told(it, 'BfdBroke')).toHaveLength(1)
  expect(it.stage.stateOf(NAME)).toBe('Established')
})

describe('routes that have outlived a session (RFC 4724)', () => {
  const RESTARTS = [64, 6, ...u16(60), 0, 1, 1, 128]
  async function left(): Promise<{ stage: SpeakerStage; bfd: FakeBfd }> {
    const bfd = new FakeBfd()
    const tor = peer('bfd: true')
    const restarts = { ...tor, capabilities: [...(tor.capabilities ?? []), ...RESTARTS] }
    const stage = new SpeakerStage([restarts], {}, '', bfd)
    stages.push(stage)
    await stage.start()
    bfd.up()
    const set = { origin: 'IGP', asPath: '65001' } as const
    stage.peer(NAME).send(updateMessage({ announce: ['10.1.0.0/16'], set }))
    await stage.pass()
    return { stage, bfd }
  }

  test('stay when BFD, which shares the fate of BGP there, falls silent too; with the C bit they go', async () => {
    const { stage, bfd } = await left()
    stage.peer(NAME).away = true
    stage.peer(NAME).hangUp()
    await stage.pass()
    bfd.fails()
    await stage.pass()
    expect(stage.received(NAME).size).toBe(1)
    bfd.up()
    bfd.fails({ controlPlaneIndependent: true })
    await stage.pass()
    expect(stage.received(NAME).size).toBe(0)
  })

  test('are none where BFD has ended it', async () => {
    const { stage, bfd } = await left()
    bfd.fails()
    await stage.pass()
    expect(stage.received(NAME).size).toBe(0)
  })
})
