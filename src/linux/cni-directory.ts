/** /etc/cni/net.d, for `sources/cni`: reads its files as container runtimes do, and tells when they change. */
import { readdirSync, readFileSync, watch, type FSWatcher } from 'node:fs'
import { join } from 'node:path'
import type { CniFile, CniView } from '../sources/cni.ts'

const CONFIGURATION = /\.(conf|conflist|json)$/
/** A file is written in pieces, and folders are filled by scripts. */
const SETTLE_MS = 100
/** A folder that does not exist can't be watched. */
const LOOK_AGAIN_MS = 1_000

export const cniDirectory = (directory: string): CniView => ({
  read: () => filesIn(directory),
  watch: (listener) => watchDirectory(directory, listener),
})

function filesIn(directory: string): CniFile[] {
  try {
    const names = readdirSync(directory).filter((it) => CONFIGURATION.test(it))
    return names.toSorted().map((it) => fileAt(join(directory, it)))
  } catch (error) {
    return [{ name: directory, problem: problemOf(error) }]
  }
}

function fileAt(name: string): CniFile {
  try {
    return { name, text: readFileSync(name, 'utf8') }
  } catch (error) {
    return { name, problem: problemOf(error) }
  }
}

const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'it is not there (yet)',
  ENOTDIR: 'it is no directory',
  EISDIR: 'it is a directory',
  EACCES: 'linnet may not read it',
}

function problemOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
  return PROBLEMS[code] ?? code
}

function watchDirectory(directory: string, listener: () => void): () => void {
  let watcher: FSWatcher | undefined
  let timer: NodeJS.Timeout | undefined
  const later = (milliseconds: number, act: () => void): void => {
    clearTimeout(timer)
    timer = setTimeout(act, milliseconds).unref()
  }
  const open = (): void => {
    watcher?.close()
    watcher = undefined
    try {
      watcher = watch(directory, { persistent: false })
    } catch {
      return later(LOOK_AGAIN_MS, reopen)
    }
    // A folder that is removed or replaced says so once: what is there now is another one.
    watcher.on('change', () => later(SETTLE_MS, reopen))
    watcher.on('error', () => later(SETTLE_MS, reopen))
  }
  const reopen = (): void => {
    open()
    listener()
  }
  open()
  return () => {
    clearTimeout(timer)
    watcher?.close()
  }
}
