import { Command } from 'commander'
import { socketOption, type DaemonOptions } from './options.ts'
import { order } from './order.ts'
import type { Shell } from './shell.ts'

export function clearCommand(shell: Shell): Command {
  const clear = new Command('clear').description('Set back what is counted.')
  clear
    .command('counters')
    .description('Set message and flap counters to zero.')
    .addOption(socketOption())
    .action(async (_, command: Command) => {
      await order(shell, '/v1/clear-counters', command.optsWithGlobals<DaemonOptions>(), {})
    })
  return clear
}
