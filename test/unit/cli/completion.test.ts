import { expect, test } from 'vitest'
import { fakeDaemon, run, shellFor } from './command-line.ts'

const cases: { words: string; offers: string[] }[] = [
  { words: "re ''", offers: [] },
  { words: 're', offers: ['reload', 'refresh', 'reset'] },
  {
    words: "show ''",
    offers: [
      'status',
      'peers',
      'peer',
      'routes',
      'fib',
      'sources',
      'nexthops',
      'monitors',
      'rpki',
      'help',
    ],
  },
  { words: 'show p', offers: ['peers', 'peer'] },
  { words: "show peer ''", offers: ['tor-a', 'tor-b'] },
  { words: "reset ''", offers: ['tor-a', 'tor-b'] },
  { words: "reset tor-a ''", offers: [] },
  { words: 'show routes --pe', offers: ['--peer'] },
  { words: "show routes --peer ''", offers: ['tor-a', 'tor-b'] },
  { words: "show routes --family ''", offers: ['ipv4', 'ipv6'] },
  { words: 'show routes --family ipv6 --lo', offers: ['--longer'] },
  { words: "completion ''", offers: ['bash', 'zsh', 'fish'] },
  { words: "check ''", offers: [] },
  { words: 'comple', offers: ['completion'] },
]
for (const { words, offers } of cases) {
  test(`linnet ${words}<Tab> offers ${offers.join(' ') || 'nothing'}`, async () => {
    const { socket } = await fakeDaemon()
    const ran = await run(`complete -- ${words}`, shellFor(socket))
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(ran.out.split('\n').filter((it) => it !== '')).toEqual(offers)
  })
}

test('without a daemon, peers are not offered and nothing is said', async () => {
  const ran = await run("complete -- reset ''", shellFor('/nowhere/x.sock'))
  expect(ran).toEqual({ code: 0, out: '', err: '' })
})

for (const name of ['bash', 'zsh', 'fish']) {
  test(`the script for ${name} asks linnet complete`, async () => {
    const { code, out } = await run(`completion ${name}`, shellFor('/nowhere/x.sock'))
    expect(code).toBe(0)
    expect(out).toContain('linnet complete -- ')
  })
}
