import { join } from 'node:path'
import { inDut } from '../ground.ts'
import { file, type Plan, type Subject } from './subject.ts'

export const gobgp: Subject = {
  name: 'gobgp',
  start: (plan, folder) => {
    const config = file(folder, 'gobgpd.json', JSON.stringify(gobgpConfig(plan)))
    const quiet = ['--pprof-disable', '-p', '-l', 'error']
    const api = ['--api-hosts', `unix://${join(folder, 'gobgp.sock')}`]
    return [inDut('gobgpd', ['-t', 'json', '-f', config, ...quiet, ...api])]
  },
  noKernel: 'it writes to the kernel through zebra only',
}

function gobgpConfig({ asn, address, peers, family }: Plan): object {
  return {
    global: { config: { as: asn, 'router-id': address, port: 179 } },
    neighbors: peers.map((it) => ({
      config: { 'neighbor-address': it.address, 'peer-as': it.asn },
      transport: { config: { 'passive-mode': true, 'local-address': address } },
      'afi-safis': [{ config: { 'afi-safi-name': `${family}-unicast` } }],
      ...(it.client === true && {
        'route-reflector': {
          config: { 'route-reflector-client': true, 'route-reflector-cluster-id': address },
        },
      }),
    })),
  }
}
