import { Command } from 'commander'
import { socketOption, type DaemonOptions } from './options.ts'
import { order } from './order.ts'
import type { Shell } from './shell.ts'

interface ShutdownOptions extends DaemonOptions {
  readonly message?: string
}

export const shutdownCommand = (shell: Shell): Command =>
  new Command('shutdown')
    .description('End the session with a peer and keep it down until `startup`.')
    .argument('<peer>', 'name or address')
    .option('--message <text>', 'told to the peer (RFC 9003), at most 255 bytes')
    .addOption(socketOption())
    .action(async (peer: string, _, command: Command) => {
      const options = command.optsWithGlobals<ShutdownOptions>()
      if (Buffer.byteLength(options.message ?? '') > 255) {
        command.error('error: --message is longer than 255 bytes, more does not fit (RFC 9003)')
      }
      await order(shell, '/v1/shutdown', options, { peer, message: options.message })
    })
