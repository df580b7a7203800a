import { expect, test } from 'vitest'
import * as constants from '../../../src/wire/constants.ts'
import { SessionError } from '../../../src/wire/errors.ts'

const cases: readonly [code: number, subcode: number, text: string][] = [
  [1, 1, 'Message Header Error/Connection Not Synchronized'],
  [2, 2, 'OPEN Message Error/Bad Peer AS'],
  [2, 7, 'OPEN Message Error/Unsupported Capability'],
  [2, 11, 'OPEN Message Error/Role Mismatch'],
  [3, 11, 'UPDATE Message Error/Malformed AS_PATH'],
  [4, 0, 'Hold Timer Expired'],
  [5, 3, 'Finite State Machine Error/Receive Unexpected Message in Established State'],
  [6, 2, 'Cease/Administrative Shutdown'],
  [6, 9, 'Cease/Hard Reset'],
  [6, 10, 'Cease/BFD Down'],
  [7, 1, 'ROUTE-REFRESH Message Error/Invalid Message Length'],
  [8, 0, 'Send Hold Timer Expired'],
  [6, 99, 'Cease/subcode 99'],
  [99, 3, 'error 99/3'],
]

test.each(cases)('error %i/%i is "%s"', (code, subcode, text) => {
  expect(constants.describeError(code, subcode)).toBe(text)
})

test('a SessionError says the error and what was found', () => {
  const error = new SessionError(constants.ERROR_OPEN, constants.BAD_PEER_AS, 'AS 0')
  expect(error.message).toBe('OPEN Message Error/Bad Peer AS: AS 0')
  expect(error.data).toHaveLength(0)
})
