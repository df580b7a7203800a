/**
 * The disposable box: a process in namespaces of its own (user, network, mount, pid), for labs.
 *
 * The first process of a pid namespace is its init: when it ends, however, the kernel kills the rest,
 * and with the last process the networks and mounts are gone. So a box can't leave anything behind,
 * and an ordinary user may have one, where the system allows user namespaces (unshare(1), nsenter(1)).
 */
import { spawn } from 'node:child_process'
import { readFileSync, readlinkSync } from 'node:fs'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { outputOf, runProcess, type Exit } from './process.ts'

const NAMESPACES = ['--net', '--mount', '--pid', '--fork', '--kill-child']

/** Wraps a command so that it becomes the first process of a box. */
export const boxCommand = (asRoot: boolean, command: readonly string[]): string[] => [
  'unshare',
  ...(asRoot ? [] : ['--user', '--map-root-user']),
  ...NAMESPACES,
  '--',
  ...command,
]

/** Wraps a command so that it runs in the box of this first process (its pid as seen from here). */
export const enterCommand = (
  pid: number,
  asRoot: boolean,
  namespace: string,
  command: readonly string[],
): string[] => [
  'nsenter',
  `--target=${pid}`,
  ...(asRoot ? [] : ['--user', '--preserve-credentials']),
  '--mount',
  '--net',
  '--pid',
  '--',
  ...(namespace === '' ? [] : ['nsenter', `--net=/run/netns/${namespace}`, '--']),
  ...command,
]

export interface BoxOptions {
  readonly command: readonly string[]
  readonly asRoot: boolean
  /** Lives on when we end; its standard output comes through `onOutput`. */
  readonly detached: boolean
  /** Hears what the box says through its channel. */
  readonly onMessage: (message: string) => void
}

export interface Box {
  /** Of `unshare`, which waits for the first process. */
  readonly pid: number
  readonly exited: Promise<Exit>
  /** Lets us end while a detached box lives on. */
  release(): void
}

/** Starts a box; fulfilled once `unshare` runs. */
export async function startBox(options: BoxOptions): Promise<Box> {
  const [program = '', ...args] = boxCommand(options.asRoot, options.command)
  const { detached } = options
  const child = spawn(program, args, {
    detached,
    stdio: detached
      ? ['ignore', 'pipe', 'pipe', 'pipe']
      : ['inherit', 'inherit', 'inherit', 'pipe'],
  })
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => {
      resolve({ code: code ?? undefined, signal: signal ?? undefined })
    })
  })
  child.stdout?.pipe(process.stdout, { end: false })
  child.stderr?.pipe(process.stderr, { end: false })
  const channel = child.stdio[3]
  if (channel instanceof Socket) {
    channel.on('error', () => {}) // it went with the box
    createInterface({ input: channel }).on('line', options.onMessage)
  }
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve)
    child.once('error', (error) => reject(new Error(`can't start unshare: ${error.message}`)))
  })
  return {
    pid: child.pid ?? -1,
    exited,
    release() {
      child.unref()
      child.stdout?.destroy()
      child.stderr?.destroy()
      if (channel instanceof Socket) channel.destroy()
    },
  }
}

/** The inner end of the channel to whoever started the box. */
export interface BoxChannel {
  send(message: string): void
  /** `gone` is called when the starter ended, even by SIGKILL. */
  onGone(gone: () => void): void
}

export function openBoxChannel(): BoxChannel {
  const socket = new Socket({ fd: 3, readable: true, writable: true })
  socket.on('error', () => {}) // the starter has gone: that is told by `close`
  socket.resume()
  socket.unref()
  return {
    send: (message) => void socket.write(`${message}\n`),
    onGone: (gone) => void socket.once('close', gone),
  }
}

/**
 * Makes the fresh namespaces a home: /run of our own (`ip netns` keeps its names there), a /proc that
 * shows only our processes. Returns our pid as the outside sees it. To be called first of all.
 */
