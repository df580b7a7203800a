/** `defaultOriginate`, played to a whole speaker: a default route for this peer, and for nobody else. */
import { afterEach, expect, test } from 'vitest'
import { changeOf } from '../../../src/config/change.ts'
import type { ResolvedPeer } from '../../../src/config/config.ts'
import { routeRows } from '../../../src/daemon/route-rows.ts'
import { fourOctetAs, IPV4_UNICAST, IPV6_UNICAST } from '../../support/raw-peer.ts'
import { SpeakerStage } from '../../support/speaker-stage.ts'
import { updateMessage } from '../../support/update-builder.ts'

const stages: SpeakerStage[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.stop()
})

const ANY = ['0.0.0.0/0', '::/0']
/** IPv4 and IPv6 unicast, to be sent and received (RFC 7911). */
const ADD_PATH = [69, 8, 0, 1, 1, 3, 0, 2, 1, 3]

async function stageWith(
  config: string,
  capabilities: readonly number[] = [],
): Promise<SpeakerStage> {
  const both = [...IPV4_UNICAST, ...IPV6_UNICAST]
  const stage = new SpeakerStage([
    {
      name: 'host',
      address: '10.0.0.1',
      asn: 65_001,
      capabilities: [...both, ...capabilities, ...fourOctetAs(65_001)],
      config: `defaultOriginate: true${config}`,
    },
    {
      name: 'uplink',
      address: '10.0.0.2',
      asn: 65_002,
      capabilities: [...both, ...fourOctetAs(65_002)],
    },
  ])
  stages.push(stage)
  return await stage.start()
}

const told = (stage: SpeakerStage, peer: string) =>
  [...routeRows(stage.speaker, { view: 'advertised', peer, longer: false })].map(
    ({ prefix, asPath, nextHops, best }) => ({ prefix, asPath, nextHops, best }),
  )

/** As a reload of the configuration does. */
async function reconfigure(
  stage: SpeakerStage,
  change: (peer: ResolvedPeer) => Partial<ResolvedPeer>,
): Promise<void> {
  const { config } = stage.speaker
  const after = { ...config, peers: config.peers.map((it) => ({ ...it, ...change(it) })) }
  stage.speaker.reconfigure(after, changeOf(config, after))
  await stage.pass()
}

const OURS = [
  { prefix: '0.0.0.0/0', asPath: '65000', nextHops: ['10.0.0.100'], best: false },
  { prefix: '::/0', asPath: '65000', nextHops: ['2001:db8::100'], best: false },
]

const modes: readonly (readonly [
  title: string,
  config: string,
  capabilities: readonly number[],
])[] = [
  ['the best path', '', []],
  ['all paths', ', addPath: { send: all }', ADD_PATH],
]

test.each(modes)(
  'is told in each family, past the policy, as ours: %s',
  async (_, config, more) => {
    const stage = await stageWith(config, more)
    expect(told(stage, 'host')).toEqual(OURS)
    expect(told(stage, 'uplink')).toEqual([])
    const exportPolicy = [{ name: 'reject', rules: [] }]
    await reconfigure(stage, () => ({ exportPolicy }))
    expect(told(stage, 'host')).toEqual(OURS)
    // Nothing is forwarded by it here.
    expect([...routeRows(stage.speaker, { view: 'best', longer: false })]).toEqual([])
  },
)

test.each(modes)(
  'stays ours when a default is learned, and goes with the key: %s',
  async (_, config, more) => {
    const stage = await stageWith(config, more)
    const set = { origin: 'IGP', asPath: '65002' } as const
    stage.peer('uplink').send(updateMessage({ announce: ANY, set, nextHop6: '2001:db8::2' }))
    await stage.pass()
    const best = [...routeRows(stage.speaker, { view: 'best', longer: false })]
    expect(best.map(({ prefix, peer }) => `${prefix} ${peer}`)).toEqual(
      ANY.map((it) => `${it} uplink`),
    )
    expect(told(stage, 'host')).toEqual(OURS)

    await reconfigure(stage, (it) => ({ defaultOriginate: it.name === 'uplink' }))
    expect(told(stage, 'host').map(({ asPath }) => asPath)).toEqual(['65000 65002', '65000 65002'])
    // It announces one itself, and hears ours all the same.
    expect(told(stage, 'uplink')).toEqual(OURS)
    expect(stage.stateOf('host')).toBe('Established')
  },
)

test.each(modes)('leaves nothing behind: %s', async (_, config, more) => {
  const stage = await stageWith(config, more)
  for (const name of ['host', 'uplink']) stage.peer(name).hangUp()
  await stage.pass()
  expect(stage.live()).toEqual({ prefixes: 0, paths: 0, sets: 0, nextHops: 0 })
})
