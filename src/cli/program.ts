/**
 * The command line: one file per command, and the table of them here.
 *
 * Nothing but commander is loaded to know the commands; each loads what it works with when it runs, so
 * that `linnet show` starts about as fast as node does. Exit codes: 0 ok, 1 the answer is no, 2 usage
 * or configuration error, 3 the daemon can't be reached.
 */
import { Command, CommanderError } from 'commander'
import { version } from '../control/version.ts'
import { checkCommand } from './check.ts'
import { clearCommand } from './clear.ts'
import { completeCommand, completionCommand } from './completion.ts'
import { doctorCommand } from './doctor.ts'
import { drainCommand } from './drain.ts'
import { fanCommand } from './fan.ts'
import { importCommand } from './import.ts'
import { socketOption } from './options.ts'
import { policyCommand } from './policy.ts'
import { refreshCommand } from './refresh.ts'
import { reloadCommand } from './reload.ts'
import { resetCommand } from './reset.ts'
import { runCommand } from './run.ts'
import type { ExitCode, Shell } from './shell.ts'
import { showCommand } from './show.ts'
import { shutdownCommand } from './shutdown.ts'
import { startupCommand } from './startup.ts'

const COMMANDS: readonly ((shell: Shell) => Command)[] = [
  runCommand,
  checkCommand,
  showCommand,
  policyCommand,
  importCommand,
  fanCommand,
  doctorCommand,
  reloadCommand,
  refreshCommand,
  resetCommand,
  shutdownCommand,
  startupCommand,
  drainCommand,
  clearCommand,
  completionCommand,
]

/** The lab is heavy; unless it is asked for, the help knows it by this line only. */
const labLine = (): Command =>
  new Command('lab').description('Build, test and take down labs of network namespaces.')

/** The whole tree of commands. `lab` comes ready-made, because it is loaded only when wanted. */
export function createProgram(shell: Shell, lab: Command = labLine()): Command {
  const program = new Command('linnet')
    .description('A BGP speaker for container hosts: routable containers, proven and explained.')
    .version(version(), '-V, --version')
    .addOption(socketOption())
    .enablePositionalOptions()
    .helpCommand('help [command]', 'Explain a command.')
    .addHelpText(
      'after',
      "\nExit codes: 0 ok, 1 the answer is no, 2 usage or configuration error, 3 the daemon can't be reached.",
    )
  for (const make of COMMANDS) program.addCommand(make(shell))
  program.addCommand(lab)
  program.addCommand(completeCommand(shell, program), { hidden: true })
  adorn(program, shell)
  return program
}

/** Settings that commander does not hand down to commands made elsewhere. */
function adorn(command: Command, shell: Shell): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => void shell.terminal.print(text),
    writeErr: (text) => shell.terminal.complain(text),
    getOutHasColors: () => shell.terminal.colour,
    getErrHasColors: () => shell.terminal.colour,
    getOutHelpWidth: () => (shell.terminal.interactive ? shell.terminal.size().columns : 100),
    getErrHelpWidth: () => 100,
  })
  command.helpOption('-h, --help', 'explain this command')
  if (command.commands.length > 0) command.showSuggestionAfterError()
  for (const child of command.commands) adorn(child, shell)
}

/** Runs the command in `args` (without node and script); returns the exit code. */
export async function runProgram(args: readonly string[], shell: Shell): Promise<number> {
  try {
    const program = createProgram(shell, await labIfWanted(args))
    if (args.length === 0) {
      program.outputHelp()
      return 0
    }
    await program.parseAsync(args, { from: 'user' })
    return shell.exitCode
  } catch (error) {
    return report(error, shell)
  }
}

async function labIfWanted(args: readonly string[]): Promise<Command | undefined> {
  if (!args.slice(0, 3).includes('lab')) return undefined
  const { labCommand } = await import('./lab.ts')
  return labCommand()
}

/** Says what went wrong, once, with its remedy. Errors are known by name: their classes load lazily. */
function report(error: unknown, shell: Shell): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
  if (!(error instanceof Error)) {
    shell.terminal.complain(`linnet: ${String(error)}\n`)
    return 1
  }
  const remedy = 'remedy' in error && typeof error.remedy === 'string' ? error.remedy : ''
  shell.terminal.complain(`linnet: ${error.message}${remedy === '' ? '' : `; ${remedy}`}\n`)
  if (error.name === 'DaemonUnreachable') return 3
  return 'status' in error && error.status === 400 ? 2 : 1
}
