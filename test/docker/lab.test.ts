/**
 * A lab whose hosts run Docker (`runtime: docker`): real containers reach each other untouched, and nothing is
 * left of them, however the lab ends.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cgroupsOf } from '../../src/linux/cgroups.ts'
import { cgroupOf } from '../../src/lab/docker.ts'
import {
  DOCKER,
  asOrdinaryUser,
  footprint,
  lab,
  pidNamespaceOf,
  processesIn,
  prove,
} from '../lab/command.ts'
import { until } from '../support/until.ts'

const ALONE = join(import.meta.dirname, 'labs/alone.yaml')

const listed = (): string => JSON.stringify([footprint(), readdirSync('/etc/docker')])

test('containers of three Docker hosts reach each other with their own addresses', async () => {
  const before = listed()
  const { code, result, stderr } = await prove([DOCKER])
  expect(stderr).not.toContain('exited')
  expect(result.pairs.flatMap((it) => it.faults.map(({ text }) => text))).toEqual([])
  expect(result.pairs.map(({ evidence: { from, to } }) => `${from.name} ${to.name}`)).toEqual([
    'host1.web host2.web',
    'host1.web host3.web',
    'host1.blue host2.web',
    'host1.blue host3.web',
    'host2.web host3.web',
  ])
  for (const { evidence, sourceSeen } of result.pairs) {
    expect(sourceSeen).toBe(evidence.from.address)
    expect(evidence.path.map(({ node }) => node)).toContain('tor1')
  }
  expect([result.ok, code]).toEqual([true, 0])
  expect(listed()).toBe(before)
})

test('a host that is up has an engine of its own; down, it has left nothing', async () => {
  const before = listed()
  expect((await lab(['up', ALONE])).code).toBe(0)
  const list = await lab(['list', ALONE, '--json'])
  const [{ pid }] = JSON.parse(list.stdout) as { pid: number }[]
  const inside = pidNamespaceOf(pid)
  try {
    const names = ['--format', '{{.Names}} {{.Networks}}']
    const { stdout } = await lab(['exec', 'docker-alone', 'host1', '--', 'docker', 'ps', ...names])
    expect(stdout.trim().split('\n').toSorted()).toEqual(['blue br-blue', 'web docker0'])
    expect(cgroupsOf(cgroupOf(pid))).not.toEqual([])
  } finally {
    expect((await lab(['down', ALONE])).code).toBe(0)
  }
  await until('its processes are gone', () => processesIn(inside).length === 0)
  expect(cgroupsOf(cgroupOf(pid))).toEqual([])
  expect(listed()).toBe(before)
})

test('who is not root is told so', async ({ skip }) => {
  const wrap = asOrdinaryUser()
  if (wrap === undefined) return skip('an ordinary user can not read the program')
  const { code, stderr } = await lab(['test', DOCKER], { wrap })
  expect(stderr).toMatch(
    /^linnet: host1 has a Docker engine \(runtime: docker\), which needs root; run it as root: sudo /,
  )
  expect(code).toBe(1)
})
