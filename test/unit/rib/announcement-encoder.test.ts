import { expect, test } from 'vitest'
import { FAMILIES } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import { AnnouncementEncoder, type BucketForm } from '../../../src/rib/announcement-encoder.ts'
import { PrefixTable } from '../../../src/rib/prefix-table.ts'
import { hex } from '../wire/hex.ts'

const FORM: BucketForm = {
  set: hex('400101 00 400200'),
  form: {
    external: false,
    localAsn: 65_000,
    fourOctetAs: true,
    nextHop: Uint8Array.of(10, 0, 0, 1),
    keepMed: false,
    reflection: undefined,
  },
  nextHop: Uint8Array.of(10, 0, 0, 1),
}
const [TELLER, OTHER] = [1, 2]

/** Whom the messages are for, when `TELLER` has told one prefix and taken back another. */
function audienceAmong(members: readonly number[]): { except: number; only: number }[] {
  const prefixes = new PrefixTable(FAMILIES[0])
  const [told, takenBack] = ['10.1.0.0/16', '10.2.0.0/16'].map((text) =>
    prefixes.internPrefix(prefix(text)),
  )
  const encoder = new AnnouncementEncoder(prefixes, 4096, false, () => FORM, {
    has: (peer) => members.includes(peer),
    isOnly: (peer) => members.length === 1 && members[0] === peer,
  })
  encoder.announce(told, 1, TELLER)
  encoder.withdraw(takenBack, TELLER)
  const audience: { except: number; only: number }[] = []
  encoder.encode(({ except, only }) => audience.push({ except, only }))
  return audience
}

test('all but who has told it hear of a prefix', () => {
  const allButTeller = { except: TELLER, only: -1 }
  expect(audienceAmong([TELLER, OTHER])).toEqual([allButTeller, allButTeller])
})

test('everybody does, where who has told it is no member', () => {
  const all = { except: -1, only: -1 }
  expect(audienceAmong([OTHER])).toEqual([all, all])
})

test('nothing is written where nobody else is there to hear it', () => {
  expect(audienceAmong([TELLER])).toEqual([])
})

test('the only member hears that a prefix is now its own', () => {
  const prefixes = new PrefixTable(FAMILIES[0])
  const hearers = { has: () => true, isOnly: (peer: number) => peer === TELLER }
  const encoder = new AnnouncementEncoder(prefixes, 4096, false, () => FORM, hearers)
  encoder.withdrawFrom(prefixes.internPrefix(prefix('10.1.0.0/16')), TELLER)
  const only: number[] = []
  encoder.encode((entry) => only.push(entry.only))
  expect(only).toEqual([TELLER])
})
