/** `maxPrefixesOut`, played to a whole speaker: what a peer hears when there is more to tell than it may. */
import { afterEach, describe, expect, test } from 'vitest'
import { changeOf } from '../../../src/config/change.ts'
import type { PrefixLimit } from '../../../src/config/config.ts'
import { fourOctetAs, IPV4_UNICAST, IPV6_UNICAST } from '../../support/raw-peer.ts'
import { SpeakerStage } from '../../support/speaker-stage.ts'
import { updateMessage } from '../../support/update-builder.ts'
import { notificationText } from '../conformance/update-stage.ts'

const stages: SpeakerStage[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.stop()
})

const peer = (name: string, host: number, config: string) => ({
  name,
  address: `10.0.0.${host}`,
  asn: 65_000 + host,
  capabilities: [...IPV4_UNICAST, ...IPV6_UNICAST, ...fourOctetAs(65_000 + host)],
  ...(config === '' ? {} : { config }),
})

/** `feeder` announces; `limited` hears no more than it may, `free` everything. */
async function stageWith(maxPrefixesOut: string): Promise<SpeakerStage> {
  const stage = new SpeakerStage([
    peer('feeder', 1, ''),
    peer('limited', 2, `maxPrefixesOut: ${maxPrefixesOut}`),
    peer('free', 3, ''),
  ])
  stages.push(stage)
  return await stage.start()
}

const prefixes = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `10.1.${from + i}.0/24`)

async function announce(
  stage: SpeakerStage,
  from: number,
  to: number,
  name = 'feeder',
): Promise<void> {
  const asPath = name === 'feeder' ? '65001 65009' : '65002'
  stage
    .peer(name)
    .send(updateMessage({ announce: prefixes(from, to), set: { origin: 'IGP', asPath } }))
  await stage.pass()
}

async function withdraw(
  stage: SpeakerStage,
  from: number,
  to: number,
  name = 'feeder',
): Promise<void> {
  stage.peer(name).send(updateMessage({ withdraw: prefixes(from, to) }))
  await stage.pass()
}

const announced = (stage: SpeakerStage, name = 'limited'): number =>
  stage.speaker.neighbor(name)?.announced('ipv4') ?? -1

const withheld = (stage: SpeakerStage): number =>
  stage.speaker.neighbor('limited')?.withheld('ipv4') ?? -1

const told = (stage: SpeakerStage): string[] =>
  stage.told
    .filter(({ kind, peer: who }) => kind.startsWith('PrefixLimitOut') && who === 'limited')
    .map(({ text }) => text)

describe('block', () => {
  test('keeps back what is beyond, and only from this peer', async () => {
    const stage = await stageWith('4')
    await announce(stage, 0, 10)
    expect([announced(stage), withheld(stage), announced(stage, 'free')]).toEqual([4, 6, 10])
    expect(told(stage)).toEqual(['hears 4 ipv4 prefixes, the limit is 4: 6 or more are not told'])
    expect(stage.stateOf('limited')).toBe('Established')
  })

  test('what waited is told when there is room', async () => {
    const stage = await stageWith('4')
    await announce(stage, 0, 10)
    await withdraw(stage, 0, 3)
    expect([announced(stage), withheld(stage)]).toEqual([4, 3])
    await withdraw(stage, 3, 8)
    expect([announced(stage), withheld(stage)]).toEqual([2, 0])
  })

  test('what the peer announces itself does not count', async () => {
    const stage = await stageWith('4')
    await announce(stage, 100, 120, 'limited')
    await announce(stage, 0, 4)
    expect([announced(stage), withheld(stage)]).toEqual([4, 0])
    // Its own best paths go, and the feeder's take their place: these it would hear.
    await announce(stage, 100, 103)
    await withdraw(stage, 100, 103, 'limited')
    expect([announced(stage), withheld(stage)]).toEqual([4, 3])
  })

  test('another limit applies at once', async () => {
    const stage = await stageWith('4')
    await announce(stage, 0, 10)
    await relimit(stage, { limit: 8, action: 'block', warnAt: 75 })
    expect([announced(stage), withheld(stage)]).toEqual([8, 2])
    await relimit(stage, { limit: 2, action: 'block', warnAt: 75 })
    expect([announced(stage), withheld(stage)]).toEqual([2, 8])
    await relimit(stage, undefined)
    expect([announced(stage), withheld(stage)]).toEqual([10, 0])
    expect(stage.stateOf('limited')).toBe('Established')
  })
})

test('warn: all are told, and the log hears of it once', async () => {
  const stage = await stageWith('{ limit: 10, action: warn }')
  await announce(stage, 0, 8)
  await announce(stage, 8, 12)
  await announce(stage, 12, 14)
  expect(announced(stage)).toBe(14)
  expect(told(stage)).toEqual([
    'hears 8 ipv4 prefixes, 75 % or more of the 10 that it may hear',
    'hears 12 ipv4 prefixes, the limit is 10',
  ])
})

interface Ending {
  readonly limit: string
  readonly notification: string
  readonly reason: string
  readonly after: string
}

const CAUSE = 'maxPrefixesOut: 12 ipv4 prefixes to announce, the limit is 10'
const ENDINGS: readonly Ending[] = [
  {
    limit: '{ limit: 10, action: disconnect }',
    notification: '6/2',
    reason: `held down: ${CAUSE}; until linnet startup limited`,
    after: 'Idle',
  },
  {
    limit: '{ limit: 10, action: restart, after: 1m }',
    notification: '6/4',
    reason: `held down: ${CAUSE}; next attempt in 60 s`,
    after: 'Established',
  },
]

test.each(ENDINGS)('$limit: the session ends before anything beyond is sent', async (row) => {
  const stage = await stageWith(row.limit)
  await announce(stage, 0, 10)
  expect(announced(stage)).toBe(10)
  await announce(stage, 10, 12)
  const { notifications } = stage.peer('limited')
  expect(notifications.map(notificationText)).toEqual([expect.stringContaining(row.notification)])
  expect(stage.speaker.neighbor('limited')?.snapshot().reason).toBe(row.reason)
  expect(announced(stage, 'free')).toBe(12)
  await withdraw(stage, 0, 5)
  await stage.pass(70_000)
  expect(stage.stateOf('limited')).toBe(row.after)
})

/** As a reload of the configuration does. */
async function relimit(stage: SpeakerStage, limit: PrefixLimit | undefined): Promise<void> {
  const { config } = stage.speaker
  const peers = config.peers.map((it) => {
    if (it.name !== 'limited') return it
    const { maxPrefixesOut: _, ...rest } = it
    return limit === undefined ? rest : { ...rest, maxPrefixesOut: limit }
  })
  const after = { ...config, peers }
  stage.speaker.reconfigure(after, changeOf(config, after))
  await stage.pass()
}
