/**
 * BFD under load: does anybody give anybody up while a full table arrives and goes to the kernel? The neighbours
 * live in a thread of this process, and share the machine with the daemon and the sender of the table.
 *
 *   npm run bench:bfd -- [--sessions 100] [--interval 100] [--multiplier 3] [--prefixes 1000000] [--runs 1]
 *
 * A false down is one that either end has told; the longest silence is that between two packets, at either end.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ControlClient } from '../src/control/client.ts'
import type { PeerDetail, PeerRow } from '../src/control/rows.ts'
import {
  BfdNeighbors,
  MOST_NEIGHBORS,
  addAddresses,
  failuresAtLinnet,
  neighborsConfig,
} from './bfd-neighbors.ts'
import { usualTable } from './load/routes.ts'
import { cpuSeconds, freshDut, inBox, inDut, kernelRoutes, listening, until } from './ground.ts'
import { BenchSpeaker } from './load/speaker.ts'

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100' },
    interval: { type: 'string', default: '100' },
    multiplier: { type: 'string', default: '3' },
    prefixes: { type: 'string', default: '1000000' },
    runs: { type: 'string', default: '1' },
  },
})
const NEIGHBORS = {
  count: Math.min(MOST_NEIGHBORS, Number(values.sessions)),
  intervalMs: Number(values.interval),
  multiplier: Number(values.multiplier),
}
const PREFIXES = Number(values.prefixes)
const SUBJECT = '10.99.0.1'
const SENDER = '10.99.0.2'
const ROOT = join(import.meta.dirname, '../../..')

const config = (folder: string): string => `asn: 65000
routerId: ${SUBJECT}
peers:
  - { name: sender, address: ${SENDER}, asn: 65001, passive: true, import: accept, families: [ipv4] }
${neighborsConfig(NEIGHBORS)}
kernel: { ecmp: 1 }
api: { socket: ${join(folder, 'sock')} }
log: { level: error, format: json }
`

function buildGround(): void {
  freshDut([{ link: 'eth0', subject: `${SUBJECT}/24`, here: [`${SENDER}/24`] }])
  addAddresses(NEIGHBORS.count)
}

async function measure(messages: Uint8Array): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'))
  buildGround()
  writeFileSync(join(folder, 'linnet.yaml'), config(folder))
  const main = join(ROOT, 'dist/main.js')
  const subject = inDut(process.execPath, [main, 'run', '-c', join(folder, 'linnet.yaml')])
  const pid = subject.pid ?? 0
  const neighbors = new BfdNeighbors(NEIGHBORS)
  try {
    await until(() => listening(pid), 10, 'listener')
    await until(() => neighbors.allUp, 30, 'BFD session of everybody')
    const sender = new BenchSpeaker({ remote: SUBJECT, local: SENDER, port: 179, asn: 65001 })
    await sender.established
    const [before, failuresBefore] = [cpuSeconds(pid), neighbors.failures]
    const begin = performance.now()
    sender.send(messages)
    await until(() => kernelRoutes(pid) >= PREFIXES, 120, 'full kernel table', 100)
    const seconds = (performance.now() - begin) / 1000
    const client = new ControlClient(join(folder, 'sock'))
    const peers = (await client.get<PeerRow[]>('/v1/peers')).filter(({ bfd }) => bfd !== null)
    const silences = await Promise.all(
      peers.map(async ({ name }) => {
        const { bfdSession } = await client.get<PeerDetail>(`/v1/peers/${name}`)
        return bfdSession?.longestSilence ?? 0
      }),
    )
    const downs = await failuresAtLinnet(join(folder, 'sock'))
    sender.close()
    return [
      `${PREFIXES} routes in the kernel after ${seconds.toFixed(2)} s, cpu ${(cpuSeconds(pid) - before).toFixed(2)} s`,
      `false downs: ${downs} at linnet, ${neighbors.failures - failuresBefore} at its neighbours`,
      `longest silence: ${Math.max(...silences)} ms at linnet, ${neighbors.longestSilenceMs} ms at its neighbours`,
    ].join('; ')
  } finally {
    await neighbors.close()
    subject.kill('SIGKILL')
    await new Promise((resolve) => subject.once('exit', resolve))
    rmSync(folder, { recursive: true })
  }
}

await inBox(async () => {
  const { count, intervalMs, multiplier } = NEIGHBORS
  const messages = usualTable(PREFIXES, 65_001, SENDER)
  process.stdout.write(`${count} BFD sessions at ${intervalMs} ms x ${multiplier}\n`)
  for (let run = 0; run < Number(values.runs); run++) {
    process.stdout.write(`${await measure(messages)}\n`)
  }
})
