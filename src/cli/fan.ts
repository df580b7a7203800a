import { Command } from 'commander'
import type { Shell } from './shell.ts'

interface FanOptions {
  readonly find?: string
  readonly json?: true
}

export const fanCommand = (shell: Shell): Command =>
  new Command('fan')
    .description("Work out a host's slice of a Fan overlay, and which host an address belongs to.")
    .argument('<overlay>', 'the overlay: 10.0.0.0/8')
    .argument('<host>', 'address of a host, with the length of the underlay: 172.16.3.4/16')
    .option('--find <address>', 'an address of the overlay: which host is it on?')
    .option('--json', 'print JSON')
    .action((overlay: string, host: string, options: FanOptions) =>
      runFan(shell, overlay, host, options),
    )

async function runFan(
  shell: Shell,
  overlayText: string,
  hostText: string,
  { find, json }: FanOptions,
): Promise<void> {
  const [{ parsePrefix, parseAddressAndLength, prefixOf, contains }, { parseAddress }, fan] =
    await Promise.all([
      import('../net/prefix.ts'),
      import('../net/address.ts'),
      import('../net/fan.ts'),
    ])
  const wrong = (text: string): void => {
    shell.terminal.complain(`${text}\n`)
    shell.exitCode = 2
  }
  const overlay = parsePrefix(overlayText)
  if (overlay === undefined) {
    return wrong(`${overlayText} is no prefix without host bits; write one such as 10.0.0.0/8`)
  }
  const host = parseAddressAndLength(hostText)
  if (host === undefined) {
    return wrong(`${hostText} is no address with a length; write one such as 172.16.3.4/16`)
  }
  const mapping = { overlay, underlay: prefixOf(host.address, host.length) }
  const problem = fan.fanProblem(mapping)
  if (problem !== undefined) return wrong(problem)
  const inner = find === undefined ? undefined : parseAddress(find)
  if (find !== undefined && (inner === undefined || !contains(overlay, inner))) {
    return wrong(`${find} is no address of ${overlay.text}`)
  }
  const slice = fan.sliceOf(mapping, host.address)
  const rows = {
    overlay: overlay.text,
    underlay: mapping.underlay.text,
    host: host.address.text,
    slice: slice.text,
    bridge: fan.bridgeNameOf(slice),
    bridgeAddress: `${fan.bridgeAddressOf(slice).text}/${slice.length}`,
    ...(inner !== undefined && { address: inner.text, isOn: fan.hostOf(mapping, inner).text }),
  }
  const lines = Object.entries(rows).map(([name, value]) => `${labelOf(name).padEnd(16)}${value}\n`)
  await shell.terminal.print(json === true ? `${JSON.stringify(rows)}\n` : lines.join(''))
}

/** `bridge address` for `bridgeAddress`. */
const labelOf = (name: string): string =>
  name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