export async function furnishBox(): Promise<number> {
  // Until /proc is mounted anew it belongs to the outside, and so does the number in it.
  const outerPid = Number(readlinkSync('/proc/self'))
  await outputOf('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', '/run'])
  // Refused inside some containers; the outer /proc then has to do.
  await runProcess('mount', ['-t', 'proc', 'proc', '/proc'])
  await outputOf('ip', ['link', 'set', 'lo', 'up'])
  return outerPid
}

/** Lays a file or directory of the box over one of the system's, for the box only. */
export async function mountOver(source: string, target: string): Promise<void> {
  await outputOf('mount', ['--bind', source, target])
}

/** Makes a folder of the system's the box's own: what is written there stays in the box, on its /run. */
export async function mountCopy(folder: string): Promise<void> {
  const [upper, work] = ['upper', 'work'].map((it) => `/run/copies${folder}/${it}`)
  await outputOf('mkdir', ['-p', upper, work])
  const options = `lowerdir=${folder},upperdir=${upper},workdir=${work}`
  await outputOf('mount', ['-t', 'overlay', '-o', options, 'overlay', folder])
}

export async function mountEmpty(target: string): Promise<void> {
  await outputOf('mount', ['-t', 'tmpfs', '-o', 'mode=1777', 'tmpfs', target])
}

/** The settings by which systems forbid user namespaces to ordinary users. */
export interface BoxReadings {
  /** Ubuntu's AppArmor. */
  readonly apparmorRestrict: string | undefined
  /** Older Debian kernels. */
  readonly usernsClone: string | undefined
  readonly maxUserNamespaces: string | undefined
}

export interface BoxRefusal {
  readonly reason: string
  /** What root could do about it; undefined where we don't know. */
  readonly setting: string | undefined
}

/** Why `unshare` failed as it did. `words` are its own. */
export function explainRefusal(readings: BoxReadings, words: string): BoxRefusal {
  if (readings.maxUserNamespaces === '0') {
    const setting = 'sysctl -w user.max_user_namespaces=15000'
    return {
      reason: 'this system allows no user namespaces (user.max_user_namespaces = 0)',
      setting,
    }
  }
  if (readings.usernsClone === '0') {
    const reason = 'only root may make user namespaces here (kernel.unprivileged_userns_clone = 0)'
    return { reason, setting: 'sysctl -w kernel.unprivileged_userns_clone=1' }
  }
  if (readings.apparmorRestrict === '1') {
    const name = 'kernel.apparmor_restrict_unprivileged_userns'
    const reason = `AppArmor takes away the rights in user namespaces here (${name} = 1)`
    return { reason, setting: `sysctl -w ${name}=0` }
  }
  const last = words.trim().split('\n').at(-1) ?? ''
  const reason = `this system does not let us make namespaces (${last === '' ? 'no reason given' : last})`
  return { reason, setting: undefined }
}

/** Tries a box out; undefined when it works. */
export async function boxRefusal(asRoot: boolean): Promise<BoxRefusal | undefined> {
  // AppArmor lets the namespaces be made and refuses what is done in them: so do something.
  const trial = ['sh', '-c', 'mount -t tmpfs tmpfs /run && ip link set lo up']
  const [program = '', ...args] = boxCommand(asRoot, trial)
  const { code, stderr } = await runProcess(program, args)
  return code === 0 ? undefined : explainRefusal(readBoxSettings(), stderr)
}

function readBoxSettings(): BoxReadings {
  const read = (path: string): string | undefined => {
    try {
      return readFileSync(`/proc/sys/${path}`, 'utf8').trim()
    } catch {
      return undefined // this kernel has no such setting
    }
  }
  return {
    apparmorRestrict: read('kernel/apparmor_restrict_unprivileged_userns'),
    usernsClone: read('kernel/unprivileged_userns_clone'),
    maxUserNamespaces: read('user/max_user_namespaces'),
  }
}
