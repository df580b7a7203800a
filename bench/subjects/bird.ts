import { join } from 'node:path'
import { inDut } from '../ground.ts'
import { file, type Plan, type Subject } from './subject.ts'

export const bird: Subject = {
  name: 'bird',
  start: (plan, folder) => {
    const config = file(folder, 'bird.conf', birdConfig(plan))
    return [inDut('bird', ['-f', '-c', config, '-s', join(folder, 'bird.ctl')])]
  },
}

function birdConfig({ asn, address, peers, kernel, family, silent }: Plan): string {
  const told = silent === true ? 'none' : 'where source = RTS_BGP'
  const peer = (it: Plan['peers'][number], i: number): string => {
    const client = it.client === true ? 'rr client;' : ''
    return `protocol bgp p${i} { local ${address} as ${asn}; neighbor ${it.address} as ${it.asn}; passive on; ${client} ${family} { import all; export ${told}; }; }`
  }
  const toKernel = `protocol kernel { ${family} { import none; export where source = RTS_BGP; }; }`
  return `router id ${address};
protocol device {}
protocol direct { ipv4; ipv6; interface "eth0"; }
${kernel ? toKernel : ''}
${peers.map(peer).join('\n')}
`
}
