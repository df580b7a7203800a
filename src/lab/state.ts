/**
 * Which labs run, for `exec`, `down` and `list` from another shell: a small file per lab under the
 * user's runtime directory. A file whose process is gone is stale and swept by whoever meets it, so a
 * lab that was killed needs no cleaning up.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const stateSchema = z.object({
  name: z.string(),
  /** The lab file, absolute. */
  file: z.string(),
  /** First process of the box; before there is one, whoever starts it. */
  pid: z.int(),
  /** Of that process, in clock ticks since boot: pids are used again. */
  startTime: z.string(),
  asRoot: z.boolean(),
  since: z.string(),
  /** Namespaces: nodes and containers. */
  namespaces: z.array(z.string()),
})
export type LabState = z.output<typeof stateSchema>

/**
 * $LINNET_LABS; without it `/run/linnet/labs` for root, else below $XDG_RUNTIME_DIR, else below the
 * temporary directory.
 */
export function stateDirectory(uid: number, env: NodeJS.ProcessEnv): string[] {
  const chosen = env['LINNET_LABS']
  if (chosen !== undefined) return [join(chosen, `${uid}`)]
  const fallback = join(tmpdir(), `linnet-${uid}`, 'labs')
  if (uid === 0) return ['/run/linnet/labs', fallback]
  const runtime = env['XDG_RUNTIME_DIR']
  return runtime === undefined ? [fallback] : [join(runtime, 'linnet', 'labs'), fallback]
}

export class LabStates {
  readonly directory: string

  /** Uses the first of `candidates` that can be written to. */
  constructor(candidates: readonly string[]) {
    let problem: unknown
    for (const directory of candidates) {
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 })
        closeSync(openSync(join(directory, '.writable'), 'w'))
        this.directory = directory
        return
      } catch (error) {
        problem = error
      }
    }
    throw new Error(`can't write to ${candidates.join(' or ')}: ${String(problem)}`)
  }

  /** Labs that run, by name; stale files go. */
  list(): LabState[] {
    const files = readdirSync(this.directory).filter((it) => it.endsWith('.json'))
    return files.toSorted().flatMap((file) => {
      const state = this.#read(file)
      if (state !== undefined && isRunning(state)) return [state]
      rmSync(join(this.directory, file), { force: true })
      return []
    })
  }

  find(name: string): LabState | undefined {
    return this.list().find((it) => it.name === name)
  }

  /** Takes the name; returns the lab that has it already, if one does. */
  claim(state: LabState): LabState | undefined {
    const other = this.find(state.name)
    if (other !== undefined) return other
    try {
      writeFileSync(this.#path(state.name), JSON.stringify(state), { flag: 'wx', mode: 0o600 })
      return undefined
    } catch (error) {
      // Somebody was faster by a hair.
      const winner = this.find(state.name)
      if (winner === undefined) throw error
      return winner
    }
  }

  /** Replaces what is known of a lab that was claimed. */
  update(state: LabState): void {
    const path = this.#path(state.name)
    writeFileSync(`${path}.new`, JSON.stringify(state), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  release(name: string): void {
    rmSync(this.#path(name), { force: true })
  }

  #path(name: string): string {
    return join(this.directory, `${name}.json`)
  }

  #read(file: string): LabState | undefined {
    try {
      return stateSchema.parse(JSON.parse(readFileSync(join(this.directory, file), 'utf8')))
    } catch {
      return undefined // half written by a killed process, or not ours
    }
  }
}

/** When a process started, in clock ticks since boot; undefined when there is none. */
export function startTimeOf(pid: number): string | undefined {
  try {
    // The name in parentheses may contain anything, also blanks and parentheses (proc(5)).
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    return undefined
  }
}

export const isRunning = (state: Pick<LabState, 'pid' | 'startTime'>): boolean =>
  startTimeOf(state.pid) === state.startTime
