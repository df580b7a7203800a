/**
 * Passwords must not show: not where configurations are printed, nor in complaints about them.
 */
import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { Secret } from '../../../src/config/secret.ts'
import { complaintsAbout, configOf } from './loading.ts'

const HIDDEN = 'correct-horse'
const config = configOf(`
asn: 1
peers:
  - { address: 10.0.0.1, asn: internal, password: ${HIDDEN} }
  - { address: 10.0.0.2, asn: internal, tcpAo: { sendId: 1, receiveId: 1, key: ${HIDDEN} } }
`)
const password = new Secret(HIDDEN)

test.each([
  ['JSON', JSON.stringify(config)],
  ['the inspector', inspect(config, { depth: null, showHidden: true })],
  ['text', String(password)],
  ['concatenation', 'password ' + password],
  ['its own keys', JSON.stringify(Object.entries(password))],
  ['a spread', inspect({ ...password })],
])('%s does not show a password', (_, printed) => {
  expect(printed).not.toContain(HIDDEN)
})

test('it shows only that there is one', () => {
  expect(JSON.stringify({ password })).toBe('{"password":"***"}')
  expect(inspect(password)).toBe('***')
})

test('it is given out on demand, and compared', () => {
  expect(password.reveal()).toBe(HIDDEN)
  expect(password.equals(new Secret(HIDDEN))).toBe(true)
  expect(password.equals(new Secret('other'))).toBe(false)
})

test.each([
  ['too long', `"${HIDDEN.repeat(7)}"`],
  ['a list', `[${HIDDEN}]`],
  ['a map', `{ ${HIDDEN}: 1 }`],
  ['with an unknown variable', `"${HIDDEN}\${NOPE}"`],
  ['with a broken variable', `"${HIDDEN}\${"`],
])('a complaint about a password that is %s does not repeat it', (_, written) => {
  const lines = complaintsAbout(
    `asn: 1\npeers: [{ address: 10.0.0.1, asn: internal, password: ${written} }]`,
  )
  expect(lines).toHaveLength(1)
  expect(lines.join()).not.toContain(HIDDEN)
})

test.each([
  HIDDEN,
  `[${HIDDEN}]`,
  `{ sendId: 1, receiveId: 1, key: "${HIDDEN.repeat(7)}" }`,
  `[{ sendId: 1, receiveId: 1, key: [${HIDDEN}] }]`,
])('nor does one about the keys of TCP-AO: %s', (written) => {
  const lines = complaintsAbout(
    `asn: 1\npeers: [{ address: 10.0.0.1, asn: internal, tcpAo: ${written} }]`,
  )
  expect(lines).toHaveLength(1)
  expect(lines.join()).not.toContain(HIDDEN)
})
