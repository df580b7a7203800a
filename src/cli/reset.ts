import { Command } from 'commander'
import { socketOption, type DaemonOptions } from './options.ts'
import { order } from './order.ts'
import type { Shell } from './shell.ts'

export const resetCommand = (shell: Shell): Command =>
  new Command('reset')
    .description('End the session with a peer; it comes back by itself.')
    .argument('<peer>', 'name or address')
    .addOption(socketOption())
    .action(async (peer: string, _, command: Command) => {
      await order(shell, '/v1/reset', command.optsWithGlobals<DaemonOptions>(), { peer })
    })
