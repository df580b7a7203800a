/** `linnet show`: one row per table; what each looks like lives in show/, and loads when it is asked for. */
import { Command, Option } from 'commander'
import { prefixOptions, showOptions, type PrefixOptions, type ShowOptions } from './options.ts'
import type { Shell } from './shell.ts'
import type { PeerOptions } from './show/one.ts'

const viewOption = (flag: string, description: string): Option => {
  const others = ['best', 'received', 'advertised', 'rejected'].filter((it) => it !== flag)
  return new Option(`--${flag}`, description).conflicts(others)
}

interface RouteOptions extends ShowOptions, PrefixOptions {
  readonly peer?: string
  readonly best?: true
  readonly received?: true
  readonly advertised?: true
  readonly rejected?: true
}

export function showCommand(shell: Shell): Command {
  const show = new Command('show').description('Show what the daemon knows.')
  const add = (name: string, description: string, filters: readonly Option[]): Command => {
    const command = new Command(name).description(description)
    for (const option of [...filters, ...showOptions()]) command.addOption(option)
    show.addCommand(command)
    return command
  }

  add('status', 'The daemon at a glance.', []).action(async (_, command: Command) => {
    const { showStatus } = await import('./show/one.ts')
    await showStatus(shell, command.optsWithGlobals<ShowOptions>())
  })

  add('peers', 'All peers, their state and what was exchanged.', []).action(
    async (_, command: Command) => {
      const [{ showTable }, { peersView }] = await Promise.all([
        import('./show/many.ts'),
        import('./show/peers.ts'),
      ])
      await showTable(shell, peersView, command.optsWithGlobals<ShowOptions>(), {})
    },
  )

  add('peer', 'One peer, with all there is to know.', [
    new Option('--config', 'its settings instead, each with the line that has set it'),
  ])
    .argument('<peer>', 'name or address')
    .action(async (name: string, _, command: Command) => {
      const { showPeer } = await import('./show/one.ts')
      await showPeer(shell, name, command.optsWithGlobals<PeerOptions>())
    })

  add('routes', 'Routes: every path of every prefix, and why it is used or not.', [
    new Option('--peer <peer>', 'only paths from (with --advertised: to) this peer'),
    viewOption('best', 'only the chosen paths'),
    viewOption('received', 'what peers announce, before the import policy'),
    viewOption('advertised', 'what we announce to --peer'),
    viewOption('rejected', 'what is not used, with the reason'),
    ...prefixOptions(),
  ]).action(async (_, command: Command) => {
    const options = command.optsWithGlobals<RouteOptions>()
    if (options.advertised === true && options.peer === undefined) {
      command.error('error: --advertised needs --peer NAME: what is announced depends on the peer')
    }
    const [{ showTable }, { routesView }] = await Promise.all([
      import('./show/many.ts'),
      import('./show/routes.ts'),
    ])
    const view = (['best', 'received', 'advertised', 'rejected'] as const).find(
      (it) => options[it] === true,
    )
    const query = { ...prefixQuery(options), peer: options.peer, view }
    await showTable(shell, routesView, options, query)
  })

  add('fib', 'Routes in the kernel, or on their way there.', prefixOptions()).action(
    async (_, command: Command) => {
      const options = command.optsWithGlobals<ShowOptions & PrefixOptions>()
      const [{ showTable }, { fibView }] = await Promise.all([
        import('./show/many.ts'),
        import('./show/fib.ts'),
      ])
      await showTable(shell, fibView, options, prefixQuery(options))
    },
  )

  add('sources', 'Our own prefixes and where they come from.', prefixOptions()).action(
    async (_, command: Command) => {
      const options = command.optsWithGlobals<ShowOptions & PrefixOptions>()
      const [{ showTable }, { sourcesView }] = await Promise.all([
        import('./show/many.ts'),
        import('./show/sources.ts'),
      ])
      await showTable(shell, sourcesView, options, prefixQuery(options))
    },
  )

  add('nexthops', 'Next hops and how they are reached.', []).action(async (_, command: Command) => {
    const [{ showTable }, { nextHopsView }] = await Promise.all([
      import('./show/many.ts'),
      import('./show/next-hops.ts'),
    ])
    await showTable(shell, nextHopsView, command.optsWithGlobals<ShowOptions>(), {})
  })

  add('monitors', 'MRT files and BMP stations.', []).action(async (_, command: Command) => {
    const [{ showTable }, { monitorsView }] = await Promise.all([
      import('./show/many.ts'),
      import('./show/monitors.ts'),
    ])
    await showTable(shell, monitorsView, command.optsWithGlobals<ShowOptions>(), {})
  })

  add('rpki', 'RPKI caches and what they have told.', []).action(async (_, command: Command) => {
    const [{ showTable }, { rpkiView }] = await Promise.all([
      import('./show/many.ts'),
      import('./show/rpki.ts'),
    ])
    await showTable(shell, rpkiView, command.optsWithGlobals<ShowOptions>(), {})
  })
  return show
}

const prefixQuery = ({ family, prefix, longer, limit }: PrefixOptions) => ({
  family,
  prefix,
  longer,
  limit,
})
