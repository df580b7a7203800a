import type { Command } from 'commander'
import { expect, test } from 'vitest'
import { labCommand } from '../../../src/cli/lab.ts'
import { createProgram } from '../../../src/cli/program.ts'
import { generatedDocument } from '../../support/generated-document.ts'
import { cliReference } from './cli-reference.ts'
import { fakeShell } from './fake-shell.ts'

const program = createProgram(fakeShell(), labCommand())

test('docs/cli.md says what the commands say (UPDATE_GOLDEN=1 rewrites it)', async () => {
  const { found, wanted } = await generatedDocument('docs/cli.md', cliReference(program))
  expect(found).toBe(wanted)
})

/** Those that people may type; the others linnet starts itself. */
function everyCommand(command: Command): Command[] {
  const visible = new Set(command.createHelp().visibleCommands(command))
  return [command, ...command.commands.filter((it) => visible.has(it)).flatMap(everyCommand)]
}

test('every command, argument and option is described', () => {
  const commands = everyCommand(program)
  expect(commands.length).toBeGreaterThan(15)
  for (const command of commands) {
    expect(command.description(), command.name()).not.toBe('')
    for (const option of command.options) expect(option.description, option.flags).not.toBe('')
    for (const argument of command.registeredArguments) {
      expect(argument.description, `${command.name()} ${argument.name()}`).not.toBe('')
    }
  }
})

test('every show takes --json and --watch and says which daemon', () => {
  const show = program.commands.find((it) => it.name() === 'show')
  expect(show?.commands.length).toBeGreaterThan(5)
  for (const command of show?.commands ?? []) {
    expect(command.options.map((it) => it.long)).toEqual(
      expect.arrayContaining(['--json', '--watch', '--socket']),
    )
  }
})
