/** A socket path in a directory of its own, gone after the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'linnet-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

export const temporarySocket = (): string => join(temporaryDirectory(), 'linnet.sock')
