/** linnet, the program that is released, with what it has on by default. */
import { join } from 'node:path'
import { neighborsConfig } from '../bfd-neighbors.ts'
import { inDut } from '../ground.ts'
import { file, type Plan, type Subject } from './subject.ts'

/** Another build, to be compared with. */
const MAIN = process.env['LINNET_MAIN'] ?? join(import.meta.dirname, '../../../main.js')
/** `--cpu-prof --cpu-prof-dir=DIR`, say. */
const FLAGS = process.env['LINNET_NODE_FLAGS']?.split(' ') ?? []

export const linnetWith = (config: (plan: Plan, folder: string) => string): Subject => ({
  name: 'linnet',
  start: (plan, folder) => {
    const path = file(folder, 'linnet.yaml', config(plan, folder))
    return [inDut(process.execPath, [...FLAGS, MAIN, 'run', '-c', path])]
  },
})

export const linnet = linnetWith((plan, folder) => linnetConfig(plan, folder))

/** `more` are lines of it; `policy` is what all peers import by. */
export function linnetConfig(plan: Plan, folder: string, more = '', policy = 'accept'): string {
  const { asn, address, peers, kernel, family, silent, bfd } = plan
  const peer = (it: Plan['peers'][number]): string => {
    const client = it.client === true ? ', routeReflectorClient: true' : ''
    return `  - { address: ${it.address}, asn: ${it.asn}, group: all${client} }`
  }
  return `asn: ${asn}
routerId: ${address}
listen: [{ address: 0.0.0.0, port: 179 }]
peerGroups:
  all: { passive: true, localAddress: ${address}, import: ${policy}, export: ${silent === true ? 'local' : 'accept'}, families: [${family}] }
peers:
${peers.map(peer).join('\n')}
${bfd === undefined ? '' : neighborsConfig(bfd)}kernel: { install: ${kernel} }
api: { socket: ${join(folder, 'sock')} }
log: { level: error, format: json }
${more}`
}
