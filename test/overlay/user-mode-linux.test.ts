/** The machine that the tests of this tier run on: that it is a kernel of its own, and goes with the test. */
import { existsSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootUml, type Uml } from '../support/uml.ts'

let uml: Uml
beforeAll(async () => {
  uml = await bootUml()
})
afterAll(() => uml.close())

test('it has what the machine lacks, and our own files', async () => {
  await uml.run('ip link add ipip-a type ipip external && test -e dist/main.js')
  expect(await uml.run('ip -d link show dev ipip-a')).toContain('ipip external')
})

test('the machine is not written to', async () => {
  await expect(uml.run('touch /etc/linnet-was-here')).rejects.toThrow('Read-only file system')
  await expect(uml.run('touch package.json')).rejects.toThrow('Read-only file system')
})

test('what fails inside says what it said', async () => {
  await expect(uml.run('echo out; echo err >&2; exit 3')).rejects.toThrow('ended with 3:\nout\nerr')
})

test('nothing of it is left when it is closed', async () => {
  const other = await bootUml()
  await other.run('tail -f /dev/null & disown')
  await other.close()
  expect(existsSync(other.share)).toBe(false)
})
