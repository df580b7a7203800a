/**
 * User-mode Linux: a kernel of its own as an ordinary process, for what the machine's kernel lacks (ipip).
 *
 * It boots on the machine's own files, read-only, in two seconds, and runs what the test tells it (`uml-init.sh`). It
 * lives in a pid namespace whose first process ends when its standard input is cut: so it ends with the test, however
 * that ends, at any moment of its life.
 */
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { boxCommand } from '../../src/linux/box.ts'

const REPOSITORY = repositoryAround(import.meta.dirname)
const BOOT_DEADLINE_MS = 30_000

/** Of the box. The kernel's standard input is where commands come from. */
const INIT = `
  mount -t proc proc /proc
  share=$1
  preload=$2
  shift 2
  LD_PRELOAD="$preload" linux.uml "$@" <&3 3<&- &
  read -r _
  kill -KILL -1
  rm -rf "$share"
`

const kernel = (share: string): string[] => [
  ...['mem=1G', 'quiet', 'panic=-1', 'con=null', 'ssl0=fd:0,fd:1', `uml_dir=${join(share, 'uml')}`],
  ...['rootfstype=hostfs', 'rootflags=/', 'ro'],
  `init=${join(REPOSITORY, 'test/support/uml-init.sh')}`,
  ...[`REPOSITORY=${REPOSITORY}`, `SHARE=${share}`],
]

/** What must stand in front of libc for it to run on this processor, built into `folder`; '' for nothing. */
function preloaded(folder: string): string {
  if (!/\bamx_tile\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))) return ''
  const source = join(REPOSITORY, 'test/support/uml-registers.c')
  const library = join(folder, 'uml-registers.so')
  execFileSync('gcc', ['-shared', '-fPIC', '-O1', '-o', library, source])
  return library
}

/** Also when this file has been built into another folder. */
function repositoryAround(folder: string): string {
  return existsSync(join(folder, 'package.json')) ? folder : repositoryAround(dirname(folder))
}

export interface Uml {
  /** Inside: `/mnt/share`. */
  readonly share: string
  /** Runs a script of bash inside, in the repository (`/mnt/linnet`). What it wrote; rejects with that when it fails. */
  run(script: string, deadlineMs?: number): Promise<string>
  /** Writes a file, and says its path inside. */
  write(name: string, text: string): string
  /** What stands in a file of the share now; '' when there is none. */
  log(name: string): string
  close(): Promise<void>
}

export async function bootUml(): Promise<Uml> {
  // Vitest runs us in a process of its own, which would go on to the end of the test without it.
  process.once('disconnect', () => process.exit(1))
  const share = mkdtempSync(join(tmpdir(), 'linnet-uml-'))
  mkdirSync(join(share, 'uml'))
  const [program = '', ...args] = boxCommand(true, [
    'bash',
    '-c',
    INIT,
    'box',
    share,
    preloaded(share),
    ...kernel(share),
  ])
  const box = spawn(program, args, { stdio: ['pipe', 'pipe', 'ignore', 'pipe'], detached: true })
  const [lifeLine, output, , commands] = box.stdio
  if (lifeLine === null || output === null || !(commands instanceof Socket))
    throw new Error('the box has no channels')
  const exited = new Promise<void>((resolve) => {
    box.once('close', () => resolve()).once('error', () => resolve())
  })
  const lines: string[] = []
  let heard = (): void => {}
  createInterface({ input: output }).on('line', (line) => {
    lines.push(line.trim())
    heard()
  })
  for (const end of [lifeLine, commands]) end.on('error', () => {}) // that it has ended is told by `close`

  /** The next line that `is` one. */
  const lineThat = (what: string, is: RegExp, deadlineMs: number): Promise<RegExpExecArray> =>
    new Promise((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`${why}: ${what}\n${lines.slice(-20).join('\n')}`))
      const timer = setTimeout(() => fail(`not within ${deadlineMs} ms`), deadlineMs)
      const look = (): void => {
        for (const [i, line] of lines.entries()) {
          const found = is.exec(line)
          if (found === null) continue
          lines.splice(0, i + 1)
          clearTimeout(timer)
          resolve(found)
          return
        }
      }
      heard = look
      void exited.then(() => fail('user-mode Linux has ended'))
      look()
    })

  let number = 0
  let turn: Promise<unknown> = lineThat('it boots', /^READY$/, BOOT_DEADLINE_MS)
  await turn
  return {
    share,
    run(script, deadlineMs = 30_000) {
      const mine = turn.then(async () => {
        const name = `${++number}`
        writeFileSync(join(share, `${name}.sh`), script)
        commands.write(`${name}\n`)
        const [, code] = await lineThat(script, new RegExp(`^DONE ${name} (\\d+)$`), deadlineMs)
        const output = readFileSync(join(share, `${name}.out`), 'utf8')
        if (code !== '0') throw new Error(`${script}\nended with ${code}:\n${output}`)
        return output
      })
      turn = mine.catch(() => {})
      return mine
    },
    write(name, text) {
      writeFileSync(join(share, name), text)
      return `/mnt/share/${name}`
    },
    log(name) {
      const path = join(share, name)
      return existsSync(path) ? readFileSync(path, 'utf8') : ''
    },
    async close() {
      lifeLine.end()
      await exited
    },
  }
}
