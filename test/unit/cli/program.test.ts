import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { wantsColour } from '../../../src/cli/shell.ts'
import { temporaryDirectory } from '../control/temporary-socket.ts'
import { fakeDaemon, run, shellFor } from './command-line.ts'
import { fakeShell } from './fake-shell.ts'
import { containing } from '../../support/containing.ts'

describe('exit codes and last words', () => {
  const cases: { line: string; code: number; out?: RegExp; err?: RegExp }[] = [
    {
      line: '',
      code: 0,
      out: /^Usage: linnet .*Commands:.* run .* show .* lab .*Exit codes: 0 ok/s,
    },
    { line: '--help', code: 0, out: /^Usage: linnet/ },
    { line: '--version', code: 0, out: /^\d+\.\d+\.\d+\n$/ },
    { line: 'show', code: 2, err: /Usage: linnet show/ },
    { line: 'show --help', code: 0, out: /nexthops/ },
    { line: 'show routes --help', code: 0, out: /--advertised/ },
    { line: 'help show', code: 0, out: /Usage: linnet show/ },
    { line: 'shw', code: 2, err: /unknown command 'shw'.*Did you mean show/s },
    { line: 'show peer', code: 2, err: /missing required argument 'peer'/ },
    { line: 'show peers extra', code: 2, err: /too many arguments/ },
    { line: 'show peers --jsn', code: 2, err: /unknown option '--jsn'.*Did you mean --json/s },
    { line: 'show routes --family ipx', code: 2, err: /Allowed choices are ipv4, ipv6/ },
    { line: 'show routes --best --rejected', code: 2, err: /cannot be used with/ },
    { line: 'show routes --advertised', code: 2, err: /--advertised needs --peer NAME/ },
    {
      line: 'show routes --prefix 10.0.0.1/8',
      code: 2,
      err: /^linnet: not a prefix: 10.0.0.1\/8; write 10.0.0.0\/8\n$/,
    },
    {
      line: 'show routes --peer tor-x',
      code: 1,
      err: /^linnet: no peer tor-x; peers: tor-a, tor-b\n$/,
    },
    { line: 'show peer tor-x', code: 1, err: /^linnet: no peer tor-x; peers: tor-a, tor-b\n$/ },
    { line: 'run', code: 2, err: /required option '-c, --config <file>'/ },
    { line: 'refresh', code: 2, err: /missing required argument 'peer'/ },
    { line: 'refresh tor-a --in --out', code: 2, err: /cannot be used with/ },
    { line: 'refresh tor-a', code: 0, out: /^done: refresh tor-a both\n$/ },
    { line: 'refresh tor-a --in', code: 0, out: /^done: refresh tor-a in\n$/ },
    { line: 'refresh 10.0.1.1 --out', code: 0, out: /^done: refresh tor-a out\n$/ },
    { line: 'reset tor-a', code: 0, out: /^done: reset tor-a\n$/ },
    {
      line: 'reset tor-b',
      code: 1,
      err: /^linnet: tor-b has no session to reset; see linnet show peer tor-b\n$/,
    },
    {
      line: "shutdown tor-a --message 'back at noon'",
      code: 0,
      out: /^done: shutdown tor-a back at noon\n$/,
    },
    { line: `shutdown tor-a --message ${'ü'.repeat(128)}`, code: 2, err: /longer than 255 bytes/ },
    { line: 'startup tor-a', code: 0, out: /^done: startup tor-a\n$/ },
    { line: 'drain', code: 0, out: /^done: drain\n$/ },
    { line: 'drain --undo', code: 0, out: /^done: drain undo\n$/ },
    { line: 'drain --stop', code: 0, out: /^done: drain and stop\n$/ },
    { line: 'clear counters', code: 0, out: /^done: clear counters\n$/ },
    { line: 'completion tcsh', code: 2, err: /Allowed choices are bash, zsh, fish/ },
    {
      line: 'reload',
      code: 0,
      out: /^\/etc\/linnet\/node.yaml: loaded\n {2}added {4}tor-c\n {2}changed {2}tor-a: session reset\n {2}changed {2}kernel.metric: 20 -> 30\n {2}1 peers as before\n$/,
    },
  ]
  for (const { line, code, out = /^$/, err = /^$/ } of cases) {
    test(`linnet ${line.slice(0, 60)} ends with ${code}`, async () => {
      const { socket } = await fakeDaemon()
      const ran = await run(line, shellFor(socket))
      expect(ran.out).toMatch(out)
      expect(ran.err).toMatch(err)
      expect(ran.code).toBe(code)
    })
  }
})

