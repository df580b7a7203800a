import { describe, expect, test } from 'vitest'
import { loserOf, type Loser } from '../../../src/session/collision.ts'
import type { State } from '../../../src/session/fsm.ts'

const LOW = { routerId: 0x0a000001, asn: 65001 }
/** Above 2^31, so that a signed comparison would get it wrong. */
const HIGH = { routerId: 0xc0000201, asn: 65002 }

/** Rows: the other connection's state, and who loses when the OPEN came on the ... */
const TABLE: readonly [
  other: State,
  localLow: { theirs: Loser; ours: Loser },
  localHigh: { theirs: Loser; ours: Loser },
][] = [
  ['Idle', { theirs: 'neither', ours: 'neither' }, { theirs: 'neither', ours: 'neither' }],
  ['Active', { theirs: 'other', ours: 'other' }, { theirs: 'other', ours: 'other' }],
  ['Connect', { theirs: 'other', ours: 'other' }, { theirs: 'other', ours: 'other' }],
  ['OpenSent', { theirs: 'neither', ours: 'undecided' }, { theirs: 'undecided', ours: 'neither' }],
  ['OpenConfirm', { theirs: 'other', ours: 'opened' }, { theirs: 'opened', ours: 'other' }],
  ['Established', { theirs: 'opened', ours: 'opened' }, { theirs: 'opened', ours: 'opened' }],
]

describe('with the other connection in', () => {
  expect(TABLE.length).toBe(6)
  test.each(TABLE)('%s', (other, localLow, localHigh) => {
    const verdict = (openedIncoming: boolean, local: typeof LOW, remote: typeof LOW): Loser =>
      loserOf({ openedIncoming, other, local, remote })
    expect(verdict(true, LOW, HIGH), 'OPEN on theirs, our identifier lower').toBe(localLow.theirs)
    expect(verdict(false, LOW, HIGH), 'OPEN on ours, our identifier lower').toBe(localLow.ours)
    expect(verdict(true, HIGH, LOW), 'OPEN on theirs, ours higher').toBe(localHigh.theirs)
    expect(verdict(false, HIGH, LOW), 'OPEN on ours, ours higher').toBe(localHigh.ours)
  })
})

test('both ends keep the same connection, whichever OPEN each sees last', () => {
  // The one that `b` opened: incoming at `a`, outgoing at `b`.
  const keptByB = (a: typeof LOW, b: typeof LOW, lastSeenAtA: boolean): [boolean, boolean] => {
    const kept = (local: typeof LOW, remote: typeof LOW, lastIncoming: boolean): boolean => {
      const loser = loserOf({ openedIncoming: lastIncoming, other: 'OpenConfirm', local, remote })
      return loser === 'other' ? lastIncoming : !lastIncoming
    }
    return [kept(a, b, lastSeenAtA), !kept(b, a, !lastSeenAtA)]
  }
  for (const [a, b] of [
    [LOW, HIGH],
    [HIGH, LOW],
  ] as const) {
    for (const last of [true, false]) {
      const [atA, atB] = keptByB(a, b, last)
      expect(atA).toBe(atB)
      expect(atA).toBe(b === HIGH)
    }
  }
})

test('with equal identifiers the larger AS number wins (RFC 6286 2.3)', () => {
  const other = 'OpenConfirm'
  const local = { routerId: 1, asn: 65001 }
  const remote = { routerId: 1, asn: 65002 }
  expect(loserOf({ openedIncoming: true, other, local, remote })).toBe('other')
  expect(loserOf({ openedIncoming: true, other, local: remote, remote: local })).toBe('opened')
})
