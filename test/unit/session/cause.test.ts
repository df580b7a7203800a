import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { causeOfClose, SUPERSEDED_THERE, textOfReceived } from '../../../src/session/cause.ts'
import type { State } from '../../../src/session/fsm.ts'
import type { CloseReason } from '../../../src/session/transport.ts'

const STRANGER = ' without an OPEN; is this speaker (10.0.0.1, AS 65001) configured there?'

interface Case {
  readonly state: State
  readonly code: CloseReason['code']
  readonly says: string
}

const CASES: readonly Case[] = [
  { state: 'Connect', code: 'refused', says: 'the words of the system' },
  { state: 'Connect', code: 'timeout', says: 'the words of the system' },
  // Taken and reset before our event loop came to see that it was taken.
  { state: 'Connect', code: 'reset', says: `the peer reset the connection${STRANGER}` },
  { state: 'OpenSent', code: 'reset', says: `the peer reset the connection${STRANGER}` },
  { state: 'OpenSent', code: 'end', says: `the peer closed the connection${STRANGER}` },
  { state: 'OpenSent', code: 'timeout', says: 'the words of the system' },
  { state: 'OpenConfirm', code: 'reset', says: 'the peer reset the connection' },
  { state: 'Established', code: 'end', says: 'the peer closed the connection' },
]

describe('a connection that ends', () => {
  test.each(CASES)('in $state with $code', ({ state, code, says }) => {
    const us = { asn: 65001, local: { address: address('10.0.0.1'), port: 40_000 } }
    expect(causeOfClose({ code, text: 'the words of the system' }, state, us)).toBe(says)
  })
})

test('a NOTIFICATION that decides a collision is known by its words', () => {
  const notification = { code: 6, subcode: 7, data: new Uint8Array(0) }
  expect(`the peer sent ${textOfReceived(notification, 65001, 65002)}`).toBe(SUPERSEDED_THERE)
})
