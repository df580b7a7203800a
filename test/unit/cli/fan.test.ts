import { expect, test } from 'vitest'
import { run } from './command-line.ts'
import { fakeShell } from './fake-shell.ts'

test('linnet fan: the slice, its bridge, and the way back', async () => {
  const out = [
    'overlay         10.0.0.0/8',
    'underlay        172.16.0.0/16',
    'host            172.16.3.4',
    'slice           10.3.4.0/24',
    'bridge          fan-10-3-4',
    'bridge address  10.3.4.1/24',
    'address         10.5.6.77',
    'is on           172.16.5.6',
    '',
  ].join('\n')
  const words = 'fan 10.0.0.0/8 172.16.3.4/16 --find 10.5.6.77'
  expect(await run(words, fakeShell())).toEqual({ code: 0, out, err: '' })
  const { out: json } = await run(`${words} --json`, fakeShell())
  expect(JSON.parse(json)).toMatchObject({ slice: '10.3.4.0/24', isOn: '172.16.5.6' })
})

test.each([
  ['10.0.0.1/8 172.16.3.4/16', /^10.0.0.1\/8 is no prefix without host bits; write/],
  ['10.0.0.0/8 172.16.3.4', /^172.16.3.4 is no address with a length; write/],
  ['10.0.0.0/24 172.16.3.4/16', /write an overlay of \/16 or shorter$/m],
  ['10.0.0.0/8 172.16.3.4/16 --find 11.0.0.1', /^11.0.0.1 is no address of 10.0.0.0\/8/],
])('fan %s is refused', async (words, complaint) => {
  const { code, err } = await run(`fan ${words}`, fakeShell())
  expect(code).toBe(2)
  expect(err).toMatch(complaint)
})
