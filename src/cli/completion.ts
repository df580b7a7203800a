/**
 * Completion for shells. The scripts are thin: on Tab they ask the hidden `linnet complete`, which
 * walks the same commands that the program runs, and asks the daemon for the names of its peers.
 */
import { Argument, Command, type Option } from 'commander'
import type { PeerRow } from '../control/rows.ts'
import type { Shell } from './shell.ts'

const SCRIPTS = {
  bash: `_linnet() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$(linnet complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _linnet linnet
`,
  zsh: `#compdef linnet
_linnet() {
  local -a found
  found=(\${(f)"$(linnet complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#found} )); then compadd -a found; else _files; fi
}
compdef _linnet linnet
`,
  fish: `function __linnet_complete
  set -l words (commandline -opc) (commandline -ct)
  linnet complete -- $words[2..-1] 2>/dev/null
end
complete -c linnet -a '(__linnet_complete)'
`,
} as const

export const completionCommand = (shell: Shell): Command =>
  new Command('completion')
    .description('Print a completion script: `source <(linnet completion bash)`.')
    .addArgument(new Argument('<shell>', 'your shell').choices(Object.keys(SCRIPTS)))
    .action(async (name: keyof typeof SCRIPTS) => {
      await shell.terminal.print(SCRIPTS[name])
    })

export const completeCommand = (shell: Shell, program: Command): Command =>
  new Command('complete')
    .description('Print what may follow; for the completion scripts.')
    .argument('[words...]', 'the words so far, the last one unfinished')
    .action(async (words: readonly string[], _, command: Command) => {
      const { socket } = command.optsWithGlobals<{ readonly socket?: string }>()
      const found = await completions(program, words, () => peerNames(shell, socket))
      await shell.terminal.print(found.map((it) => `${it}\n`).join(''))
    })

/** What may stand in the place of the last of `words`. */
export async function completions(
  program: Command,
  words: readonly string[],
  peers: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  const last = words.at(-1) ?? ''
  let at = program
  let position = 0
  let awaiting: Option | undefined
  for (const word of words.slice(0, -1)) {
    if (awaiting !== undefined) {
      awaiting = undefined
    } else if (word.startsWith('-')) {
      const option = at.options.find((it) => it.long === word || it.short === word)
      awaiting = option?.required === true ? option : undefined
    } else {
      const child = at.commands.find((it) => it.name() === word)
      if (child !== undefined) at = child
      else if (at.commands.length > 0) return []
      else position++
    }
  }
  const found = await candidates(at, position, awaiting, last, peers)
  return found.filter((it) => it.startsWith(last))
}

async function candidates(
  at: Command,
  position: number,
  awaiting: Option | undefined,
  last: string,
  peers: () => Promise<readonly string[]>,
): Promise<readonly string[]> {
  if (awaiting !== undefined) {
    return awaiting.argChoices ?? (awaiting.long === '--peer' ? peers() : [])
  }
  if (last.startsWith('-')) {
    const options = at.options.filter((it) => !it.hidden).map((it) => it.long ?? it.short ?? '')
    return [...options, '--help']
  }
  if (at.commands.length > 0)
    return at
      .createHelp()
      .visibleCommands(at)
      .map((it) => it.name())
  const argument = at.registeredArguments[position]
  if (argument?.argChoices !== undefined) return argument.argChoices
  return argument?.name() === 'peer' ? peers() : []
}

async function peerNames(shell: Shell, socket: string | undefined): Promise<string[]> {
  const { ControlClient, socketFrom } = await import('../control/client.ts')
  const client = new ControlClient(socketFrom(socket, shell.env))
  try {
    return (await client.get<PeerRow[]>('/v1/peers')).map((it) => it.name)
  } catch {
    return [] // nothing to offer is no reason to disturb the prompt
  }
}
