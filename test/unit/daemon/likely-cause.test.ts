import { describe, expect, test } from 'vitest'
import { likelyCause, nearestTo, type Facts } from '../../../src/daemon/likely-cause.ts'
import type { DropCounter } from '../../../src/linux/drop-counts.ts'
import { address } from '../../../src/net/address.ts'

interface Row extends Partial<Omit<Facts, 'grown' | 'strangers'>> {
  readonly title: string
  readonly grown?: readonly DropCounter[]
  readonly strangers?: readonly string[]
  readonly words: RegExp | undefined
}

const ALL: readonly DropCounter[] = [
  'TCPMD5Failure',
  'TCPMD5NotFound',
  'TCPMD5Unexpected',
  'TCPAOBad',
  'TCPAORequired',
  'TCPAOKeyNotFound',
  'TCPMinTTLDrop',
]

const ROWS: readonly Row[] = [
  { title: 'nothing is known', words: undefined },
  {
    title: 'a wrong key',
    hasKey: true,
    grown: ['TCPMD5Failure'],
    words: /password likely differs/,
  },
  {
    title: 'wrong keys of others, where we have none',
    grown: ['TCPMD5Failure', 'TCPMD5NotFound', 'TCPMinTTLDrop'],
    words: undefined,
  },
  {
    title: 'no key at the peer',
    hasKey: true,
    grown: ['TCPMD5NotFound'],
    words: /peer likely has no password for us/,
  },
  {
    title: 'a key only at the peer',
    grown: ['TCPMD5Unexpected'],
    words: /and we have none for it/,
  },
  {
    title: 'keys of others, where we have one',
    hasKey: true,
    grown: ['TCPMD5Unexpected'],
    words: undefined,
  },
  {
    title: 'a kernel without TCP-AO, whatever else there is',
    tcpAo: 'missing',
    grown: ALL,
    words: /no TCP-AO .* Linux 6\.7 or newer with CONFIG_TCP_AO/,
  },
  {
    title: 'a wrong key of TCP-AO',
    tcpAo: 'signs',
    grown: ['TCPAOBad', 'TCPAOKeyNotFound', 'TCPAORequired'],
    words: /TCPAOBad.* a key of tcpAo likely differs/,
  },
  {
    title: 'ids of TCP-AO that do not fit',
    tcpAo: 'signs',
    grown: ['TCPAOKeyNotFound'],
    words: /TCPAOKeyNotFound.* the other way round/,
  },
  {
    title: 'no key of TCP-AO at the peer',
    tcpAo: 'signs',
    grown: ['TCPAORequired'],
    words: /TCPAORequired.* peer likely has no TCP-AO key for us/,
  },
  {
    title: 'keys of TCP-AO of others, where we have none',
    grown: ['TCPAOBad', 'TCPAOKeyNotFound', 'TCPAORequired'],
    words: undefined,
  },
  {
    title: 'a peer without GTSM',
    ttlSecurity: 1,
    grown: ['TCPMinTTLDrop'],
    words: /TTL below 255 .* more than 1 hop away/,
  },
  {
    title: 'a peer too far away',
    ttlSecurity: 3,
    grown: ['TCPMinTTLDrop'],
    words: /TTL below 253 .* more than 3 hops away/,
  },
  {
    title: 'a key and a TTL, both told, without a word of strangers',
    ...{ hasKey: true, ttlSecurity: 1, grown: ALL, strangers: ['10.0.1.9'] },
    words: /^segments signed .*TCPMD5Failure.*peer's; segments with a TTL .* 1 hop away$/,
  },
  {
    title: 'a stranger nearby',
    strangers: ['10.0.2.1', '10.0.1.9', '192.0.2.1'],
    words: /^10\.0\.1\.9 connects to us .* configured as 10\.0\.1\.1,/,
  },
  { title: 'strangers from elsewhere', strangers: ['192.0.2.1', '2001:db8::1'], words: undefined },
]

describe('of a session that does not come up, the words for', () => {
  test.each(ROWS)(
    '$title',
    ({ words, grown = [], strangers = [], hasKey = false, tcpAo = 'none', ttlSecurity }) => {
      const cause = likelyCause({
        address: address('10.0.1.1'),
        hasKey,
        tcpAo,
        ttlSecurity,
        grown: new Set(grown),
        strangers: strangers.map((it) => address(it)),
      })
      if (words === undefined) expect(cause).toBeUndefined()
      else expect(cause).toMatch(words)
    },
  )
})

test.each([
  { to: '2001:db8::1', others: ['2001:db8:1::1', '2001:db8::ffff'], nearest: '2001:db8::ffff' },
  { to: '2001:db8::1', others: ['2001:db8:1::1'], nearest: undefined },
  { to: '10.0.1.1', others: ['10.1.1.1', '10.0.200.1'], nearest: '10.0.200.1' },
  { to: '10.0.1.1', others: [], nearest: undefined },
])('near $to of $others is $nearest', ({ to, others, nearest }) => {
  const found = nearestTo(
    address(to),
    others.map((it) => address(it)),
  )
  expect(found?.text).toBe(nearest)
})
