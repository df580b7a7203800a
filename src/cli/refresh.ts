import { Command, Option } from 'commander'
import { socketOption, type DaemonOptions } from './options.ts'
import { order } from './order.ts'
import type { Shell } from './shell.ts'

interface RefreshOptions extends DaemonOptions {
  readonly in?: true
  readonly out?: true
}

export const refreshCommand = (shell: Shell): Command =>
  new Command('refresh')
    .description('Exchange all routes with a peer again, without ending the session.')
    .argument('<peer>', 'name or address')
    .addOption(new Option('--in', 'only ask for its routes').conflicts('out'))
    .addOption(new Option('--out', 'only send it ours'))
    .addOption(socketOption())
    .action(async (peer: string, _, command: Command) => {
      const options = command.optsWithGlobals<RefreshOptions>()
      const direction = options.in === true ? 'in' : options.out === true ? 'out' : 'both'
      await order(shell, '/v1/refresh', options, { peer, direction })
    })
