/** Runs command lines against a fake daemon behind a real control socket. */
import { onTestFinished } from 'vitest'
import { runProgram } from '../../../src/cli/program.ts'
import { startControlServer, type ControlServer } from '../../../src/control/server.ts'
import { FakeDaemon } from '../control/fake-daemon.ts'
import { temporarySocket } from '../control/temporary-socket.ts'
import { fakeShell, type FakeShell } from './fake-shell.ts'

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

export async function fakeDaemon(): Promise<{
  daemon: FakeDaemon
  server: ControlServer
  socket: string
}> {
  const daemon = new FakeDaemon()
  const socket = temporarySocket()
  const { queries, commands, events } = daemon
  const server = await startControlServer({ socket, queries, commands, events })
  onTestFinished(() => server.close())
  return { daemon, server, socket }
}

export const shellFor = (
  socket: string,
  options: Parameters<typeof fakeShell>[0] = {},
): FakeShell => fakeShell({ ...options, env: { LINNET_SOCKET: socket, ...options.env } })

/** Runs `line`, words separated by blanks; `'...'` keeps blanks together. */
export async function run(line: string, shell: FakeShell): Promise<Ran> {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(
    ([, quoted, bare]) => quoted ?? bare ?? '',
  )
  const code = await runProgram(words, shell)
  return { code, out: shell.printed.join(''), err: shell.complained.join('') }
}
