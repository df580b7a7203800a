import { describe, expect, test } from 'vitest'
import { Eligibility, REFUSALS } from '../../../src/fib/eligibility.ts'
import { address } from '../../../src/net/address.ts'
import { FAMILIES } from '../../../src/net/family.ts'
import { parsePrefix, prefix } from '../../../src/net/prefix.ts'
import { PrefixTable } from '../../../src/rib/prefix-table.ts'

const STRICT = { defaultRoute: false, withinOwn: 'reject' } as const

/** Why `text` is refused, up to the first colon or bracket; '' when it is not. */
function refusal(eligibility: Eligibility, text: string): string {
  const asked = parsePrefix(text)
  if (asked === undefined) throw new Error(`not a prefix: ${text}`)
  const family = FAMILIES[asked.family === 'ipv4' ? 0 : 1]
  const prefixes = new PrefixTable(family)
  const code = eligibility.refusal(family.index, prefixes, prefixes.internPrefix(asked))
  return eligibility.refusalText(code)
}

const refused: readonly (readonly [prefix: string, because: string])[] = [
  ['0.0.0.0/8', 'martian: no host'],
  ['0.1.2.0/24', 'martian: no host'],
  ['127.0.0.0/8', 'martian: loopback'],
  ['127.0.0.1/32', 'martian: loopback'],
  ['169.254.0.0/16', 'martian: link-local'],
  ['169.254.7.0/24', 'martian: link-local'],
  ['224.0.0.0/4', 'martian: multicast'],
  ['239.255.255.0/24', 'martian: multicast'],
  ['255.255.255.255/32', 'martian: limited broadcast'],
  ['0.0.0.0/0', 'a default route'],
  ['::/128', 'martian: no host'],
  ['::1/128', 'martian: loopback'],
  ['fe80::/10', 'martian: link-local'],
  ['febf:ffff::/32', 'martian: link-local'],
  ['ff00::/8', 'martian: multicast'],
  ['ff02::1/128', 'martian: multicast'],
  ['::ffff:0:0/96', 'martian: IPv4-mapped'],
  ['::ffff:10.0.0.0/104', 'martian: IPv4-mapped'],
  ['::/0', 'a default route'],
]

/** Next to the edges of what is refused. */
const allowed: readonly string[] = [
  '0.0.0.0/7', // wider than what is a martian in it
  '1.0.0.0/8',
  '10.0.0.0/8',
  '126.0.0.0/8',
  '126.0.0.0/7',
  '128.0.0.0/8',
  '169.253.0.0/16',
  '169.255.0.0/16',
  '169.254.0.0/15',
  '223.255.255.0/24',
  '224.0.0.0/3',
  '240.0.0.0/4', // class E is unicast nowadays
  '255.255.255.254/32',
  '255.255.255.0/24',
  '::/1',
  '::2/128',
  '::/127',
  '::fffe:0:0/95',
  '::fffe:0:0/96',
  '2001:db8::/32',
  'fe00::/9',
  'fec0::/10',
  'fd00::/8',
]

describe('without anything of our own', () => {
  test.each(refused)('%s is refused: %s', (text, because) => {
    expect(refusal(new Eligibility(STRICT), text)).toContain(because)
  })

  test.each(allowed)('%s may be installed', (text) => {
    expect(refusal(new Eligibility(STRICT), text)).toBe('')
  })

  test('every reason but the first has words', () => {
    expect(REFUSALS[0]).toBe('')
    expect(REFUSALS.slice(1).every((text) => text.length > 10)).toBe(true)
  })
})

describe('what is ours', () => {
  const eligibility = new Eligibility(STRICT)
  eligibility.setOwnPrefixes(['172.17.0.0/16', '10.244.7.0/26', '2001:db8:7::/48'].map(prefix))
  eligibility.setOwnAddresses(['10.0.1.11', '2001:db8::11'].map(address))
  eligibility.setPeers([
    { address: address('10.0.1.1'), network: prefix('10.0.1.0/24') },
    { address: address('2001:db8::1'), network: prefix('2001:db8::/64') },
    { address: address('10.255.0.1') }, // behind others
  ])

  test.each([
    ['172.17.0.0/16', 'inside a prefix that this host announces'],
    ['172.17.3.0/24', 'inside a prefix that this host announces'],
    ['172.17.0.2/32', 'inside a prefix that this host announces'],
    ['10.244.7.0/26', 'inside a prefix that this host announces'],
    ['2001:db8:7:1::/64', 'inside a prefix that this host announces'],
    ['10.0.1.11/32', 'one of our own addresses'],
    ['2001:db8::11/128', 'one of our own addresses'],
    ['10.0.1.1/32', 'the address of a peer'],
    ['2001:db8::1/128', 'the address of a peer'],
    ['10.255.0.1/32', 'the address of a peer'],
    ['10.0.1.0/25', 'in which a peer is'],
    ['10.0.1.0/31', 'in which a peer is'],
    ['2001:db8::/127', 'in which a peer is'],
    ['2001:db8::/65', 'in which a peer is'],
  ])('%s is refused: %s', (text, because) => {
    expect(refusal(eligibility, text)).toContain(because)
  })

  test.each([
    '172.16.0.0/12', // covers ours, but ours is longer and wins
    '172.18.0.0/16',
    '10.244.7.64/26',
    '10.244.7.0/25',
    '2001:db8::/32',
    '2001:db8:8::/48',
    '10.0.1.0/24', // the network of a peer is not the peer
    '10.0.1.12/32',
    '10.0.1.2/31', // a neighbour of the peer
    '10.0.1.128/25',
    '10.0.0.0/16',
    '10.255.0.0/24', // the way to a peer behind others may be learned
    '2001:db8::2/127',
    '2001:db8::/64',
  ])('%s may be installed', (text) => {
    expect(refusal(eligibility, text)).toBe('')
  })
})

