/** The lab as a tool: what it leaves behind (nothing), what it refuses, what another shell can do. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { until } from '../support/until.ts'
import {
  BIRD,
  asOrdinaryUser,
  footprint,
  hasBird,
  isRoot,
  lab,
  pidNamespaceOf,
  processesIn,
  prove,
  start,
  type Asking,
} from './command.ts'

const labsSchema = z.array(z.object({ name: z.string(), pid: z.number() }))

async function pidOf(name: string, asking: Asking = {}): Promise<number> {
  const { stdout } = await lab(['list', '--json'], asking)
  return labsSchema.parse(JSON.parse(stdout)).find((it) => it.name === name)?.pid ?? 0
}

const scratch = mkdtempSync(join(tmpdir(), 'linnet-lab-test-'))
afterAll(() => rmSync(scratch, { recursive: true }))

const before = footprint()
afterEach(() => expect(footprint()).toBe(before))

describe.runIf(hasBird)('a lab that runs', () => {
  let pid: number
  beforeAll(async () => {
    const { code, stdout, stderr } = await lab(['up', BIRD])
    expect(stderr).toBe('')
    expect(stdout).toContain('lab test-bird is up')
    expect(code).toBe(0)
    pid = await pidOf('test-bird')
  })
  afterAll(async () => {
    await lab(['down', 'test-bird'])
  })

  test('is listed', async () => {
    const { stdout, code } = await lab(['list'])
    expect(stdout).toContain(`test-bird  process ${pid}`)
    expect(stdout).toContain('tor1 tor2 host1 host2 host1.c1 host2.c1')
    expect(code).toBe(0)
  })

  test('refuses a second one of its name', async () => {
    const { code, stderr } = await lab(['up', BIRD])
    expect(stderr).toBe(
      `linnet: lab test-bird runs already (process ${pid}); end it: linnet lab down test-bird\n`,
    )
    expect(code).toBe(1)
    expect(await pidOf('test-bird')).toBe(pid)
  })

  const commands: { title: string; words: string[]; outcome: { code: number; stdout?: RegExp } }[] =
    [
      {
        title: 'a command in a host',
        words: ['exec', 'test-bird', 'host1', '--', 'ip', 'route', 'show', '172.18.2.0/24'],
        outcome: { code: 0, stdout: /proto bird/ },
      },
      {
        title: 'a command in a container, the lab named by its file',
        words: ['exec', BIRD, 'host2.c1', '--', 'ip', '-br', 'addr', 'show', 'eth0'],
        outcome: { code: 0, stdout: /172\.18\.2\.2\/24/ },
      },
      {
        title: 'a command with options, without --',
        words: ['exec', 'test-bird', 'host1', 'ip', '-o', 'link', 'show', 'docker0'],
        outcome: { code: 0, stdout: /docker0/ },
      },
      {
        title: 'the logs',
        words: ['exec', 'test-bird', 'tor1', '--', 'cat', '/run/lab/tor1/bird.conf'],
        outcome: { code: 0, stdout: /local as 65001/ },
      },
      {
        title: 'an exit code',
        words: ['exec', 'test-bird', 'host1', '--', 'sh', '-c', 'exit 7'],
        outcome: { code: 7 },
      },
      {
        title: 'a node that is not there',
        words: ['exec', 'test-bird', 'host9'],
        outcome: { code: 2 },
      },
    ]

  test.each(commands)('exec: $title', async ({ words, outcome }) => {
    const { code, stdout } = await lab(words)
    if (outcome.stdout !== undefined) expect(stdout).toMatch(outcome.stdout)
    expect(code).toBe(outcome.code)
  })
})

describe.runIf(hasBird)('nothing stays', () => {
  test.each(['kill -9 of its first process', 'lab down'])('after %s', async (how) => {
    await lab(['up', BIRD])
    const pid = await pidOf('test-bird')
    const inside = pidNamespaceOf(pid)
    // The runner and four BIRDs.
    expect(processesIn(inside).length).toBeGreaterThanOrEqual(5)
    if (how === 'lab down') expect((await lab(['down', BIRD])).code).toBe(0)
    else process.kill(pid, 'SIGKILL')
    await until('all processes of the box are gone', () => processesIn(inside).length === 0)
    expect((await lab(['list'])).stdout).toBe('no lab runs\n')
    const again = await lab(['down', 'test-bird'])
    expect(again.stderr).toBe('linnet: lab test-bird does not run; none runs\n')
    expect(again.code).toBe(1)
  })

  const endings: { title: string; signal: NodeJS.Signals }[] = [
    { title: 'is told to end', signal: 'SIGTERM' },
    { title: 'is killed', signal: 'SIGKILL' },
  ]

  test.each(endings)('when the command that tests a lab $title', async ({ signal }) => {
    const child = start(['test', BIRD])
    let pid = 0
    await until(
      'the box runs',
      async () => {
        const found = await pidOf('test-bird')
        if (found !== 0 && found !== child.pid) pid = found
        return pid !== 0
      },
      20_000,
    )
    const inside = pidNamespaceOf(pid)
    child.kill(signal)
    await until('all processes of the box are gone', () => processesIn(inside).length === 0)
    expect(await pidOf('test-bird')).toBe(0)
  })
})

describe('an ordinary user', () => {
  const wrap = asOrdinaryUser()

  test.runIf(hasBird && wrap !== undefined)('proves a lab', async () => {
    const pcap = join(scratch, 'proof.pcap')
    writeFileSync(pcap, '', { mode: 0o666 })
    if (isRoot) for (const path of [scratch, pcap]) await allow(path)
    const { code, result } = await prove([BIRD, '--pcap', pcap], { wrap: wrap ?? [] })
    expect(result.pairs.map((it) => it.faults)).toEqual([[]])
    expect(code).toBe(0)
    const file = readFileSync(pcap)
    expect(file.readUInt32BE(0)).toBe(0xa1b23c4d)
    expect(file.length).toBeGreaterThan(500)
  })

  test.runIf(isRoot && wrap !== undefined)('is told which setting forbids it', async () => {
    // A user namespace may forbid user namespaces below itself: the setting is its own.
    const forbidding = [
      ...(wrap ?? []),
      'unshare',
      '--user',
      '--map-current-user',
      '--keep-caps',
      'sh',
      '-c',
      'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"',
      'sh',
    ]
    const { code, stderr } = await lab(['test', BIRD], { wrap: forbidding })
    expect(stderr).toContain('this system allows no user namespaces (user.max_user_namespaces = 0)')
    expect(stderr).toContain('run it as root: sudo ')
    expect(stderr).toContain('sysctl -w user.max_user_namespaces=15000')
    expect(code).toBe(1)
  })
})

async function allow(path: string): Promise<void> {
  const { chmod } = await import('node:fs/promises')
  await chmod(path, 0o777)
}

describe('a lab that does not come up', () => {
  const labFile = (text: string): string => {
    const file = join(scratch, 'lab.yaml')
    writeFileSync(file, text)
    return file
  }

  test('for a mistake in its file, told with its place', async () => {
    const file = labFile('name: broken\nnodes: { a: { kind: tore } }\n')
    const { code, stderr } = await lab(['test', file])
    expect(stderr).toContain(
      'lab.yaml:2:21: nodes.a.kind: tore is not tor, linnet, frr, bird or host',
    )
    expect(code).toBe(2)
  })

  test('for an address that can not be', async () => {
    const file = labFile(
      'name: broken\nnodes: { a: { kind: host, bridges: { "br%d": 10.0.0.1/33 } } }\n',
    )
    expect((await lab(['test', file])).code).toBe(2)
  })

  test.runIf(hasBird)('for a daemon that does not start, told by its own words', async () => {
    const file = labFile(
      `name: broken
nodes:
  a: { kind: bird, config: "this is no configuration\\nof bird\\n", asn: 65001 }
expect: [{ on: a, kernel: { 10.0.0.0/8: {} } }]
`,
    )
    const { code, stderr } = await lab(['test', file])
    expect(stderr).toContain('a/bird exited with code 1')
    expect(stderr).toContain('syntax error')
    expect(stderr).toContain('a: kernel route 10.0.0.0/8: not there')
    expect(code).toBe(1)
  })

  test('for a route that never comes, with the difference', async () => {
    const file = labFile(
      'name: late\ndefaults: { within: 300ms }\nnodes: { a: { kind: host } }\nexpect: [{ on: a, kernel: { 10.0.0.0/8: {} } }]\n',
    )
    const { code, stderr } = await lab(['test', file])
    expect(stderr).toContain('a: kernel route 10.0.0.0/8: not there')
    expect(code).toBe(1)
  })
})
