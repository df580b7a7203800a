/** A host's linnet restarts under load: nobody who talks through the host may notice (RFC 4724). */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { DRAIN, hasBird, hasFrr, prove, RESTART } from './command.ts'

const directory = mkdtempSync(join(tmpdir(), 'linnet-restart-'))
afterAll(() => rmSync(directory, { recursive: true }))

const tors = [
  { tor: 'frr', possible: hasFrr },
  { tor: 'bird', possible: hasBird },
]

test.for(tors)(
  'kill -9 and start, SIGTERM and start lose no packet beside ToRs of kind $tor',
  async ({ tor, possible }, { skip }) => {
    skip(!possible, `${tor} is not installed`)
    const { result, code } = await prove([RESTART, '--tor', tor])
    const events = result.failover?.events ?? []
    expect(events.map(({ title }) => title)).toEqual([
      'host1/linnet killed and started',
      'host1/linnet stopped and started',
    ])
    for (const { sent, lost, note } of events) {
      expect(sent).toBeGreaterThan(5000)
      expect(lost).toBe(0)
      expect(note).toMatch(/^all sessions were back/)
    }
    expect(code).toBe(0)
  },
)

test('linnet drain --stop loses no packet: they go by the other router', async ({ skip }) => {
  skip(!hasFrr, 'frr is not installed')
  const { result, code } = await prove([DRAIN, '--tor', 'frr'])
  const [drained] = result.failover?.events ?? []
  expect(drained?.title).toBe('tor1/linnet drained and stopped')
  expect(drained?.sent).toBeGreaterThan(5000)
  expect(drained?.lost).toBe(0)
  expect(code).toBe(0)
})

test('without graceful restart the same proof fails', async ({ skip }) => {
  skip(!hasFrr, 'frr is not installed')
  const peer = (tor: number): string =>
    `{ name: tor${tor}, address: 10.${tor}.1.1, asn: 6500${tor}, import: accept, gracefulRestart: false }`
  const config = `config: { asn: 65101, peers: [${peer(1)}, ${peer(2)}], advertise: { interfaces: [docker0] } }`
  const file = join(directory, 'off.yaml')
  writeFileSync(file, readFileSync(RESTART, 'utf8').replace('asn: 65101', config))
  const { result, code } = await prove([file, '--tor', 'frr'])
  for (const { lost } of result.failover?.events ?? []) expect(lost).toBeGreaterThan(100)
  expect(result.failover?.events).toHaveLength(2)
  expect(code).toBe(1)
})
