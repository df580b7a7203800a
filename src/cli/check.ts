import { Command } from 'commander'
import type { Shell } from './shell.ts'

interface CheckOptions {
  readonly here?: true
}

export const checkCommand = (shell: Shell): Command =>
  new Command('check')
    .description('Say what is wrong with a configuration file, and what to write instead.')
    .argument('<file>', 'configuration file')
    .option('--here', "also hold it against this host's addresses, links and kernel")
    .action(async (file: string, options: CheckOptions) => {
      const [{ loadConfig }, { formatComplaint }] = await Promise.all([
        import('../config/load.ts'),
        import('../config/complaint.ts'),
      ])
      const here =
        options.here === true ? (await import('../daemon/this-host.ts')).hostFactsAtAGlance() : {}
      const loaded = loadConfig(file, { variables: shell.env, ...here })
      const complaints = 'config' in loaded ? loaded.warnings : loaded.complaints
      for (const it of complaints) shell.terminal.complain(`${formatComplaint(it)}\n`)
      if (!('config' in loaded)) {
        shell.exitCode = 2
        return
      }
      const { asn, peers } = loaded.config
      const count = peers.length === 1 ? '1 peer' : `${peers.length} peers`
      await shell.terminal.print(`${file}: ok: AS ${asn}, ${count}\n`)
    })
