import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../control/temporary-socket.ts'
import { run } from './command-line.ts'
import { fakeShell } from './fake-shell.ts'

const GUIDE = readFileSync('docs/calico.md', 'utf8')
const RESOURCES = /```yaml\n(apiVersion.*?)```/s.exec(GUIDE)?.[1] ?? ''
const WRITTEN = /```yaml\n(# Node.*?)```/s.exec(GUIDE)?.[1] ?? ''
const TOLD = /and tells\n\n```\n(.*?)```/s.exec(GUIDE)?.[1] ?? ''

/** Runs on files in a directory, whose name is left out of what is said. */
async function runOn(files: Readonly<Record<string, string>>, options: string) {
  const directory = temporaryDirectory()
  const paths = Object.entries(files).map(([name, text]) => {
    const path = join(directory, name)
    writeFileSync(path, text)
    return path
  })
  const { code, out, err } = await run(`import calico ${paths.join(' ')} ${options}`, fakeShell())
  const short = (text: string): string => text.replaceAll(`${directory}/`, '')
  return { code, out: short(out), err: short(err) }
}

test('the guide shows what the command writes and tells', async () => {
  expect(WRITTEN).toContain('asn: 64513')
  const ran = await runOn({ 'calico.yaml': RESOURCES }, '--node node-1')
  expect(ran).toEqual({ code: 0, out: WRITTEN, err: TOLD })
})

describe('linnet import calico', () => {
  test('takes several files', async () => {
    const [first = '', ...rest] = RESOURCES.split('---\n')
    const files = { 'calico.yaml': rest.join('---\n'), 'more.yaml': first }
    const { code, out } = await runOn(files, '--node node-1')
    expect(code).toBe(0)
    expect(out).toContain('# Node node-1 of Calico, from calico.yaml, more.yaml\n')
  })

  test.each([
    ['--node node-9', 'calico.yaml: there is no Node node-9; write --node with one of node-1\n'],
    ['/no/such/file', "can't read /no/such/file: no such file; check the name\n"],
    ['/etc', "can't read /etc: it is a directory; check the name\n"],
  ])('%s is refused', async (options, err) => {
    expect(await runOn({ 'calico.yaml': RESOURCES }, options)).toEqual({ code: 2, out: '', err })
  })

  test('this host is the default, by its name', async () => {
    const { code, err } = await runOn({ 'calico.yaml': RESOURCES }, '')
    expect([code, err]).toEqual([2, expect.stringMatching(/there is no Node \S+; write --node/)])
  })

  test('what is wrong stands with its place', async () => {
    const { code, err } = await runOn(
      { 'calico.yaml': RESOURCES.replace('peerIP: 10.0.1.1', 'peerIP: tor') },
      '--node node-1',
    )
    expect(code).toBe(2)
    expect(err).toMatch(
      /^calico\.yaml:16:11: spec\.peerIP: tor is not the address of a peer; write /,
    )
  })

  test('files are needed', async () => {
    expect((await run('import calico', fakeShell())).code).toBe(2)
  })
})

describe('linnet import fan', () => {
  test('writes a configuration for the file of fanctl', async () => {
    const path = join(temporaryDirectory(), 'fan')
    writeFileSync(path, '10.0.0.0/8 172.16.3.4/16 dhcp\n')
    const { code, out, err } = await run(`import fan ${path}`, fakeShell())
    expect(code).toBe(0)
    for (const line of ['mode: fan', 'overlay: 10.0.0.0/8', 'underlay: 172.16.0.0/16']) {
      expect(out).toContain(line)
    }
    expect(err).toContain(`${path}:1:26: warning: dhcp: linnet serves no DHCP; `)
  })

  test('says what it can not read', async () => {
    const { code, err } = await run('import fan /no/such/file', fakeShell())
    expect([code, err]).toEqual([2, "can't read /no/such/file: no such file; check the name\n"])
  })
})
