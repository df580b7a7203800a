/**
 * The live status of a lab, until Ctrl-C: nodes, their sessions and routes, and whether the containers
 * reach each other right now.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { pingPairs } from './evidence.ts'
import type { Sources } from './expect.ts'
import type { Paint } from './report.ts'
import { sessionsOf } from './sessions.ts'
import { containersIn, type Lab, type LabNode } from './topology.ts'

const REFRESH_MS = 1000

export interface NodeStatus {
  readonly node: string
  readonly runs: string
  /** `2 of 2`; undefined when the daemon doesn't answer. */
  readonly sessions: string | undefined
  /** Learned routes in the kernel. */
  readonly routes: number
  readonly trouble: string
}

/** Draws until the process is interrupted: the box ends with it. */
export async function showStatus(
  lab: Lab,
  directory: string,
  sources: Sources,
  proof: string,
  paint: Paint,
): Promise<never> {
  process.stdout.write('\u001b[?25l')
  process.once('exit', () => process.stdout.write('\u001b[?25h\n'))
  process.stdout.write('\u001b[2J')
  for (;;) {
    const nodes = await Promise.all(
      lab.nodes
        .filter((it) => it.kind !== 'host')
        .map((node) => statusOf(node, directory, sources)),
    )
    const answered = await pingPairs(lab)
    const lines = statusLines(lab, nodes, answered, proof, paint)
    process.stdout.write(`\u001b[H${lines.map((line) => `${line}\u001b[K\n`).join('')}\u001b[J`)
    await sleep(REFRESH_MS)
  }
}

async function statusOf(node: LabNode, directory: string, sources: Sources): Promise<NodeStatus> {
  const base = { node: node.name, runs: `${node.kind}${node.isTor ? ' (ToR)' : ''}` }
  try {
    const routes = (await sources.kernel(node.name)).filter(
      (it) => it.nextHops.length > 0 && it.protocol !== 'kernel' && it.protocol !== 'static',
    ).length
    const { up, all, trouble } = await sessionsOf(node, directory)
    return { ...base, sessions: `${up} of ${all}`, routes, trouble }
  } catch (error) {
    const trouble = error instanceof Error ? error.message : String(error)
    return { ...base, sessions: undefined, routes: 0, trouble }
  }
}

/** Pure: the screen. */
export function statusLines(
  lab: Lab,
  nodes: readonly NodeStatus[],
  answered: ReadonlySet<string>,
  proof: string,
  paint: Paint,
): string[] {
  const rows = nodes.map((it) => [it.node, it.runs, it.sessions ?? '-', `${it.routes}`, it.trouble])
  const all = [['node', 'runs', 'sessions up', 'routes', ''], ...rows]
  const widths = [0, 1, 2, 3].map((i) => Math.max(...all.map((row) => row[i]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd()
  const pairs = lab.proof.pairs
  const reached = pairs.filter((pair) => answered.has(pair.join(' > ')))
  const count = `${reached.length} of ${pairs.length} pairs of containers answer`
  const last = lab.nodes.findLast((it) => it.kind !== 'host')
  const question = last?.kind === 'linnet' ? 'linnet show routes' : 'ip route'
  const silent = pairs.filter((pair) => !answered.has(pair.join(' > '))).slice(0, 6)
  return [
    paint(`lab ${lab.name}`, 'bold') + paint('   Ctrl-C ends it and clears everything away', 'dim'),
    '',
    ...all.map((cells, i) => (i === 0 ? paint(line(cells), 'bold') : line(cells))),
    '',
    ...containersIn(lab).map((it) => `${it.name}  ${it.address}  on ${it.bridge} of ${it.node}`),
    '',
    silent.length === 0 ? paint(count, 'good') : paint(count, 'bad'),
    ...silent.map((pair) => `  no answer: ${pair.join(' > ')}`),
    '',
    proof,
    '',
    paint(
      `from another shell: linnet lab exec ${lab.name} ${last?.name ?? ''} -- ${question}`,
      'dim',
    ),
  ]
}
