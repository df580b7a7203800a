/** FRR: zebra, which tells bgpd of links and next hops and writes to the kernel, and bgpd. */
import type { ChildProcess } from 'node:child_process'
import { inDut, sh } from '../ground.ts'
import { file, isInternal, type Plan, type Subject } from './subject.ts'

export const frr: Subject = {
  name: 'frr',
  start: (plan, folder) => {
    // It runs as the user frr, who must be able to read what is in the folder.
    sh(`install -d -o frr -g frr /run/frr; chmod 755 ${folder}`)
    const start = (name: string, text: string, more: readonly string[]): ChildProcess =>
      inDut(`/usr/lib/frr/${name}`, [
        ...['--vty_socket', '/run/frr', '-z', '/run/frr/zserv.api', '-A', '127.0.0.1'],
        ...['--log', 'stdout', '--log-level', 'critical', ...more],
        ...['-f', file(folder, `${name}.conf`, text), '-i', `/run/frr/${name}.pid`],
      ])
    const zebra = start('zebra', '', [])
    sh('sleep 1')
    return [zebra, start('bgpd', frrConfig(plan), plan.kernel ? [] : ['--no_kernel'])]
  },
  // So long it holds its first announcements to new sessions back; not yet over, it would look slower than it is.
  settleSeconds: (peers) => 1 + 0.055 * peers,
}

function frrConfig(plan: Plan): string {
  const { asn, address, peers, family } = plan
  const lines = peers.flatMap((it) => [
    ` neighbor ${it.address} remote-as ${it.asn}`,
    ` neighbor ${it.address} passive`,
    // Where its profile is `traditional`, changes to external peers would wait up to 30 s.
    ` neighbor ${it.address} advertisement-interval 0`,
  ])
  const inFamily = peers.flatMap((it) => [
    `  neighbor ${it.address} activate`,
    ...(it.client === true ? [`  neighbor ${it.address} route-reflector-client`] : []),
    ...(plan.silent === true ? [`  neighbor ${it.address} prefix-list NOTHING out`] : []),
    ...(family === 'ipv6' && !isInternal(plan, it)
      ? [`  neighbor ${it.address} next-hop-self`]
      : []),
  ])
  const nothing = `${family === 'ipv4' ? 'ip' : 'ipv6'} prefix-list NOTHING deny any\n`
  return `${plan.silent === true ? nothing : ''}router bgp ${asn}
 bgp router-id ${address}
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
${lines.join('\n')}
 address-family ${family} unicast
${inFamily.join('\n')}
 exit-address-family
`
}
