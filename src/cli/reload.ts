import { Command } from 'commander'
import type { ReloadReport } from '../control/reports.ts'
import { socketOption, type DaemonOptions } from './options.ts'
import type { Shell } from './shell.ts'

export const reloadCommand = (shell: Shell): Command =>
  new Command('reload')
    .description('Read the configuration again. Sessions that it does not concern are not touched.')
    .addOption(socketOption())
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<DaemonOptions>()
      const { ControlClient, RequestRefused, socketFrom } = await import('../control/client.ts')
      const client = new ControlClient(socketFrom(options.socket, shell.env))
      try {
        const report = await client.post<ReloadReport>('/v1/reload')
        await shell.terminal.print(formatReload(report))
      } catch (error) {
        if (!(error instanceof RequestRefused) || error.status !== 422) throw error
        const report = JSON.parse(error.body) as ReloadReport
        const outcome = `${report.configFile}: not loaded, nothing has changed`
        const lines = [...report.complaints, ...report.needsRestart, outcome]
        shell.terminal.complain(`${lines.join('\n')}\n`)
        shell.exitCode = 2
      }
    })

function formatReload(report: ReloadReport): string {
  const { added, removed, changed, other, needsRestart } = report
  const quiet = [added, removed, changed, other, needsRestart].every((it) => it.length === 0)
  const lines = [
    `${report.configFile}: loaded${quiet ? ', nothing in it has changed' : ''}`,
    ...added.map((it) => `  added    ${it}`),
    ...removed.map((it) => `  removed  ${it}`),
    ...changed.map((it) => `  changed  ${it}`),
    ...other.map((it) => `  changed  ${it}`),
    ...needsRestart.map((it) => `  waits for a restart of the daemon: ${it}`),
    ...(quiet ? [] : [`  ${report.kept} peers as before`]),
  ]
  return `${[...lines, ...report.complaints].join('\n')}\n`
}
