/**
 * Waits until the lab is as its file expects: asks kernels and daemons again and again, and tells what
 * is still different when the time is up.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { ControlClient } from '../control/client.ts'
import { kernelRoutes, type RouteSeen } from './kernel-routes.ts'
import { differences, formatDifference } from './match.ts'
import { socketOf } from './plan.ts'
import { EXPECTED_TABLES, type Expectation, type ExpectedTable } from './schema.ts'

/** How an expectation learns what is there; the lab's own way or a test's. */
export interface Sources {
  kernel(node: string): Promise<readonly RouteSeen[]>
  table(node: string, table: ExpectedTable): Promise<readonly unknown[]>
}

export const labSources = (directory: string): Sources => ({
  kernel: kernelRoutes,
  table: (node, table) => new ControlClient(socketOf(directory, node)).get(`/v1/${table}`),
})

/** What is not as expected, in words; empty when all is. */
export async function unmet(expectation: Expectation, sources: Sources): Promise<string[]> {
  const { on, kernel } = expectation
  const words: string[] = []
  try {
    if (kernel !== undefined) words.push(...kernelWords(kernel, await sources.kernel(on)))
    for (const name of EXPECTED_TABLES) {
      const rows = expectation[name]
      if (rows === undefined) continue
      const found = differences(rows, await sources.table(on, name))
      words.push(...found.map((it) => `${name}: ${formatDifference(it)}`))
    }
  } catch (error) {
    words.push(error instanceof Error ? error.message : String(error))
  }
  return words.map((it) => `${on}: ${it}`)
}

function kernelWords(
  expected: Readonly<Record<string, unknown>>,
  routes: readonly RouteSeen[],
): string[] {
  return Object.entries(expected).flatMap(([prefix, wanted]) => {
    const found = routes.filter((it) => it.prefix === prefix)
    if (wanted === null) {
      return found.length === 0 ? [] : [`kernel route ${prefix}: expected none, found one`]
    }
    const nearest = found
      .map((route) => differences(wanted, asWritten(wanted, route)))
      .toSorted((a, b) => a.length - b.length)[0]
    if (nearest === undefined) return [`kernel route ${prefix}: not there`]
    return nearest.map((it) => `kernel route ${prefix}: ${formatDifference(it)}`)
  })
}

/** `dev` may be expected as one name. */
function asWritten(wanted: unknown, route: RouteSeen): unknown {
  const single = typeof wanted === 'object' && wanted !== null && 'dev' in wanted
  if (!single || Array.isArray(wanted.dev)) return route
  return { ...route, dev: route.dev.join(' ') }
}

export interface Waited {
  readonly met: boolean
  readonly milliseconds: number
  /** What was still different at the end. */
  readonly words: readonly string[]
}

const POLL_MS = 100

/** Polls until all expectations hold, or the time of one is up. `stop` ends the wait early: a daemon died. */
export async function waitUntilMet(
  expectations: readonly Expectation[],
  withinSeconds: number,
  sources: Sources,
  stop: () => boolean = () => false,
): Promise<Waited> {
  const start = performance.now()
  let open = [...expectations]
  let words: string[] = []
  for (;;) {
    words = []
    const still: Expectation[] = []
    const elapsed = (): number => performance.now() - start
    let late = false
    for (const expectation of open) {
      const found = await unmet(expectation, sources)
      if (found.length === 0) continue
      still.push(expectation)
      words.push(...found)
      late ||= elapsed() > 1000 * (expectation.within ?? withinSeconds)
    }
    // All must hold together: the last look is at all of them.
    if (still.length === 0 && open.length === expectations.length) {
      return { met: true, milliseconds: elapsed(), words: [] }
    }
    open = still.length === 0 ? [...expectations] : still
    if (late || stop()) return { met: false, milliseconds: elapsed(), words }
    if (still.length > 0) await sleep(POLL_MS)
  }
}
