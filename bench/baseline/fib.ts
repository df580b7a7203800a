/**
 * The C program fib.c in place of a daemon: the same routes, the same messages, the same kernel, and no BGP. It is told
 * to begin once it has all routes in memory, and the clock stops as it does for daemons.
 */
import { execFileSync, spawn, type ChildProcessByStdio } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { cpuSeconds, kernelRoutes, peakMb, sh, until } from '../ground.ts'
import { mustHold, untilHeld } from '../kernel-table.ts'
import { addressBytes, routesOf, type Routes } from '../load/routes.ts'
import { buildGround, peerAddress, peerNextHop } from '../stage.ts'
import type { Figures, Yardstick } from '../scenarios/scenario.ts'

const SOURCE = join(import.meta.dirname, '../../../../bench/baseline/fib.c')
const NEXT_HOP_ID = 0x4c00_0001
const DEADLINE_SECONDS = 120

export const fibWriter = (family: 'ipv4' | 'ipv6', prefixes: number): Yardstick => ({
  name: 'fib',
  run: async ({ seed, profile, scale }) => {
    const routes = routesOf({ family, profile, seed, count: Math.round(prefixes * scale) })
    const folder = mkdtempSync(join(tmpdir(), 'bench-'))
    try {
      const program = compiled(folder)
      const file = join(folder, 'routes')
      writeFileSync(file, recordsOf(routes))
      buildGround({ peers: [{ address: peerAddress(0) }], family })
      const via = family === 'ipv4' ? peerAddress(0) : textOf6(peerNextHop(0, 'ipv6'))
      sh('ip netns exec dut sysctl -qw net.ipv4.nexthop_compat_mode=0')
      sh(`ip -n dut nexthop add id ${NEXT_HOP_ID} via ${via} dev eth0`)
      const order = [program, family === 'ipv4' ? '4' : '6', String(NEXT_HOP_ID), file]
      const child = spawn('nsenter', ['--net=/run/netns/dut', ...order], {
        stdio: ['pipe', 'pipe', 'inherit'],
      })
      return await timed(child, routes)
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
})

async function timed(
  child: ChildProcessByStdio<Writable, Readable, null>,
  routes: Routes,
): Promise<Figures> {
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const ended = new Promise((resolve) => child.once('close', resolve))
  try {
    await until(() => said.includes('ready'), 20, 'writer')
    const { pid = 0 } = child
    const own = kernelRoutes(pid, routes.family)
    const cpu = cpuSeconds(pid)
    const begin = performance.now()
    child.stdin.write('!')
    const end = await untilHeld(pid, own, routes, DEADLINE_SECONDS)
    const seconds = (end - begin) / 1000
    await until(() => said.includes('done'), 20, 'end')
    const figures = { seconds, MB: peakMb(pid), 'cpu s': cpuSeconds(pid) - cpu }
    await mustHold('dut', routes)
    return figures
  } finally {
    child.stdin.end()
    await ended
  }
}

/** The path of the program, made in `folder`. */
function compiled(folder: string): string {
  const program = join(folder, 'fib')
  try {
    execFileSync('gcc', ['-O2', '-o', program, SOURCE], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (!isMissing) throw error
    throw new Error('no C compiler is here: apt-get install gcc libc6-dev', { cause: error })
  }
  return program
}

/** As fib.c reads them: a length, and the address. */
function recordsOf(routes: Routes): Uint8Array {
  const size = routes.family === 'ipv4' ? 5 : 17
  const bytes = new Uint8Array(size * routes.count)
  for (let i = 0; i < routes.count; i++) {
    bytes[i * size] = routes.lengths[i]
    bytes.set(addressBytes(routes, i), i * size + 1)
  }
  return bytes
}

const textOf6 = (bytes: Uint8Array): string =>
  Array.from({ length: 8 }, (_, i) => ((bytes[2 * i] << 8) | bytes[2 * i + 1]).toString(16)).join(
    ':',
  )