describe('a daemon that is not there', () => {
  const lines = [
    'show peers',
    'show peers --watch',
    'show peers --json',
    'show status',
    'show peer tor-a',
    'show routes',
    'reload',
    'reset tor-a',
    'drain',
    'clear counters',
  ]
  for (const line of lines) {
    test(`linnet ${line} ends with 3 and one line`, async () => {
      const ran = await run(line, fakeShell({ env: { LINNET_SOCKET: '/nowhere/x.sock' } }))
      expect(ran).toMatchObject({ code: 3, out: '' })
      expect(ran.err).toMatch(
        /^linnet: no daemon: there is no \/nowhere\/x.sock; start one with .*\n$/,
      )
    })
  }
})

describe('which daemon', () => {
  for (const line of ['show status --json --socket SOCKET', '--socket SOCKET show status --json']) {
    test(`linnet ${line}`, async () => {
      const { socket } = await fakeDaemon()
      const shell = fakeShell({ env: { LINNET_SOCKET: '/nowhere/x.sock' } })
      expect(await run(line.replace('SOCKET', socket), shell)).toMatchObject({ code: 0 })
    })
  }
})

describe('reload', () => {
  test('of a faulty file prints the complaints and ends with 2', async () => {
    const { daemon, socket } = await fakeDaemon()
    daemon.reloadReport = {
      ...daemon.reloadReport,
      ok: false,
      complaints: ['node.yaml:3:5: peers[0].asn: 0 is not an AS number; write 1..4294967295'],
    }
    const ran = await run('reload', shellFor(socket))
    expect(ran).toMatchObject({ code: 2, out: '' })
    expect(ran.err).toBe(
      'node.yaml:3:5: peers[0].asn: 0 is not an AS number; write 1..4294967295\n' +
        '/etc/linnet/node.yaml: not loaded, nothing has changed\n',
    )
  })

  test('of the same file says that nothing has changed', async () => {
    const { daemon, socket } = await fakeDaemon()
    daemon.reloadReport = { ...daemon.reloadReport, added: [], changed: [], other: [] }
    expect(await run('reload', shellFor(socket))).toMatchObject({
      code: 0,
      out: '/etc/linnet/node.yaml: loaded, nothing in it has changed\n',
    })
  })
})

describe('check', () => {
  const cases: { title: string; text: string; code: number; out: RegExp; err: RegExp }[] = [
    {
      title: 'a good file',
      text: 'asn: 65101\npeers: [{ name: tor-a, address: 10.0.1.1, asn: 65001, import: accept }]\n',
      code: 0,
      out: /node.yaml: ok: AS 65101, 1 peer\n$/,
      err: /^$/,
    },
    {
      title: 'an unknown key',
      text: 'asn: 65101\nper: []\n',
      code: 2,
      out: /^$/,
      err: /node.yaml:2:1: .*per/,
    },
    { title: 'an AS of 0', text: 'asn: 0\n', code: 2, out: /^$/, err: /node.yaml:1:6: / },
  ]
  for (const { title, text, code, out, err } of cases) {
    test(`${title} ends with ${code}`, async () => {
      const file = `${temporaryDirectory()}/node.yaml`
      writeFileSync(file, text)
      const ran = await run(`check ${file}`, fakeShell())
      expect(ran.out).toMatch(out)
      expect(ran.err).toMatch(err)
      expect(ran.code).toBe(code)
    })
  }

  test('a file that is not there', async () => {
    const ran = await run('check /nowhere/node.yaml', fakeShell())
    expect(ran).toMatchObject({ code: 2, err: containing('no such file') })
  })
})

describe('colours', () => {
  const cases: { isTerminal: boolean; env: Record<string, string>; colours: boolean }[] = [
    { isTerminal: true, env: {}, colours: true },
    { isTerminal: false, env: {}, colours: false },
    { isTerminal: true, env: { NO_COLOR: '1' }, colours: false },
    { isTerminal: true, env: { NO_COLOR: '' }, colours: true },
    { isTerminal: true, env: { TERM: 'dumb' }, colours: false },
  ]
  for (const { isTerminal, env, colours } of cases) {
    test(`${isTerminal ? 'terminal' : 'pipe'} with ${JSON.stringify(env)}: ${colours ? 'yes' : 'no'}`, () => {
      expect(wantsColour(isTerminal, env)).toBe(colours)
    })
  }
})
