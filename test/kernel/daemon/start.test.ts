/**
 * What stops a daemon from starting: one line that says what is wrong and what to do, the documented exit
 * code, an ended process, and a kernel left alone.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { listen } from '../../../src/linux/tcp-listener.ts'
import { address } from '../../../src/net/address.ts'
import { linnet, PROGRAM, Workshop } from '../../support/daemon.ts'
import { enterFabric, wire, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let host: Host
beforeAll(async () => {
  const hosts = enterFabric()
  host = hosts[0]
  await wire(host, { link: 'eth0', host: ['10.0.1.1/24'], fabric: ['10.0.1.2/24'] })
})
afterAll(() => workshop.close())

/** In a user namespace there may be nobody else to be. */
const isMachineRoot = /^\s*0\s+0\s+4294967295/.test(readFileSync('/proc/self/uid_map', 'utf8'))
const WITHOUT_NET_ADMIN = ['setpriv', '--inh-caps', '-net_admin', '--bounding-set', '-net_admin']
const socket = (name: string): string => join(workshop.folder, name)
const config = (peers = '', more = 'kernel: { install: false }'): string =>
  `asn: 65101\nrouterId: 10.0.1.1\npeers: [${peers}]\n${more}\n`
const run = (file: string, name: string, wrap: readonly string[] = []) =>
  linnet(host, ['run', '-c', file, '--socket', socket(name)], { wrap })

const mistakes: readonly (readonly [what: string, yaml: string, complaint: RegExp])[] = [
  ['an unknown key', 'asn: 65101\nholdtime: 3\n', /bad\.yaml:2:1: .*holdtime/],
  ['a wrong type', 'asn: 65101\nkernel:\n  ecmp: many\n', /bad\.yaml:3:9: .*ecmp/],
  ['AS 0', 'asn: 0\n', /bad\.yaml:1:6: .*\b0\b/],
  [
    'two peers with one address',
    'asn: 65101\npeers:\n  - { address: 10.0.1.2, asn: 65001 }\n  - { name: b, address: 10.0.1.2, asn: 65001 }\n',
    /bad\.yaml:4:\d+: .*10\.0\.1\.2/,
  ],
  [
    'a source address that is not ours',
    'asn: 65101\npeers:\n  - { address: 10.0.1.2, asn: 65001, localAddress: 10.9.9.9 }\n',
    /bad\.yaml:3:\d+: .*10\.9\.9\.9/,
  ],
  [
    'a peer that is this host',
    'asn: 65101\npeers:\n  - { address: 10.0.1.1, asn: 65001 }\n',
    /bad\.yaml:3:\d+: .*10\.0\.1\.1/,
  ],
]

describe('a configuration with a mistake', () => {
  for (const [what, yaml, complaint] of mistakes) {
    test(`${what} is told with file:line:column`, async () => {
      const { code, stdout, stderr } = await run(workshop.write('bad.yaml', yaml), 'bad.sock')
      expect(stderr).toMatch(complaint)
      expect(stderr.split('\n').filter((it) => !it.includes(' warning: '))).toHaveLength(2)
      expect(stdout).toBe('')
      expect(code).toBe(2)
    })
  }

  test('check tells all mistakes of a file at once', async () => {
    const file = workshop.write('bad.yaml', 'asn: 0\nholdtime: 3\nkernel:\n  ecmp: many\n')
    const { code, stderr } = await linnet(host, ['check', file])
    expect(stderr).toMatch(/bad\.yaml:1:6: .*\n.*bad\.yaml:2:1: .*\n.*bad\.yaml:4:9: /)
    expect(code).toBe(2)
  })

  test('a file that is not there is named', async () => {
    const { code, stderr } = await run(socket('missing.yaml'), 'missing.sock')
    expect(stderr).toMatch(/missing\.yaml.*(no such file|not there|does not exist)/)
    expect(code).toBe(2)
  })
})

