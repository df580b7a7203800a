import { Command, Option } from 'commander'
import { socketOption, type DaemonOptions } from './options.ts'
import { order } from './order.ts'
import type { Shell } from './shell.ts'

interface DrainOptions extends DaemonOptions {
  readonly undo?: true
  readonly stop?: true
}

export const drainCommand = (shell: Shell): Command =>
  new Command('drain')
    .description(
      'Ask all peers to prefer other ways than through this host (RFC 8326), and wait until they are told: before it is stopped.',
    )
    .addOption(new Option('--undo', 'be a way like any other again').conflicts('stop'))
    .option('--stop', 'then withdraw all routes, and stop the daemon')
    .addOption(socketOption())
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<DrainOptions>()
      const { undo = false, stop = false } = options
      await order(shell, '/v1/drain', options, { undo: `${undo}`, ...(stop && { stop: 'true' }) })
    })
