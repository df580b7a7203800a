/** Options that several commands share, so that they read the same everywhere. */
import { Option } from 'commander'

export interface DaemonOptions {
  readonly socket?: string
}

export const socketOption = (): Option =>
  new Option(
    '--socket <path>',
    'control socket of the daemon; default LINNET_SOCKET, else /run/linnet/linnet.sock',
  )

export interface ShowOptions extends DaemonOptions {
  readonly json?: true
  readonly watch?: true
}

export const showOptions = (): Option[] => [
  new Option('--json', 'machine-readable, in the shape that docs/api.md documents'),
  new Option('--watch', 'show again whenever something changes, until Ctrl-C'),
  socketOption(),
]

export interface PrefixOptions {
  readonly family?: string
  readonly prefix?: string
  readonly longer?: true
  readonly limit?: string
}

export const prefixOptions = (): Option[] => [
  new Option('--family <family>', 'only this address family').choices(['ipv4', 'ipv6']),
  new Option('--prefix <prefix>', 'only this prefix; for an address, the longest that covers it'),
  new Option('--longer', 'with --prefix: also all prefixes inside it'),
  new Option('--limit <count>', 'end after so many'),
]
