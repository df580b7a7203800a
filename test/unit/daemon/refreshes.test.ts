import { expect, test } from 'vitest'
import { Refreshes } from '../../../src/daemon/refreshes.ts'
import { FakeClock } from '../../support/fake-clock.ts'

const MINUTE_MS = 60_000

function stage() {
  const clock = new FakeClock()
  const told: string[] = []
  const refreshes = new Refreshes(clock, {
    began: ({ name }) => told.push(`${name} began`),
    ended: ({ name }, overdue) => told.push(`${name} ended${overdue ? ', overdue' : ''}`),
  })
  return { clock, told, refreshes }
}

test('a refresh ends when the peer says so, once', () => {
  const { clock, told, refreshes } = stage()
  refreshes.begin('ipv4')
  clock.advance(MINUTE_MS)
  refreshes.end('ipv4')
  refreshes.end('ipv4')
  clock.advance(60 * MINUTE_MS)
  expect(told).toEqual(['ipv4 began', 'ipv4 ended'])
})

test('the end of one that has not begun says nothing', () => {
  const { told, refreshes } = stage()
  refreshes.begin('ipv4')
  refreshes.end('ipv6')
  expect(told).toEqual(['ipv4 began'])
})

test('one that never ends is ended here: routes do not live on for a promise', () => {
  const { clock, told, refreshes } = stage()
  refreshes.begin('ipv4')
  clock.advance(5 * MINUTE_MS)
  refreshes.begin('ipv6')
  clock.advance(9 * MINUTE_MS)
  expect(told).toEqual(['ipv4 began', 'ipv6 began'])
  clock.advance(2 * MINUTE_MS)
  expect(told.slice(2)).toEqual(['ipv4 ended, overdue'])
  clock.advance(5 * MINUTE_MS)
  expect(told.slice(3)).toEqual(['ipv6 ended, overdue'])
})

test('a second beginning starts the time anew', () => {
  const { clock, told, refreshes } = stage()
  refreshes.begin('ipv4')
  clock.advance(10 * MINUTE_MS)
  refreshes.begin('ipv4')
  clock.advance(10 * MINUTE_MS)
  expect(told).toEqual(['ipv4 began', 'ipv4 began'])
  clock.advance(6 * MINUTE_MS)
  expect(told.slice(2)).toEqual(['ipv4 ended, overdue'])
})

test('with the session all of it is over', () => {
  const { clock, told, refreshes } = stage()
  refreshes.begin('ipv4')
  refreshes.close()
  refreshes.end('ipv4')
  clock.advance(60 * MINUTE_MS)
  expect(told).toEqual(['ipv4 began'])
})
