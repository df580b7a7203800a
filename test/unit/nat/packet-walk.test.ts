/** A packet through rules as iptables and nftables write them: the first that decides, and who cannot be told. */
import { describe, expect, test } from 'vitest'
import { parseIptables } from '../../../src/nat/iptables-rules.ts'
import { parseNft } from '../../../src/nat/nft-rules.ts'
import { walk, type Fate } from '../../../src/nat/packet-walk.ts'
import type { Packet, RuleSet } from '../../../src/nat/rule-set.ts'
import { address } from '../../../src/net/address.ts'

const packet: Packet = {
  family: 'ipv4',
  source: address('10.77.2.2'),
  destination: address('10.77.1.2'),
  input: 'eth0',
  output: 'docker0',
  protocol: 'tcp',
  sourcePort: 40_000,
  destinationPort: 50_000,
  state: 'new',
  mark: 0,
  ownAddresses: new Set(['10.0.1.2']),
}

const summary = (fate: Fate): string => {
  const who = fate.by?.rule?.text ?? (fate.by === undefined ? '' : `policy of ${fate.by.chain}`)
  return `${fate.kind}${fate.kind === 'passes' ? ` ${fate.source}` : ''}${who === '' ? '' : `: ${who}`}`
}

/** `filter FORWARD` with such rules and policy DROP, and a chain MORE beside it. */
const forward = (rules: string): RuleSet =>
  parseIptables(`# iptables-save
*filter
:FORWARD DROP [0:0]
:MORE - [0:0]
${rules}
COMMIT
*nat
:POSTROUTING ACCEPT [0:0]
COMMIT`)

describe('iptables', () => {
  const cases: readonly [title: string, rules: string, fate: string][] = [
    ['no rule', '', 'dropped: policy of FORWARD'],
    ['the first that holds', '-A FORWARD -i eth0 -j ACCEPT\n-A FORWARD -j DROP', 'passes kept'],
    ['one that does not', '-A FORWARD -i eth1 -j ACCEPT', 'dropped: policy of FORWARD'],
    ['negation', '-A FORWARD ! -s 10.78.0.0/16 ! -i docker0 -j ACCEPT', 'passes kept'],
    ['links by their beginning', '-A FORWARD -o dock+ -j ACCEPT', 'passes kept'],
    [
      'a port of somebody else',
      '-A FORWARD -p tcp -m tcp --dport 80 -j ACCEPT',
      'dropped: policy of FORWARD',
    ],
    ['ports', '-A FORWARD -p tcp -m multiport --dports 80,49000:51000 -j ACCEPT', 'passes kept'],
    ['another protocol', '-A FORWARD -p icmp -j ACCEPT', 'dropped: policy of FORWARD'],
    [
      'states',
      '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
      'dropped: policy of FORWARD',
    ],
    ['kinds', '-A FORWARD -m addrtype ! --dst-type LOCAL -j ACCEPT', 'passes kept'],
    [
      'a comment with blanks',
      '-A FORWARD -m comment --comment "let in -j DROP" -j ACCEPT',
      'passes kept',
    ],
    [
      'a refusal',
      '-A FORWARD -j REJECT --reject-with icmp-port-unreachable',
      'dropped: -A FORWARD -j REJECT --reject-with icmp-port-unreachable',
    ],
    [
      'a call that comes back',
      '-A FORWARD -j MORE\n-A FORWARD -j ACCEPT\n-A MORE -j RETURN\n-A MORE -j DROP',
      'passes kept',
    ],
    [
      'a call that does not',
      '-A FORWARD -g MORE\n-A FORWARD -j ACCEPT',
      'dropped: policy of FORWARD',
    ],
    [
      'a mark',
      '-A FORWARD -j MARK --set-xmark 0x4/0xff\n-A FORWARD -m mark --mark 0x4/0x4 -j ACCEPT',
      'passes kept',
    ],
    ['what goes on', '-A FORWARD -j LOG --log-prefix "in: "\n-A FORWARD -j ACCEPT', 'passes kept'],
    // Not understood: an answer only where it makes no difference.
    [
      'unknown, and it matters',
      '-A FORWARD -m recent --rcheck -j ACCEPT',
      'unclear: -A FORWARD -m recent --rcheck -j ACCEPT',
    ],
    [
      'unknown, and it does not',
      '-A FORWARD -m recent --rcheck -j DROP',
      'dropped: policy of FORWARD',
    ],
    [
      'unknown, of another link',
      '-A FORWARD -i eth1 -m recent --rcheck -j ACCEPT',
      'dropped: policy of FORWARD',
    ],
    [
      'unknown before a call',
      '-A FORWARD -m recent --rcheck -j MORE\n-A MORE -i eth0 -j ACCEPT',
      'unclear: -A MORE -i eth0 -j ACCEPT',
    ],
    [
      'perhaps it comes back',
      '-A FORWARD -j MORE\n-A FORWARD -j ACCEPT\n-A MORE -m recent --rcheck -j RETURN\n-A MORE -j DROP',
      'unclear: -A MORE -j DROP',
    ],
    [
      'an unknown mark',
      '-A FORWARD -j CONNMARK --restore-mark\n-A FORWARD -m mark --mark 0x1 -j ACCEPT',
      'unclear: -A FORWARD -m mark --mark 0x1 -j ACCEPT',
    ],
    [
      'a target of nobody',
      '-A FORWARD -j NFQUEUE --queue-num 0',
      'unclear: -A FORWARD -j NFQUEUE --queue-num 0',
    ],
    ['a circle', '-A FORWARD -j MORE\n-A MORE -j MORE', 'unclear: policy of MORE'],
    [
      'a set of nobody',
      '-A FORWARD -m set --match-set there dst -j ACCEPT',
      'unclear: -A FORWARD -m set --match-set there dst -j ACCEPT',
    ],
  ]
  test.each(cases)('%s', (_, rules, fate) => {
    expect(summary(walk(forward(rules), packet))).toBe(fate)
  })

  test('a set whose members are known', () => {
    const rules = `# iptables-save\n*filter\n:FORWARD DROP [0:0]\n-A FORWARD -m set --match-set there dst -j ACCEPT\nCOMMIT`
    const sets = new Map([['there', ['10.77.1.0/24', '10.78.0.0/24']]])
    expect(walk(parseIptables(rules, { sets }), packet).kind).toBe('passes')
  })
})

