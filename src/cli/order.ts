/** Sending one order to the daemon and saying what came of it. */
import type { Query } from '../control/client.ts'
import type { CommandReport } from '../control/reports.ts'
import type { DaemonOptions } from './options.ts'
import type { Shell } from './shell.ts'

export async function order(
  shell: Shell,
  path: string,
  options: DaemonOptions,
  body: Query,
): Promise<void> {
  const { ControlClient, socketFrom } = await import('../control/client.ts')
  const client = new ControlClient(socketFrom(options.socket, shell.env))
  const { text } = await client.post<CommandReport>(path, body)
  await shell.terminal.print(`${text}\n`)
}
