/** Loads configurations from data: text in, complaints as lines out. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatComplaint } from '../../../src/config/complaint.ts'
import type { Config } from '../../../src/config/config.ts'
import { loadConfig, loadText, type Environment, type Loaded } from '../../../src/config/load.ts'

export const NOWHERE: Environment = { variables: { HOSTNAME: 'host1' } }

/** What is said about `text`, as it would be printed. */
export function complaintsAbout(text: string, environment: Environment = NOWHERE): string[] {
  return linesOf(loadText(text, 'c.yaml', environment))
}

export function linesOf(loaded: Loaded): string[] {
  return ('config' in loaded ? loaded.warnings : loaded.complaints).map(formatComplaint)
}

/** The Config in `text`; throws what is wrong with it. */
export function configOf(text: string, environment: Environment = NOWHERE): Config {
  const loaded = loadText(text, 'c.yaml', environment)
  if ('config' in loaded) return loaded.config
  throw new Error(linesOf(loaded).join('\n'))
}

/** Loads `main.yaml` of a directory with these files, which is gone afterwards. */
export function loadFiles(files: Record<string, string>, environment = NOWHERE): Loaded {
  const directory = mkdtempSync(join(tmpdir(), 'linnet-config-'))
  try {
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(directory, name), text, { mode: 0o600 })
    }
    const loaded = loadConfig(join(directory, 'main.yaml'), environment)
    return JSON.parse(JSON.stringify(loaded).replaceAll(`${directory}/`, '')) as Loaded
  } finally {
    rmSync(directory, { recursive: true })
  }
}
