import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../control/temporary-socket.ts'
import { run } from './command-line.ts'
import { fakeShell } from './fake-shell.ts'

const GUIDE = readFileSync('docs/policy.md', 'utf8')
const CONFIG = /```yaml\n(.*?)```/s.exec(GUIDE)?.[1] ?? ''
const [, line = '', shown = ''] = /```\n\$ linnet (.*?)\n(.*?)```/s.exec(GUIDE) ?? []

function file(): string {
  const path = `${temporaryDirectory()}/linnet.yaml`
  writeFileSync(path, CONFIG)
  return path
}

test('the guide shows what the command prints', async () => {
  const words = line.replace('/etc/linnet/linnet.yaml', file())
  expect(await run(words, fakeShell())).toEqual({ code: 0, out: shown, err: '' })
})

describe('linnet policy test', () => {
  test.each([
    [
      '--policy from-tor --prefix 10.9.0.0/16',
      1,
      /rule 3: applies: reject\nrejected: policy from-tor rule 3\n$/,
      /^$/,
    ],
    [
      '--policy to-tor --policy local --prefix 10.9.0.0/16 --source docker --export',
      0,
      /communities: 65101:7/,
      /^$/,
    ],
    ['--policy reject --prefix 10.9.0.0/16', 1, /rejected: policy reject/, /^$/],
    [
      '--policy from-tor --prefix 10.9.0.0/16 --json',
      1,
      /^\{"steps":\[\{"policy":"from-tor"/,
      /^$/,
    ],
    [
      '--policy nobody --prefix 10.9.0.0/16',
      2,
      /^$/,
      /no such policy; write --policy with one of from-tor, to-tor, accept/,
    ],
    ['--policy from-tor --prefix 10.9.0.1/16', 2, /^$/, /10.9.0.1\/16 is no prefix/],
    ['--policy from-tor --prefix 10.9.0.0/16 --community x', 2, /^$/, /not a value of COMMUNITIES/],
    ['--prefix 10.9.0.0/16', 2, /^$/, /required option '--policy <name>'/],
  ])('%s', async (options, code, out, err) => {
    const ran = await run(`policy test ${file()} ${options}`, fakeShell())
    expect(ran.code).toBe(code)
    expect(ran.out).toMatch(out)
    expect(ran.err).toMatch(err)
  })
})
