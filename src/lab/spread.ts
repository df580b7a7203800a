/**
 * Who gets the traffic to an address that several containers have (anycast)? Many flows are sent from
 * one container, each from a port of its own, and counted where they arrive.
 *
 * The kernel chooses a next hop by a hash of each flow, never packet by packet (RFC 2992), so one flow
 * tells nothing and a few tell little: of 256 over three containers, each gets half of a third at least
 * in all but one of ten million runs.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openDatagram, type DatagramSocket } from '../linux/datagram.ts'
import { inNamespace } from '../linux/netns.ts'
import { address } from '../net/address.ts'
import { containerNamed, type Lab, type SpreadOrder } from './topology.ts'

export interface SpreadReport {
  readonly from: string
  readonly to: string
  /** How many were sent. */
  readonly flows: number
  /** Flows that arrived nowhere. */
  readonly lost: number
  readonly shares: readonly { readonly container: string; readonly flows: number }[]
}

const FLOWS = 256
const FIRST_PORT = 42_000
const PORT = 41_999
/** The first packet of a flow may meet a neighbour that is not resolved yet. */
const TRIES = 5
const PATIENCE_MS = 200

export async function measureSpread(lab: Lab): Promise<SpreadReport[]> {
  const reports: SpreadReport[] = []
  for (const order of lab.proof.spread) reports.push(await measureOne(lab, order))
  return reports
}

async function measureOne(lab: Lab, { from, to, over }: SpreadOrder): Promise<SpreadReport> {
  const source = address(containerNamed(lab, from).address)
  const target = { address: address(to), port: PORT }
  const opened: DatagramSocket[] = []
  const open = (namespace: string, ...ends: Parameters<typeof openDatagram>): DatagramSocket => {
    const socket = inNamespace(namespace, () => openDatagram(...ends))
    opened.push(socket)
    return socket
  }
  try {
    const flows = Array.from({ length: FLOWS }, (_, i) =>
      open(from, { address: source, port: FIRST_PORT + i }, target),
    )
    const receivers = over.map((container) => ({
      container,
      socket: open(container, target, { address: source, port: FIRST_PORT }),
      /** Numbers of flows. */
      seen: new Set<number>(),
    }))
    const arrived = new Set<number>()
    for (let attempt = 1; attempt <= TRIES && arrived.size < FLOWS; attempt++) {
      for (const [i, flow] of flows.entries()) {
        if (!arrived.has(i)) flow.send(Uint8Array.of(i))
      }
      const deadline = performance.now() + PATIENCE_MS
      while (arrived.size < FLOWS && performance.now() < deadline) {
        await sleep(1)
        for (const { socket, seen } of receivers) {
          socket.drain(([flow]) => {
            seen.add(flow)
            arrived.add(flow)
          })
        }
      }
    }
    const shares = receivers.map(({ container, seen }) => ({ container, flows: seen.size }))
    return { from, to, flows: FLOWS, lost: FLOWS - arrived.size, shares }
  } finally {
    for (const socket of opened) socket.close()
  }
}
