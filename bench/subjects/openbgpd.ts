/** OpenBGPD, whose three processes are forked by the one that is started. */
import { inDut, sh } from '../ground.ts'
import { file, isInternal, type Plan, type Subject } from './subject.ts'

export const openbgpd: Subject = {
  name: 'openbgpd',
  start: (plan, folder) => {
    const config = file(folder, 'bgpd.conf', openbgpdConfig(plan, folder))
    sh(`chmod 600 ${config}; mkdir -p /run/openbgpd`)
    return [inDut('/usr/sbin/bgpd', ['-d', '-f', config])]
  },
  noKernel: 'the portable one writes no routes to the kernel',
}

function openbgpdConfig(plan: Plan, folder: string): string {
  const { asn, address, peers, family } = plan
  const peer = (it: Plan['peers'][number]): string =>
    [
      `neighbor ${it.address} {`,
      `  remote-as ${it.asn}`,
      `  local-address ${address}`,
      '  passive',
      `  announce IPv4 ${family === 'ipv4' ? 'unicast' : 'none'}`,
      `  announce IPv6 ${family === 'ipv6' ? 'unicast' : 'none'}`,
      '  enforce neighbor-as no',
      ...(it.client === true ? ['  route-reflector'] : []),
      ...(isInternal(plan, it) ? [] : ['  enforce local-as no']),
      '}',
    ].join('\n')
  return `AS ${asn}
router-id ${address}
fib-update no
socket "${folder}/bgpd.sock"
${peers.map(peer).join('\n')}
allow from any
allow to any
`
}