describe('something in the way', () => {
  test('port 179 in use: the process that holds it is named', async () => {
    const endpoint = { address: address('10.0.1.1'), port: 179 }
    const squatter = host.within(() => listen(endpoint, { onConnection: () => {} }))
    try {
      const { code, stderr } = await run(workshop.write('port.yaml', config()), 'port.sock')
      expect(stderr).toMatch(/^linnet: can't listen on 0\.0\.0\.0:179: port 179 is held by /)
      expect(stderr).toContain(`(pid ${process.pid}); stop it, or set another port`)
      expect(stderr.trim().split('\n')).toHaveLength(1)
      expect(code).toBe(1)
    } finally {
      squatter.close()
    }
  })

  test('a second linnet is told about the first one', async () => {
    const daemon = await workshop.daemon(host, config(), { name: 'first' })
    const { code, stderr } = await run(workshop.write('second.yaml', config()), 'first.sock')
    expect(stderr).toMatch(
      /^linnet: .*first\.sock\.lock is locked by pid \d+ \(.*first\.yaml.*\); stop that linnet first/,
    )
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(stderr).toContain(`pid ${daemon.pid}`)
    expect(code).toBe(1)
    expect((await daemon.status()).pid).toBe(daemon.pid)
    await daemon.kill()
  })

  test('a second linnet that would write routes too, whatever its control socket and port', async () => {
    const daemon = await workshop.daemon(host, config('', ''), { name: 'writer' })
    const other = `${config('', '')}listen: [{ address: 0.0.0.0, port: 1179 }]\n`
    const { code, stderr } = await run(workshop.write('other.yaml', other), 'other.sock')
    expect(stderr).toMatch(/^linnet: another linnet writes routes here already: pid .*writer\.yaml/)
    expect(stderr).toContain(`pid ${daemon.pid} `)
    expect(stderr).toContain('kernel: { install: false }')
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
    await daemon.kill()
    const again = await workshop.daemon(host, other, { name: 'other' })
    expect(await again.stop()).toBe(0)
  })

  test('somebody who could write no routes can not keep linnet away by its name', async () => {
    const claim = join(dirname(PROGRAM), 'linux/kernel-claim.js')
    const script = `import('${claim}').then((it) => { it.claimKernel(); console.log('has it'); setInterval(() => {}, 9e8) })`
    const words = [...WITHOUT_NET_ADMIN, process.execPath, '-e', script]
    const squatter = host.within(() =>
      spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] }),
    )
    try {
      await once(squatter.stdout, 'data')
      const daemon = await workshop.daemon(host, config('', ''), { name: 'undeterred' })
      expect(await daemon.stop()).toBe(0)
    } finally {
      squatter.kill('SIGKILL')
    }
  })

  test('a lock and a socket that a killed daemon left are no obstacle', async () => {
    const daemon = await workshop.daemon(host, config(), { name: 'first' })
    await daemon.kill()
    expect(existsSync(daemon.socket)).toBe(true)
    const again = await workshop.daemon(host, config(), { name: 'first' })
    expect(await again.stop()).toBe(0)
    expect(existsSync(again.socket)).toBe(false)
    expect(existsSync(`${again.socket}.lock`)).toBe(false)
  })

  test('a control socket that somebody else serves is left to him', async () => {
    const path = socket('taken.sock')
    const owner = createServer().listen(path)
    await until('the socket is there', () => existsSync(path))
    const { code, stderr } = await run(workshop.write('taken.yaml', config()), 'taken.sock')
    owner.close()
    expect(stderr).toMatch(/^linnet: another linnet answers on .*taken\.sock; stop it first/)
    expect(code).toBe(1)
  })

  test("a control socket that can't be made", async () => {
    writeFileSync(socket('file'), '')
    const { code, stderr } = await run(workshop.write('nowhere.yaml', config()), 'file/x.sock')
    expect(stderr).toMatch(/^linnet: can't listen on control socket .*file\/x\.sock: /)
    expect(stderr).toContain('api.socket')
    expect(code).toBe(1)
  })

  test('a daemon that is not there: exit code 3', async () => {
    const words = ['show', 'peers', '--socket', socket('nobody.sock')]
    const { code, stdout, stderr } = await linnet(host, words)
    expect(stderr).toMatch(
      /no daemon: there is no .*nobody\.sock; start one with `linnet run -c FILE`/,
    )
    expect(stdout).toBe('')
    expect(code).toBe(3)
  })

  test('a daemon that was killed: exit code 3', async () => {
    const daemon = await workshop.daemon(host, config(), { name: 'killed' })
    await daemon.kill()
    const { code, stderr } = await linnet(host, ['show', 'peers', '--socket', daemon.socket])
    expect(stderr).toMatch(/no daemon answers on .*killed\.sock/)
    expect(code).toBe(3)
  })
})

describe('missing privileges', () => {
  test('root without CAP_NET_ADMIN can install nothing', async () => {
    const file = workshop.write('nocap.yaml', config('', 'kernel: { install: true }'))
    const { code, stderr } = await run(file, 'nocap.sock', WITHOUT_NET_ADMIN)
    expect(stderr).toMatch(/^linnet: missing CAP_NET_ADMIN \(writing routes.*--cap-add NET_ADMIN/)
    expect(stderr).toContain('kernel: { install: false }')
    expect(code).toBe(1)
  })

  test.skipIf(!isMachineRoot)('an ordinary user is told how to be allowed', async () => {
    const nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
    chmodSync(workshop.folder, 0o777)
    const install = workshop.write('user.yaml', config('', 'kernel: { install: true }'))
    const { code, stderr } = await run(install, 'user.sock', nobody)
    expect(stderr).toMatch(
      /^linnet: missing CAP_NET_ADMIN \(.*\) and CAP_NET_BIND_SERVICE \(.*\): run as root \(sudo\), or .*setcap/,
    )
    expect(stderr.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
    // Also where the folder of the control socket is not theirs.
    const words = ['run', '-c', install, '--socket', '/proc/linnet/x.sock']
    const elsewhere = await linnet(host, words, { wrap: nobody })
    expect(elsewhere.stderr).toBe(stderr)
    const hidden = workshop.write('hidden.yaml', config())
    chmodSync(hidden, 0o600)
    const check = await linnet(host, ['check', hidden], { wrap: nobody })
    expect(check.stderr).toMatch(/hidden\.yaml: permission denied; run this as a user who may/)
    expect(check.code).toBe(2)
    const quiet = workshop.write('user2.yaml', config())
    const port = await run(quiet, 'user.sock', nobody)
    expect(port.stderr).toMatch(/port 179 is below 1024, which needs root or CAP_NET_BIND_SERVICE/)
    expect(port.code).toBe(1)
  })
})
