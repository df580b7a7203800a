import { describe, expect, onTestFinished, test } from 'vitest'
import { status, type FakeDaemon } from '../control/fake-daemon.ts'
import { until } from '../../support/until.ts'
import { fakeDaemon, run, shellFor, type Ran } from './command-line.ts'
import type { FakeShell } from './fake-shell.ts'
import { containing, matching } from '../../support/containing.ts'

interface Watched {
  readonly daemon: FakeDaemon
  readonly shell: FakeShell
  readonly ended: Promise<Ran>
  /** What was drawn, without what opens and closes the screen. */
  frames(): string[]
}

async function watching(
  line: string,
  options: Parameters<typeof shellFor>[1] = {},
): Promise<Watched> {
  const { daemon, socket } = await fakeDaemon()
  const shell = shellFor(socket, options)
  const ended = run(line, shell)
  onTestFinished(() => shell.interrupt())
  const frames = () => shell.printed.filter((it) => !it.startsWith('\u001b[?'))
  await until(
    'the first frame, and listening',
    () => frames().length === 1 && daemon.subscribers === 1,
  )
  return { daemon, shell, ended, frames }
}

/** Turns the clock past the shortest time between two frames. */
async function settle(shell: FakeShell): Promise<void> {
  await until('a timer', () => shell.clock.waiting === 1)
  shell.clock.advance(200)
  await until('the next timer', () => shell.clock.waiting === 1)
}

describe('in a pipe', () => {
  test('an event prints the answer again, if it is a new one', async () => {
    const { daemon, shell, ended, frames } = await watching('show peers --watch --json')
    await settle(shell)
    daemon.peerRows = daemon.peerRows.slice(0, 1)
    daemon.emit({ topic: 'peers', text: 'tor-b removed' })
    await until('a second answer', () => frames().length === 2)
    expect(frames().map((it) => (JSON.parse(it) as unknown[]).length)).toEqual([2, 1])
    shell.interrupt()
    expect(await ended).toMatchObject({ code: 0, err: '' })
    await until('nobody listens', () => daemon.subscribers === 0)
  })

  test('an event about something else, and one that changes nothing, print nothing', async () => {
    const { daemon, shell, ended, frames } = await watching('show sources --watch')
    await settle(shell)
    daemon.emit({ topic: 'fib' })
    daemon.emit({ topic: 'sources' })
    await settle(shell)
    shell.interrupt()
    await ended
    expect(frames()).toHaveLength(1)
  })

  test('without any event, it looks again after two seconds', async () => {
    const { daemon, shell, ended, frames } = await watching('show status --watch --json')
    await settle(shell)
    daemon.statusRow = { ...status, established: 2 }
    shell.clock.advance(1799)
    expect(frames()).toHaveLength(1)
    shell.clock.advance(1)
    await until('a second answer', () => frames().length === 2)
    shell.interrupt()
    await ended
  })

  test('a burst of events is one new answer', async () => {
    const { daemon, shell, ended, frames } = await watching('show peers --watch --json')
    for (let i = 0; i < 50; i++) {
      daemon.peerRows = daemon.peerRows.map((it) => ({ ...it, flaps: i }))
      daemon.emit({})
    }
    await settle(shell)
    await until('a second answer', () => frames().length === 2)
    shell.interrupt()
    await ended
    expect(frames()).toHaveLength(2)
  })
})

describe('on a terminal', () => {
  test('the screen is drawn over in place, and given back at the end', async () => {
    const { daemon, shell, ended, frames } = await watching('show peers --watch', {
      interactive: true,
    })
    await settle(shell)
    daemon.peerRows = []
    daemon.emit({})
    await until('a second frame', () => frames().length === 2)
    const [first = '', second = ''] = frames()
    expect(first).toMatch(/^\u001b\[Hlinnet show peers {3}12:00:00 UTC/)
    expect(first).toContain('tor-a')
    expect(second).toMatch(/^\u001b\[Hlinnet show peers/)
    expect(second).toContain('no peers: add some')
    expect(second).toMatch(/\u001b\[K\u001b\[J$/)
    shell.interrupt()
    await ended
    expect(shell.printed[0]).toContain('\u001b[?1049h')
    expect(shell.printed.at(-1)).toContain('\u001b[?1049l')
  })

  test('what does not fit is left out, and that is said', async () => {
    const options = { interactive: true, rows: 5 }
    const { shell, ended, frames } = await watching('show peer tor-a --watch', options)
    const [first = ''] = frames()
    expect(first.split('\n')).toHaveLength(4)
    expect(first).toContain('... and more')
    shell.interrupt()
    await ended
  })

  test('no more routes are asked for than the screen is high', async () => {
    const { daemon, shell, ended, frames } = await watching('show routes --watch', {
      interactive: true,
      rows: 10,
    })
    shell.interrupt()
    await ended
    expect(frames()).toHaveLength(1)
    expect(daemon.asked).toHaveLength(1)
  })
})

describe('when it goes wrong, the screen is given back', () => {
  const begin = async () => {
    const { daemon, server, socket } = await fakeDaemon()
    const shell = shellFor(socket, { interactive: true })
    const ended = run('show peers --watch', shell)
    await until('listening', () => daemon.subscribers === 1 && shell.clock.waiting === 1)
    return { daemon, server, shell, ended }
  }

  test('a daemon that ends while being watched: exit code 3', async () => {
    const { server, shell, ended } = await begin()
    await server.close()
    shell.clock.advance(200)
    const { code, err } = await ended
    expect({ code, err }).toEqual({ code: 3, err: matching(/^linnet: .*daemon/) })
    expect(shell.printed.at(-1)).toContain('\u001b[?1049l')
  })

  test('an answer that fails: exit code 1', async () => {
    const { daemon, shell, ended } = await begin()
    daemon.queries.peers = () => {
      throw new Error('falling')
    }
    daemon.emit({})
    shell.clock.advance(200)
    const { code, err } = await ended
    expect({ code, err }).toEqual({ code: 1, err: containing('falling') })
    expect(shell.printed.at(-1)).toContain('\u001b[?1049l')
  })
})
