/** `linnet drain`, alone and with `--stop`: what peers hear, in which order. */
import { afterEach, expect, test } from 'vitest'
import { orders } from '../../../src/daemon/orders.ts'
import { withdraw } from '../../../src/daemon/leaving.ts'
import { Events } from '../../../src/daemon/events.ts'
import { MemoryHost } from '../../support/memory-host.ts'
import { SpeakerStage } from '../../support/speaker-stage.ts'

const OWN = '10.244.7.0/24'
/** graceful-shutdown (RFC 8326), as the raw peer writes it. */
const LAST_CHOICE = '65535:0'

const stages: SpeakerStage[] = []
afterEach(async () => {
  for (const stage of stages.splice(0)) await stage.stop()
})

async function begin() {
  const peer = { name: 'tor', address: '10.0.0.1', asn: 65_001 }
  const stage = await new SpeakerStage([peer], {}, `advertise: { prefixes: [${OWN}] }`).start()
  stages.push(stage)
  const done: string[] = []
  const commands = orders({
    speaker: stage.speaker,
    events: new Events(stage.clock),
    host: new MemoryHost(),
    configPath: '',
    reloaded: () => {},
    stop: () => void done.push('stop'),
  })
  const told = (): string => {
    const route = stage.peer('tor').routes.get(OWN)
    return route === undefined ? 'withdrawn' : route.communities.join() || 'plain'
  }
  const run = async (order: Promise<unknown>): Promise<void> => {
    void order.then(() => done.push('answered'))
    await stage.until('it is answered', () => done.includes('answered'))
  }
  return { stage, commands, told, done, run }
}

test('drain: the last choice, and back', async () => {
  const { commands, told, run, done } = await begin()
  expect(told()).toBe('plain')
  await run(commands.drain(true, false))
  expect(told()).toBe(LAST_CHOICE)
  done.length = 0
  await run(commands.drain(false, false))
  expect(told()).toBe('plain')
})

test('drain --stop: the last choice for a while, then withdrawn, then the end', async () => {
  const { stage, commands, told, done } = await begin()
  const answer = commands.drain(true, true)
  await stage.until('it is the last choice', () => told() === LAST_CHOICE, 1000)
  const since = stage.clock.now()
  await stage.until('it is withdrawn', () => told() === 'withdrawn', 10_000)
  expect(stage.clock.now() - since).toBeGreaterThanOrEqual(4500)
  expect(done).toEqual([])
  expect(stage.stateOf('tor')).toBe('Established')
  await stage.until('it stops', () => done.length > 0, 2000)
  expect(done).toEqual(['stop'])
  expect(await answer).toMatch(/: done; nothing is announced any more, and linnet stops$/)
})

test('a stop after drain withdraws first, while the session is up', async () => {
  const { stage, commands, told, run, done } = await begin()
  await run(commands.drain(true, false))
  done.length = 0
  await run(withdraw(stage.speaker))
  expect(told()).toBe('withdrawn')
  expect(stage.stateOf('tor')).toBe('Established')
})
