/** docs/cli.md as commander's own descriptions have it. */
import type { Command } from 'commander'

export function cliReference(program: Command): string {
  return [
    '# Command line',
    '',
    'One program, `linnet`: the daemon is `linnet run`, everything else asks or orders a running daemon through its',
    'control socket, or works on files. Answers go to standard output, explanations and errors to standard error;',
    'colours appear only on a terminal, and never when `NO_COLOR` is set.',
    '',
    '| exit code | meaning |',
    '|---|---|',
    '| 0 | ok |',
    '| 1 | the answer is no: no such peer, nothing to reset, or a fault |',
    '| 2 | usage or configuration error |',
    "| 3 | the daemon can't be reached |",
    '',
    '`--json` prints the shapes of [the control API](api.md): a table is an array with one row per line. With `--watch`',
    'each answer is one line, printed when it differs from the one before.',
    '',
    'In `linnet show routes`, `*` is the best path of a prefix, `=` one that is used beside it, `>` means that it is in',
    'the kernel. The reason says which rung of the decision process decided, or why the path is rejected.',
    '',
    ...sections(program, ''),
  ].join('\n')
}

function sections(command: Command, under: string): string[] {
  const name = `${under}${command.name()}`
  const children = command.createHelp().visibleCommands(command)
  const own = children
    .filter((it) => it.name() !== 'help')
    .flatMap((it) => sections(it, `${name} `))
  // A command that only groups others needs no section of its own.
  return children.length > 0 && under !== '' ? own : [...section(command, name), ...own]
}

function section(command: Command, name: string): string[] {
  const help = command.createHelp()
  const rows = [
    ...command.registeredArguments.map((it) => [
      ((name) => (it.required ? `<${name}>` : `[${name}]`))(
        it.variadic ? `${it.name()}...` : it.name(),
      ),
      help.argumentDescription(it),
    ]),
    ...command.options
      .filter((it) => !it.hidden)
      .map((it) => [it.flags, help.optionDescription(it)]),
  ]
  return [
    `## ${name}`,
    '',
    command.description(),
    '',
    ...(rows.length === 0 ? [] : ['| argument or option | meaning |', '|---|---|']),
    ...rows.map(([what, meaning]) => `| \`${what}\` | ${(meaning ?? '').replaceAll('|', '\\|')} |`),
    ...(rows.length === 0 ? [] : ['']),
  ]
}