const raw = `# iptables-save
*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -d 10.77.1.2/32 ! -i docker0 -j DROP
COMMIT`

test('a drop in the table raw is the end, whatever is accepted later', () => {
  const rules = [...parseIptables(raw), ...forward('-A FORWARD -j ACCEPT')]
  expect(summary(walk(rules, packet))).toBe(
    'dropped: -A PREROUTING -d 10.77.1.2/32 ! -i docker0 -j DROP',
  )
  // As which packet it comes in: an answer to the host's own address is let pass.
  const arrivesAs = { ...packet, destination: address('10.0.1.2') }
  expect(walk(rules, packet, arrivesAs).kind).toBe('passes')
})

/** A table of nftables with one base chain. */
const nft = (
  { hook = 'forward', type = 'filter', prio = 0, policy = 'accept', name = 'mine' },
  ...rules: readonly unknown[][]
): RuleSet => {
  const of = { family: 'inet', table: name, chain: 'it' }
  const chain = { family: 'inet', table: name, name: 'it', hook, type, prio, policy }
  const all = [{ table: { family: 'inet', name } }, { chain }]
  return parseNft({ nftables: [...all, ...rules.map((expr) => ({ rule: { ...of, expr } }))] })
}
const match = (left: unknown, right: unknown, op = '=='): unknown => ({
  match: { op, left, right },
})
const meta = (key: string): unknown => ({ meta: { key } })
const payload = (protocol: string, field: string): unknown => ({ payload: { protocol, field } })
const ACCEPT = { accept: null }
const DROP = { drop: null }

