import { Command } from 'commander'
import type { Imported } from '../config/import/imported.ts'
import type { InputFile } from '../config/import/calico/resources.ts'
import type { Shell } from './shell.ts'

interface CalicoOptions {
  readonly node?: string
}

export const importCommand = (shell: Shell): Command =>
  new Command('import')
    .description('Make a configuration of what another program is configured with.')
    .addCommand(calicoCommand(shell))
    .addCommand(fanCommand(shell))

const calicoCommand = (shell: Shell): Command =>
  new Command('calico')
    .description(
      'Make a configuration of Calico resources in YAML or JSON, as calicoctl and kubectl print them, for one node. What it could not carry over is told on standard error.',
    )
    .argument('<file...>', 'files with the resources')
    .option('--node <name>', "which Node the configuration is for; default: this host's name")
    .action((files: readonly string[], options: CalicoOptions) =>
      importFromCalico(shell, files, options),
    )

const fanCommand = (shell: Shell): Command =>
  new Command('fan')
    .description(
      'Make a configuration of /etc/network/fan, the file of Ubuntu Fan (fanctl). What it could not carry over is told on standard error.',
    )
    .argument('<file>', 'the file')
    .action((file: string) => importFromFan(shell, file))

async function importFromCalico(
  shell: Shell,
  paths: readonly string[],
  options: CalicoOptions,
): Promise<void> {
  const [{ importCalico }, { hostname }] = await Promise.all([
    import('../config/import/calico/calico.ts'),
    import('node:os'),
  ])
  const files = await Promise.all(paths.map(read))
  await conclude(shell, files, (good) =>
    importCalico(good, options.node ?? hostname().toLowerCase()),
  )
}

async function importFromFan(shell: Shell, path: string): Promise<void> {
  const [{ importFan }, { networkInterfaces }] = await Promise.all([
    import('../config/import/fan.ts'),
    import('node:os'),
  ])
  const addressesOn = (link: string): string[] =>
    (networkInterfaces()[link] ?? []).flatMap(({ family, cidr }) =>
      family === 'IPv4' && cidr !== null ? [cidr] : [],
    )
  await conclude(shell, [await read(path)], (files) => importFan(files[0], addressesOn))
}

/** Prints what `importer` makes of the files, or what is wrong with them. */
async function conclude(
  shell: Shell,
  files: readonly (InputFile | Unreadable)[],
  importer: (files: readonly InputFile[]) => Imported,
): Promise<void> {
  const { terminal } = shell
  const broken = files.flatMap((it) => ('problem' in it ? it.problem : []))
  if (broken.length > 0) {
    for (const problem of broken) terminal.complain(`${problem}\n`)
    shell.exitCode = 2
    return
  }
  const { formatComplaint } = await import('../config/complaint.ts')
  const imported = importer(files.filter((it) => 'text' in it))
  const told = 'yaml' in imported ? imported.told : imported.complaints
  for (const it of told) terminal.complain(`${formatComplaint(it)}\n`)
  if ('yaml' in imported) await terminal.print(imported.yaml)
  else shell.exitCode = 2
}

interface Unreadable {
  readonly problem: string
}

async function read(name: string): Promise<InputFile | Unreadable> {
  const { readFile } = await import('node:fs/promises')
  try {
    return { name, text: await readFile(name, 'utf8') }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    return { problem: `can't read ${name}: ${PROBLEMS[code] ?? code}; check the name` }
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EISDIR: 'it is a directory',
}
