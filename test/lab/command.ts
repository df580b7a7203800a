/** `linnet lab ...` as a user types it, on the program that was built. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'

const TOP = join(import.meta.dirname, '../..')

/** LINNET_MAIN points the tests at another build. */
export const PROGRAM = process.env['LINNET_MAIN'] ?? join(TOP, 'dist/main.js')

export const TWO_TOR = join(TOP, 'config/lab/two-tor.yaml')
export const MESH = join(TOP, 'config/lab/mesh.yaml')
export const UNNUMBERED = join(TOP, 'config/lab/unnumbered.yaml')
export const VXLAN = join(TOP, 'config/lab/vxlan.yaml')
export const REFLECTOR = join(TOP, 'config/lab/reflector.yaml')
export const RACK_REFLECTOR = join(TOP, 'config/lab/rack-reflector.yaml')
export const HYPERVISORS = join(TOP, 'config/lab/hypervisors.yaml')
export const DOCKER = join(TOP, 'config/lab/docker.yaml')
export const RESTART = join(import.meta.dirname, 'labs/restart.yaml')
export const DRAIN = join(import.meta.dirname, 'labs/drain.yaml')
export const BIRD = join(import.meta.dirname, 'labs/bird.yaml')

/** Labs of a test run are not in the way of labs that somebody is using. */
const LABS = mkdtempSync(join(tmpdir(), 'linnet-labs-'))
chmodSync(LABS, 0o777)
process.env['LINNET_LABS'] = LABS
process.once('exit', () => rmSync(LABS, { recursive: true, force: true }))

export const isRoot = process.getuid?.() === 0

export interface Outcome {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface Asking {
  /** Wraps the command line: as another user, say. */
  readonly wrap?: readonly string[]
  readonly cwd?: string
}

export function start(
  words: readonly string[],
  { wrap = [], cwd = TOP }: Asking = {},
): ChildProcess {
  if (!existsSync(PROGRAM)) throw new Error(`${PROGRAM} is not built: npm run build`)
  const [command = '', ...args] = [...wrap, process.execPath, PROGRAM, 'lab', ...words]
  return spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd })
}

/** Runs to its end. */
export async function lab(words: readonly string[], asking: Asking = {}): Promise<Outcome> {
  const child = start(words, asking)
  let stdout = ''
  let stderr = ''
  child.stdout?.on('data', (it: Buffer) => (stdout += it.toString()))
  child.stderr?.on('data', (it: Buffer) => (stderr += it.toString()))
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve))
  return { code, stdout, stderr }
}

/** As far as tests look at what `--json` prints. */
const resultSchema = z.object({
  ok: z.boolean(),
  pairs: z.array(
    z.object({
      evidence: z.object({
        from: z.object({ name: z.string(), address: z.string() }),
        to: z.object({ name: z.string() }),
        path: z.array(z.object({ node: z.string().optional() })),
        onFabric: z.array(
          z.object({
            wrapping: z.string().optional(),
            inner: z.object({ source: z.string(), destination: z.string() }).optional(),
          }),
        ),
        wrapped: z
          .object({ by: z.string(), hosts: z.array(z.object({ name: z.string() })) })
          .optional(),
      }),
      faults: z.array(z.object({ fault: z.string(), text: z.string() })),
      sourceSeen: z.string().optional(),
      ttlLost: z.number().optional(),
    }),
  ),
  spreads: z.array(
    z.object({
      to: z.string(),
      shares: z.array(z.object({ container: z.string(), flows: z.number() })),
    }),
  ),
  failover: z
    .object({
      worstMs: z.number(),
      events: z.array(
        z.object({
          title: z.string(),
          sent: z.number(),
          lost: z.number(),
          outageMs: z.number(),
          note: z.string(),
        }),
      ),
    })
    .optional(),
})
export type Result = z.output<typeof resultSchema>

export interface Tested extends Outcome {
  readonly result: Result
}

/** `lab test --json`, with its result. */
export async function prove(words: readonly string[], asking: Asking = {}): Promise<Tested> {
  const outcome = await lab(['test', '--json', ...words], asking)
  if (!outcome.stdout.startsWith('{')) throw new Error(`no result:\n${outcome.stderr}`)
  return { ...outcome, result: resultSchema.parse(JSON.parse(outcome.stdout)) }
}

/** Wraps a command for an ordinary user; undefined when that user could not read the program. */
export function asOrdinaryUser(): readonly string[] | undefined {
  if (!isRoot) return []
  const wrap = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups']
  const clean = ['env', '-u', 'XDG_RUNTIME_DIR', 'HOME=/nonexistent']
  try {
    execFileSync('setpriv', [...wrap.slice(1), 'test', '-r', PROGRAM], { stdio: 'ignore' })
    accessSync(PROGRAM, constants.R_OK)
    return [...wrap, ...clean]
  } catch {
    return undefined
  }
}

export const hasProgram = (...paths: readonly string[]): boolean =>
  paths.some((it) => existsSync(it))
export const hasBird = hasProgram('/usr/sbin/bird')
export const hasFrr = hasProgram('/usr/lib/frr/bgpd', '/usr/libexec/frr/bgpd')
export const hasNft = hasProgram('/usr/sbin/nft', '/sbin/nft')

export const pidNamespaceOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/pid`)

/** All processes (but zombies) in a pid namespace. */
export function processesIn(pidNamespace: string): number[] {
  return readdirSync('/proc')
    .filter((it) => /^\d+$/.test(it))
    .map(Number)
    .filter((pid) => {
      try {
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        const isZombie = stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z')
        return !isZombie && readlinkSync(`/proc/${pid}/ns/pid`) === pidNamespace
      } catch {
        return false // it ended while we looked, or is somebody else's
      }
    })
}

/** What a lab could have left on this machine: links, named namespaces, mounts. */
export function footprint(): string {
  const links = readdirSync('/sys/class/net').toSorted()
  const named = existsSync('/run/netns') ? readdirSync('/run/netns') : []
  const mounts = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((it) => /netns|\/run\/lab/.test(it))
  return JSON.stringify({ links, named, mounts })
}
