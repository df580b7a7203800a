import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { run } from './command-line.ts'
import { fakeShell } from './fake-shell.ts'

const FIXTURES = join(import.meta.dirname, '../nat/fixtures')
const file = (name: string): string => join(FIXTURES, name)
const NETWORKS = `--networks ${file('engine-20-networks.json')}`

describe('linnet doctor docker, of another host', () => {
  test('networks, who reaches them, what is in the way, and what to do', async () => {
    const rules = `--rules ${file('engine-20-iptables-nft.rules')}`
    const words = `doctor docker --pool 10.76.0.0/14 --link ens3 ${rules} ${NETWORKS}`
    const { code, out, err } = await run(words, fakeShell())
    expect(err).toBe('')
    expect(code).toBe(1)
    expect(out).toBe(`\
NETWORK  SUBNET              DRIVER  BRIDGE    FROM OTHER HOSTS  TO OTHER HOSTS  FROM OUTSIDE  TO OUTSIDE
blue     10.78.1.0/28        bridge  br-blue   no                hidden          no            hidden
bridge   10.77.1.0/24        bridge  docker0   no                hidden          no            hidden
bridge   2001:db8:77:1::/64  bridge  docker0   -                 -               yes           yes
inner    10.78.1.16/28       bridge  br-inner  no                no              no            no

blue, bridge: containers of other hosts don't get in: packets are dropped
    by   iptables, table filter: policy of FORWARD
    fix  iptables -I DOCKER-USER -i ens3 -s 10.76.0.0/14 -d 10.76.0.0/14 -j ACCEPT

blue, bridge: containers of other hosts see the address of this host instead of theirs
    by   iptables, table nat: -A POSTROUTING -s 10.78.1.0/28 ! -o br-blue -j MASQUERADE
    by   iptables, table nat: -A POSTROUTING -s 10.77.1.0/24 ! -o docker0 -j MASQUERADE
    fix  nat: { pools: [10.76.0.0/14] } in the configuration of linnet

note: blue, bridge: networks of this host are kept apart
    by   iptables, table filter: -A DOCKER-ISOLATION-STAGE-2 -o docker0 -j DROP

note: inner: internal: nobody but its own containers, as it was made to be
`)
  })

  test('as JSON, of two families, with a remedy that is an alternative', async () => {
    const rules = ['engine-28-iptables.rules', 'engine-28-ip6tables.rules'].map(file).join(' ')
    const pools = '--pool 10.76.0.0/14 --pool 2001:db8:77::/48'
    const words = `doctor docker ${pools} --rules ${rules} ${NETWORKS}`
    const { code, out } = await run(`${words} --json`, fakeShell())
    expect(code).toBe(1)
    const { healthy, rows, findings } = JSON.parse(out) as Record<string, unknown[]>
    expect(healthy).toBe(false)
    expect(rows).toHaveLength(4)
    expect(findings[0]).toMatchObject({
      severity: 'problem',
      networks: ['blue', 'bridge'],
      instead: true,
    })
    expect((await run(words, fakeShell())).out).toContain(
      '\n    or   "allow-direct-routing": true in ',
    )
  })

  test('of Engine 28.0, which keeps its bridges in a set', async () => {
    const rules = `--rules ${file('engine-28-ipset-iptables.rules')}`
    const words = `doctor docker --pool 10.76.0.0/14 ${rules} ${NETWORKS} --json`
    const { findings } = JSON.parse((await run(words, fakeShell())).out) as { findings: object[] }
    expect(findings.map((it) => ('command' in it ? it.command : ''))).toEqual([
      'iptables -t raw -I PREROUTING -i eth0 -s 10.76.0.0/14 -d 10.76.0.0/14 -j ACCEPT',
      'iptables -I DOCKER-USER -i eth0 -s 10.76.0.0/14 -d 10.76.0.0/14 -j ACCEPT',
      '',
      '',
      '',
    ])
  })

  test('without rules, where nothing is in the way', async () => {
    const words = `doctor docker --pool 10.76.0.0/14 --rules /dev/null ${NETWORKS}`
    const { code, out } = await run(words, fakeShell())
    expect(code).toBe(0)
    expect(out).toMatch(
      /\n\ncontainers of all hosts reach each other by their own addresses, as far/,
    )
  })

  test('whose networks are in no pool', async () => {
    const rules = `--rules ${file('engine-20-iptables-nft.rules')}`
    const { code, out } = await run(
      `doctor docker --pool 10.9.0.0/16 ${rules} ${NETWORKS}`,
      fakeShell(),
    )
    expect(code).toBe(0)
    expect(out).toMatch(/\n\nnote: no network of this host lies in the pools/)
  })
})

test.each([
  ['--pool 10.76.0.1/14', /^10.76.0.1\/14 is no prefix without host bits; write one such as/],
  [`--rules ${file('engine-27-iptables.rules')}`, /^--rules needs --networks: the output of/],
  [`--rules ${file('engine-27-iptables.rules')} ${NETWORKS}`, /^nothing says where the containers/],
  [`--pool 10.0.0.0/8 --rules /nowhere ${NETWORKS}`, /^can't read \/nowhere: ENOENT/],
  [`--pool 10.0.0.0/8 --rules ${file('engine-20-networks.json')} ${NETWORKS}`, /^can't read /],
  ['-c /nowhere', /\/nowhere/],
])('linnet doctor docker %s is refused', async (words, complaint) => {
  const { code, err } = await run(`doctor docker ${words}`, fakeShell())
  expect(err).toMatch(complaint)
  expect(code).toBe(2)
})
