import { Command } from 'commander'
import { socketOption, type DaemonOptions } from './options.ts'
import { order } from './order.ts'
import type { Shell } from './shell.ts'

export const startupCommand = (shell: Shell): Command =>
  new Command('startup')
    .description('Take back a `shutdown`.')
    .argument('<peer>', 'name or address')
    .addOption(socketOption())
    .action(async (peer: string, _, command: Command) => {
      await order(shell, '/v1/startup', command.optsWithGlobals<DaemonOptions>(), { peer })
    })