describe('nftables', () => {
  const cases: readonly [title: string, expr: unknown[], kind: string][] = [
    [
      'a prefix',
      [match(payload('ip', 'saddr'), { prefix: { addr: '10.76.0.0', len: 14 } })],
      'passes',
    ],
    ['a range', [match(payload('ip', 'daddr'), { range: ['10.77.1.0', '10.77.1.9'] })], 'passes'],
    ['addresses of the other family', [match(payload('ip6', 'daddr'), '2001:db8::1')], 'dropped'],
    ['one of several links', [match(meta('iifname'), { set: ['lo', 'eth0'] })], 'passes'],
    ['none of several links', [match(meta('iifname'), { set: ['lo', 'eth0'] }, '!=')], 'dropped'],
    ['links by their beginning', [match(meta('oifname'), 'dock*')], 'passes'],
    ['states', [match({ ct: { key: 'state' } }, ['established', 'related'], 'in')], 'dropped'],
    ['a port', [match(payload('tcp', 'dport'), 80)], 'dropped'],
    ['ports', [match(payload('th', 'dport'), { range: [49_000, 51_000] })], 'passes'],
    [
      'a kind of address',
      [match({ fib: { result: 'type', flags: ['daddr'] } }, 'local', '!=')],
      'passes',
    ],
    [
      'a map of verdicts',
      [{ vmap: { key: meta('oifname'), data: { set: [['docker0', ACCEPT]] } } }],
      'passes',
    ],
    ['a mark that nobody set', [match(meta('mark'), 4)], 'dropped'],
    ['a rate', [{ limit: { rate: 1, per: 'second' } }], 'unclear'],
    ['words of the future', [{ hocus: 'pocus' }], 'unclear'],
    ['a comparison', [match(payload('tcp', 'dport'), 80, '>')], 'unclear'],
    ['the hidden words of iptables', [{ xt: { type: 'target', name: 'X' } }], 'unclear'],
  ]
  test.each(cases)('%s', (_, expr, kind) => {
    const rules = nft({ policy: 'drop' }, [...expr, ACCEPT])
    expect(walk(rules, packet).kind).toBe(kind)
  })

  test('an accept ends its own table only', () => {
    const rules = [...nft({ prio: -10 }, [ACCEPT]), ...nft({ name: 'other' }, [DROP])]
    expect(summary(walk(rules, packet))).toBe('dropped: drop')
  })

  test('who comes first is asked first, and the order in the text is not', () => {
    const mark = { mangle: { key: meta('mark'), value: 4 } }
    const late = nft({ policy: 'drop' }, [match(meta('mark'), 4), ACCEPT])
    const early = nft({ hook: 'prerouting', prio: -150, name: 'other' }, [mark])
    expect(walk([...late, ...early], packet).kind).toBe('passes')
    expect(walk(late, packet).kind).toBe('dropped')
  })
})

describe('the source', () => {
  const docker = parseIptables(`# iptables-save
*nat
:POSTROUTING ACCEPT [0:0]
-A POSTROUTING -s 10.77.2.0/24 ! -o br-x -j MASQUERADE
COMMIT`)
  const before = { hook: 'postrouting', type: 'nat', prio: 90 }
  const keep = { snat: { family: 'ip', addr: payload('ip', 'saddr') } }

  test.each([
    ['is changed', [], 'passes changed: -A POSTROUTING -s 10.77.2.0/24 ! -o br-x -j MASQUERADE'],
    [
      'is changed although our own table accepts',
      nft(before, [ACCEPT]),
      'passes changed: -A POSTROUTING -s 10.77.2.0/24 ! -o br-x -j MASQUERADE',
    ],
    ['stays when our own table names it', nft(before, [keep]), 'passes kept: snat'],
    [
      'is changed when our own table comes too late',
      nft({ ...before, prio: 110 }, [keep]),
      'passes changed: -A POSTROUTING -s 10.77.2.0/24 ! -o br-x -j MASQUERADE',
    ],
    [
      'stays when nobody watches the connection',
      nft({ hook: 'prerouting', prio: -300 }, [{ notrack: null }]),
      'passes kept',
    ],
  ])('%s', (_, more, fate) => {
    expect(summary(walk([...docker, ...more], packet))).toBe(fate)
  })

  test('of an answer is nobody’s business', () => {
    expect(walk(docker, { ...packet, state: 'established' })).toEqual({
      kind: 'passes',
      source: 'kept',
    })
  })
})