describe('changes at run time', () => {
  test('own prefixes that come and go are named, and answered for at once', () => {
    const eligibility = new Eligibility(STRICT)
    const texts = (changed: readonly { text: string }[]): string[] =>
      changed.map(({ text }) => text)
    expect(texts(eligibility.setOwnPrefixes([prefix('172.17.0.0/16')]))).toEqual(['172.17.0.0/16'])
    expect(refusal(eligibility, '172.17.1.0/24')).not.toBe('')
    expect(texts(eligibility.setOwnPrefixes([prefix('172.17.0.0/16')]))).toEqual([])
    const changed = eligibility.setOwnPrefixes([prefix('172.18.0.0/16'), prefix('2001:db8::/48')])
    expect(texts(changed)).toEqual(['172.17.0.0/16', '172.18.0.0/16', '2001:db8::/48'])
    expect(refusal(eligibility, '172.17.1.0/24')).toBe('')
    expect(refusal(eligibility, '172.18.1.0/24')).not.toBe('')
  })

  test('an address that moves away frees its host route', () => {
    const eligibility = new Eligibility(STRICT)
    eligibility.setOwnAddresses([address('10.0.0.1')])
    expect(refusal(eligibility, '10.0.0.1/32')).not.toBe('')
    expect(eligibility.setOwnAddresses([]).map(({ text }) => text)).toEqual(['10.0.0.1/32'])
    expect(refusal(eligibility, '10.0.0.1/32')).toBe('')
  })

  test('a peer that moves frees the parts of its network', () => {
    const eligibility = new Eligibility(STRICT)
    const peer = { address: address('10.0.0.1'), network: prefix('10.0.0.0/16') }
    expect(eligibility.setPeers([peer]).map(({ text }) => text)).toEqual([
      '10.0.0.1/32',
      '10.0.0.0/16',
    ])
    expect(refusal(eligibility, '10.0.0.0/24')).not.toBe('')
    expect(eligibility.setPeers([peer])).toEqual([])
    const narrower = { ...peer, network: prefix('10.0.0.0/24') }
    expect(eligibility.setPeers([narrower]).map(({ text }) => text)).toEqual(['10.0.0.0/16'])
    expect(refusal(eligibility, '10.0.0.0/24')).toBe('')
    expect(refusal(eligibility, '10.0.0.0/25')).not.toBe('')
    expect(eligibility.setPeers([]).map(({ text }) => text)).toEqual(['10.0.0.1/32', '10.0.0.0/24'])
    expect(refusal(eligibility, '10.0.0.0/25')).toBe('')
  })

  test('withinOwn: accept lets containers move, defaultRoute: true a default in', () => {
    const eligibility = new Eligibility(STRICT)
    eligibility.setOwnPrefixes([prefix('172.17.0.0/16')])
    const changed = eligibility.configure({ defaultRoute: true, withinOwn: 'accept' })
    expect(changed.map(({ text }) => text)).toEqual(['0.0.0.0/0', '::/0', '172.17.0.0/16'])
    expect(refusal(eligibility, '172.17.0.2/32')).toBe('')
    expect(refusal(eligibility, '0.0.0.0/0')).toBe('')
    expect(refusal(eligibility, '::/0')).toBe('')
  })
})

test('a thousand own host routes are all found, and no neighbour of theirs', () => {
  const eligibility = new Eligibility(STRICT)
  const own = Array.from({ length: 1000 }, (_, i) => prefix(`10.${i >> 8}.${i & 255}.2/32`))
  eligibility.setOwnPrefixes(own)
  for (const { text } of own) expect(refusal(eligibility, text)).not.toBe('')
  for (const { text } of own) expect(refusal(eligibility, text.replace('.2/32', '.3/32'))).toBe('')
})
