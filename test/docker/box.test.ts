/** Whatever becomes of a test with Docker, nothing of it stays on the machine. */
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cgroupsOf } from '../../src/linux/cgroups.ts'
import { isAlive } from '../../src/linux/process.ts'
import type { DockerBox } from '../support/docker-box.ts'
import { openFabric, ROUTED, type Fabric } from '../support/docker-fabric.ts'
import { until } from '../support/until.ts'

const TOP = join(import.meta.dirname, '../..')
/** Asks for the test that is made to be killed; the file in which it says where it is. */
const ABANDON = 'LINNET_TEST_ABANDON'

const ENDINGS: { title: string; end: (box: DockerBox) => Promise<void> }[] = [
  { title: 'when the test ends', end: (box) => box.close() },
  {
    title: 'when the first process of the box is killed',
    end: (box) => {
      process.kill(box.pid, 'SIGKILL')
      return box.close()
    },
  },
]

test.each(ENDINGS)('two Docker hosts leave nothing behind $title', async ({ end }) => {
  const before = footprint()
  const { box } = await inhabited()
  const inside = pidNamespaceOf(box.pid)
  // Its first, and two dockerd with containerd and a shim; the containers have namespaces of their own.
  expect(processesIn(inside).length).toBeGreaterThanOrEqual(7)
  expect(cgroupsOf(box.cgroup)).not.toEqual([])
  await end(box)
  await until('its processes are gone', () => processesIn(inside).length === 0)
  expect(cgroupsOf(box.cgroup)).toEqual([])
  expect(footprint()).toBe(before)
})

// The test runs itself in another vitest, and kills that.
const abandoned = process.env[ABANDON]
test(
  'two Docker hosts leave nothing behind when vitest is killed',
  abandoned === undefined ? killVitest : () => waitToBeKilled(abandoned),
)

async function killVitest(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'linnet-docker-'))
  const file = join(folder, 'box.json')
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'docker', 'docker/box']
  const child = spawn(process.execPath, [...vitest, '-t', 'when vitest is killed'], {
    cwd: TOP,
    env: { ...process.env, [ABANDON]: file },
    stdio: 'ignore',
  })
  try {
    await until('the other vitest has made its hosts', () => existsSync(file), 30_000)
  } finally {
    child.kill('SIGKILL')
  }
  const { pid, inside, cgroup } = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>
  rmSync(folder, { recursive: true })
  await until('its processes are gone', () => processesIn(inside).length === 0)
  await until('its control groups are gone', () => cgroupsOf(cgroup).length === 0)
  // Whoever has inherited it must have looked after it, too.
  await until('its first process is gone', () => !isAlive(Number(pid)))
}

async function waitToBeKilled(file: string): Promise<void> {
  const { pid, cgroup } = (await inhabited()).box
  writeFileSync(`${file}.new`, JSON.stringify({ pid, cgroup, inside: pidNamespaceOf(pid) }))
  renameSync(`${file}.new`, file)
  await new Promise(() => {})
}

/** A fabric with a container on each host. */
async function inhabited(): Promise<Fabric> {
  const fabric = await openFabric(ROUTED)
  for (const host of Object.values(fabric.hosts)) await host.runContainer('web')
  return fabric
}

const pidNamespaceOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/pid`)

/** All processes (but zombies) in a pid namespace. */
const processesIn = (pidNamespace: string): string[] =>
  readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const isZombie = stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
        return !isZombie && pidNamespaceOf(Number(pid)) === pidNamespace
      } catch {
        return false // it ended while we looked
      }
    })

/** What could have been left on the machine's own network and disk. */
function footprint(): string {
  const links = readdirSync('/sys/class/net').toSorted()
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((it) => /overlay|docker|netns/.test(it))
  const paths = ['/var/lib/docker', '/run/docker.sock', '/run/containerd', '/etc/docker/key.json']
  return JSON.stringify({ links, mounts, present: paths.filter((path) => existsSync(path)) })
}
