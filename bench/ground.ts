/**
 * The ground that benches stand on: a box of their own, and in it a namespace `dut` for the daemon under test,
 * which is joined to ours by links. All of it goes with the process.
 */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'

export interface DutLink {
  /** Its name on both sides. */
  readonly link: string
  /** Addresses with lengths: the subject's, and ours. */
  readonly subject: string
  readonly here: readonly string[]
}

export const sh = (command: string): void => void execFileSync('sh', ['-c', command])

/** Runs `work` in fresh namespaces for net, mounts and processes. */
export async function inBox(work: () => Promise<void>): Promise<void> {
  if (process.env.LINNET_BENCH_BOX !== undefined) {
    sh('mount -t proc proc /proc; mount -t tmpfs tmpfs /run; ip link set lo up')
    return work()
  }
  const box = ['--net', '--mount', '--pid', '--fork', '--kill-child']
  const child = spawn('unshare', [...box, process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, LINNET_BENCH_BOX: '1' },
  })
  child.once('exit', (code) => process.exit(code ?? 1))
  // Whoever ends us ends the box too: unshare itself takes no notice, and the daemons in it would go on.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => child.kill('SIGKILL'))
  }
}

/** A fresh namespace for the subject. */
export function freshDut(links: readonly DutLink[]): void {
  // A namespace that is deleted takes its links along only some time later.
  for (const { link } of links) sh(`ip link del ${link} 2>/dev/null || true`)
  sh('ip netns del dut 2>/dev/null; ip netns add dut; ip -n dut link set lo up')
  for (const { link, subject, here } of links) {
    sh(`ip link add ${link} type veth peer name ${link} netns dut; ip link set ${link} up`)
    sh(`ip -n dut link set ${link} up; ip -n dut addr add ${subject} dev ${link}`)
    for (const address of here) sh(`ip addr add ${address} dev ${link}`)
  }
  const reno = 'sysctl -qw net.ipv4.tcp_congestion_control=reno'
  sh(`${reno}; ip netns exec dut ${reno}`)
}

/** What it writes goes to a file of the folder `LINNET_BENCH_LOGS`, or nowhere. */
export function inDut(command: string, args: readonly string[]): ChildProcess {
  const logs = process.env['LINNET_BENCH_LOGS']
  const out = logs === undefined ? 'ignore' : openSync(join(logs, basename(command)), 'a')
  const stdio = ['ignore', out, out] as const
  const child = spawn('nsenter', ['--net=/run/netns/dut', command, ...args], { stdio: [...stdio] })
  if (typeof out === 'number') closeSync(out)
  return child
}

export const listening = (pid: number): boolean =>
  readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
    .split('\n')
    .some((line) => line.includes(':00B3 00000000:0000 0A'))

export const peakMb = (pid: number): number => memoryMb(pid, 'VmHWM')
export const residentMb = (pid: number): number => memoryMb(pid, 'VmRSS')

function memoryMb(pid: number, field: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024
}

export async function until(
  condition: () => boolean,
  seconds: number,
  what: string,
  everyMs = 20,
): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`no ${what} within ${seconds} s`)
    await new Promise((resolve) => setTimeout(resolve, everyMs))
  }
}

/** Routes in the kernel's tables of the namespace that the process is in. */
export function kernelRoutes(pid: number, family: 'ipv4' | 'ipv6' = 'ipv4'): number {
  if (family === 'ipv6') {
    const text = readFileSync(`/proc/${pid}/net/rt6_stats`, 'utf8')
    // Nodes of the tree, nodes that have routes, and so on: each prefix has one of the second.
    return Number.parseInt(text.split(' ')[1] ?? '0', 16)
  }
  const text = readFileSync(`/proc/${pid}/net/fib_triestat`, 'utf8')
  return Number(/Main:[^]*?Prefixes:\s+(\d+)/.exec(text)?.[1] ?? 0)
}

/** That the process has used. */
export function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}
