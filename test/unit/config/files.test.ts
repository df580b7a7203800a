/**
 * Several files: what is included, in which order it counts, where complaints point, and passwords.
 */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { checkFile, loadConfig } from '../../../src/config/load.ts'
import { peerSchema } from '../../../src/config/peer-schema.ts'
import { linesOf, loadFiles, NOWHERE } from './loading.ts'

const peersOf = (loaded: ReturnType<typeof loadFiles>): string[] =>
  'config' in loaded ? loaded.config.peers.map((peer) => peer.name) : linesOf(loaded)

test('included files come first: peers are joined, maps merged, all else replaced', () => {
  const loaded = loadFiles({
    'site.yaml':
      'asn: 1\nlog: { level: debug, format: json }\nadvertise: { interfaces: [a, b] }\npeers: [{ name: site, address: 10.0.0.1, asn: internal }]',
    'rack.yaml': 'include: [site.yaml]\nlog: { level: warn }',
    'main.yaml':
      'asn: 65101\ninclude: [rack.yaml]\nadvertise: { interfaces: [c] }\npeers: [{ name: own, address: 10.0.0.2, asn: internal }]',
  })
  expect(peersOf(loaded)).toEqual(['site', 'own'])
  expect(loaded).toMatchObject({
    config: {
      asn: 65101,
      log: { level: 'warn', format: 'json' },
      advertise: { interfaces: ['c'] },
    },
  })
})

test('a file that is included twice counts once', () => {
  const loaded = loadFiles({
    'peers.yaml': 'peers: [{ name: one, address: 10.0.0.1, asn: internal }]',
    'a.yaml': 'include: [peers.yaml]',
    'main.yaml': 'asn: 65101\ninclude: [a.yaml, peers.yaml]',
  })
  expect(peersOf(loaded)).toEqual(['one'])
})

test('variables choose the file', () => {
  const loaded = loadFiles({
    'host1.yaml': 'asn: 65101',
    'main.yaml': 'include: ["${HOSTNAME}.yaml"]',
  })
  expect(loaded).toMatchObject({ config: { asn: 65101 } })
})

test.each([
  {
    case: 'a file that is not there',
    files: { 'main.yaml': 'asn: 65101\ninclude:\n  - none.yaml' },
    lines: ["main.yaml:3:5: include: can't read none.yaml: no such file; check the name"],
  },
  {
    case: 'a circle',
    files: { 'main.yaml': 'asn: 1\ninclude: [b.yaml]', 'b.yaml': 'include: [main.yaml]' },
    lines: ['b.yaml:1:11: include: main.yaml includes itself; break the circle'],
  },
  {
    case: 'mistakes in several files, each at its own place, the main file first',
    files: {
      'main.yaml': 'asn: 65101\ninclude: [b.yaml]\npeers:\n  - { address: 10.0.0.2, asn: 0 }',
      'b.yaml': 'peers:\n  - { address: 10.0.0.1, asn: internal, hold: 3 }\nlog: { level: loud }',
    },
    lines: [
      'main.yaml:4:31: peers[0].asn: 0 is not an AS number; write 1..4294967295',
      `b.yaml:2:41: peers[0].hold: unknown key; the keys here are ${Object.keys(peerSchema.shape).join(', ')}`,
      'b.yaml:3:15: log.level: loud is not trace, debug, info, warn, error or fatal; write trace, debug, info, warn, error or fatal',
    ],
  },
  {
    case: "a group's value that does not fit one of its peers",
    files: {
      'main.yaml':
        'asn: 65101\ninclude: [b.yaml]\npeers:\n  - { name: six, address: "2001:db8::1", group: tor }',
      'b.yaml': 'peerGroups:\n  tor:\n    asn: internal\n    localAddress: 10.0.0.1',
    },
    lines: [
      "b.yaml:4:19: peerGroups.tor.localAddress: 10.0.0.1 can't be the source of a session to 2001:db8::1; write an IPv6 address of this host",
    ],
  },
  {
    case: 'no YAML in one of them',
    files: { 'main.yaml': 'asn: 65101\ninclude: [b.yaml]', 'b.yaml': 'a: 1\na: 2' },
    lines: ['b.yaml:2:1: the key a is here twice; keep one of them'],
  },
])('$case', ({ files, lines }) => {
  expect(linesOf(loadFiles(files))).toEqual(lines)
})

test('a file that is not there at all is one complaint', () => {
  expect(linesOf({ complaints: checkFile('/nowhere/linnet.yaml', NOWHERE) })).toEqual([
    "/nowhere/linnet.yaml: can't read /nowhere/linnet.yaml: no such file; check the name",
  ])
})

test.each([
  { content: 'hush\n', mode: 0o600, password: 'hush', lines: [] },
  { content: 'hush\r\nnote', mode: 0o600, password: 'hush', lines: [] },
  {
    content: 'hush',
    mode: 0o644,
    password: 'hush',
    lines: ['main.yaml:2:59: warning: peers[0].passwordFile: everybody may read key; chmod o= key'],
  },
  {
    content: '\nhush',
    mode: 0o600,
    password: undefined,
    lines: [
      'main.yaml:2:59: peers[0].passwordFile: the first line of key is no password; put 1 to 80 bytes there',
    ],
  },
  {
    content: 'x'.repeat(81),
    mode: 0o600,
    password: undefined,
    lines: [
      'main.yaml:2:59: peers[0].passwordFile: the first line of key is no password; put 1 to 80 bytes there',
    ],
  },
])('a password file with $content, mode $mode', ({ content, mode, password, lines }) => {
  const directory = mkdtempSync(join(tmpdir(), 'linnet-config-'))
  try {
    const main = join(directory, 'main.yaml')
    writeFileSync(join(directory, 'key'), content)
    chmodSync(join(directory, 'key'), mode)
    writeFileSync(
      main,
      'asn: 1\npeers: [{ address: 10.0.0.1, asn: internal, passwordFile: key }]\n',
    )
    const loaded = loadConfig(main, NOWHERE)
    expect(linesOf(loaded).map((line) => line.replace(`${directory}/`, ''))).toEqual(lines)
    const read = 'config' in loaded ? loaded.config.peers[0]?.password?.reveal() : undefined
    expect(read).toBe(password)
  } finally {
    rmSync(directory, { recursive: true })
  }
})

test('a key of TCP-AO in a file', () => {
  const loaded = loadFiles({
    'main.yaml':
      'asn: 1\npeers: [{ address: 10.0.0.1, asn: internal, tcpAo: { sendId: 1, receiveId: 2, keyFile: key } }]\n',
    key: '\n',
  })
  expect(linesOf(loaded)).toEqual([
    'main.yaml:2:88: peers[0].tcpAo.keyFile: the first line of key is no key; put 1 to 80 bytes there',
  ])
})
