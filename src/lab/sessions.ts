/** The BGP sessions of a node, asked of whichever daemon runs there, in that daemon's own way. */
import { z } from 'zod'
import { ControlClient } from '../control/client.ts'
import type { PeerRow } from '../control/rows.ts'
import { outputOf } from '../linux/process.ts'
import { socketOf } from './plan.ts'
import type { LabNode } from './topology.ts'

export interface Sessions {
  readonly up: number
  readonly all: number
  /** About one that is down; empty when none is, or the daemon doesn't say. */
  readonly trouble: string
}

export async function sessionsOf(node: LabNode, directory: string): Promise<Sessions> {
  const at = `${directory}/${node.name}`
  if (node.kind === 'bird') {
    return birdSessions(await outputOf('birdc', ['-s', `${at}/bird.ctl`, 'show', 'protocols']))
  }
  if (node.kind === 'frr') {
    return frrSessions(await outputOf('vtysh', ['--vty_socket', at, '-c', 'show bgp summary json']))
  }
  const client = new ControlClient(socketOf(directory, node.name))
  const peers = await client.get<readonly PeerRow[]>('/v1/peers')
  const up = peers.filter((it) => it.state === 'Established').length
  const down = peers.find((it) => it.state !== 'Established')
  const trouble = down === undefined ? '' : `${down.name}: ${down.reason || down.state}`
  return { up, all: peers.length, trouble }
}

/** Of `show protocols`: `tor1  BGP  ---  up  08:46:58.803  Established`. */
export function birdSessions(text: string): Sessions {
  const rows = text.split('\n').filter((line) => /^\S+\s+BGP\s/.test(line))
  const up = rows.filter((line) => line.includes('Established')).length
  const down = rows.find((line) => !line.includes('Established'))
  return {
    up,
    all: rows.length,
    trouble: down === undefined ? '' : `${down.split(/\s/)[0]} is down`,
  }
}

const frrPeers = z.record(z.string(), z.object({ state: z.string() }))
const frrSummary = z.record(z.string(), z.object({ peers: frrPeers.optional() }))

/** Of `show bgp summary json`: per family, peers by their address. */
export function frrSessions(text: string): Sessions {
  const states = new Map<string, string>()
  for (const { peers = {} } of Object.values(frrSummary.parse(JSON.parse(text)))) {
    for (const [address, { state }] of Object.entries(peers)) states.set(address, state)
  }
  const up = [...states.values()].filter((state) => state === 'Established').length
  const down = [...states].find(([, state]) => state !== 'Established')
  return { up, all: states.size, trouble: down === undefined ? '' : `${down[0]}: ${down[1]}` }
}
