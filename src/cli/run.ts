import { Command } from 'commander'
import type { DaemonOptions } from './options.ts'
import type { Shell } from './shell.ts'

interface RunOptions extends DaemonOptions {
  readonly config: string
}

export const runCommand = (shell: Shell): Command =>
  new Command('run')
    .description('Run the daemon, in the foreground, until SIGTERM or Ctrl-C. SIGHUP reloads.')
    .requiredOption('-c, --config <file>', 'configuration file')
    .option('--socket <path>', 'control socket, instead of api.socket of the configuration')
    .action(async (_, command: Command) => {
      const { config, socket } = command.optsWithGlobals<RunOptions>()
      // Loading the rest is what makes it grow first.
      const { boundYoungGeneration } = await import('../daemon/young-generation.ts')
      boundYoungGeneration()
      const { runDaemon } = await import('../daemon/run.ts')
      shell.exitCode = await runDaemon({
        configPath: config,
        ...(socket === undefined ? {} : { socket }),
      })
    })
