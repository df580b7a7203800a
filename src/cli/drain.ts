import { Command } from 'commander'
import { socketOption, type DaemonOptions } from './options.ts'
import { order } from './order.ts'
import type { Shell } from './shell.ts'

interface DrainOptions extends DaemonOptions {
  readonly undo?: true
}

export const drainCommand = (shell: Shell): Command =>
  new Command('drain')
    .description(
      'Ask all peers to prefer other ways than through this host (RFC 8326), and wait until they are told: before it is stopped.',
    )
    .option('--undo', 'be a way like any other again')
    .addOption(socketOption())
    .action(async (_, command: Command) => {
      const options = command.optsWithGlobals<DrainOptions>()
      await order(shell, '/v1/drain', options, { undo: options.undo === true ? 'true' : 'false' })
    })
