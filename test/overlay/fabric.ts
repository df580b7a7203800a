/**
 * Hosts in namespaces of a user-mode Linux: two networks and a router between them that knows nothing of what is in
 * the overlay.
 *
 *   a .11, b .12 -- 10.1.0.0/24 -- router -- 10.2.0.0/24 -- c .13, d .14
 *
 * Each has the network 10.244.N.0/24 of its containers on docker0, with .1 there (a: N = 1).
 */
import { bootUml, type Uml } from '../support/uml.ts'
import { until } from '../support/until.ts'

export const HOSTS = {
  a: { net: 1, address: '10.1.0.11', inside: '10.244.1.1' },
  b: { net: 1, address: '10.1.0.12', inside: '10.244.2.1' },
  c: { net: 2, address: '10.2.0.13', inside: '10.244.3.1' },
  d: { net: 2, address: '10.2.0.14', inside: '10.244.4.1' },
} as const
export type Host = keyof typeof HOSTS

const WAITS_MS = 60_000

export interface Fabric extends Uml {
  /** Runs a script in the namespace of a host, or of the router. */
  on(host: Host | 'router', script: string): Promise<string>
  /** Starts linnet there. Its iBGP peers are all the others; `more`: the rest of its configuration. */
  linnet(host: Host, more: string): Promise<void>
  bird(host: Host, protocols: string): Promise<void>
  /** What linnet has logged there. */
  log(host: Host): string
  until(what: string, holds: () => Promise<boolean> | boolean): Promise<void>
  /** Packets that got through, of three from the inside address of `from`. */
  pings(from: Host, to: string): Promise<number>
}

export async function buildFabric(): Promise<Fabric> {
  const uml = await bootUml()
  const on = (host: string, script: string): Promise<string> =>
    uml.run(`ip netns exec ${host} bash -e <<'END'\n${script}\nEND`)
  await uml.run(`
    set -e
    ip netns add router
    ip -n router link set lo up
    for net in 1 2; do
      ip -n router link add net$net type bridge
      ip -n router addr add 10.$net.0.1/24 dev net$net
      ip -n router link set net$net up
    done
    ip netns exec router sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0
    ${Object.entries(HOSTS)
      .map(
        ([name, { net, address, inside }]) => `
    ip netns add ${name}
    ip link add eth0 netns ${name} type veth peer name ${name}0 netns router
    ip -n router link set ${name}0 master net${net} up
    ip -n ${name} link set lo up
    ip -n ${name} link add docker0 type dummy
    ip -n ${name} addr add ${inside}/24 dev docker0
    ip -n ${name} link set docker0 up
    ip -n ${name} addr add ${address}/24 dev eth0
    ip -n ${name} link set eth0 up
    ip -n ${name} route add default via 10.${net}.0.1`,
      )
      .join('')}`)
  return {
    ...uml,
    on,
    async linnet(host, more) {
      const peers = Object.entries(HOSTS).flatMap(([name, { address }]) =>
        name === host
          ? []
          : [`  - { name: ${name}, address: ${address}, asn: 65000, connectRetry: 1s }`],
      )
      const config = uml.write(
        `${host}.yaml`,
        `asn: 65000\nrouterId: ${HOSTS[host].address}\npeers:\n${peers.join('\n')}\nadvertise: { interfaces: [docker0] }\napi: { socket: /run/${host}.sock }\nlog: { format: json }\n${more}\n`,
      )
      await uml.run(
        `ip netns exec ${host} node dist/main.js run -c ${config} </dev/null >/mnt/share/${host}.log 2>&1 & echo $! >/run/${host}.pid`,
      )
      await until(
        `linnet runs on ${host}`,
        () => uml.log(`${host}.log`).includes('DaemonStarted'),
        WAITS_MS,
      )
    },
    async bird(host, protocols) {
      const config = uml.write(`${host}.conf`, `router id ${HOSTS[host].address};\n${protocols}\n`)
      await on(host, `bird -c ${config} -s /run/${host}.ctl -P /run/${host}.pid`)
    },
    log: (host) => uml.log(`${host}.log`),
    until: (what, holds) => until(what, holds, WAITS_MS),
    async pings(from, to) {
      const target = isHost(to) ? HOSTS[to].inside : to
      const output = await on(
        from,
        `busybox ping -c 3 -i 0.1 -W 1 -I ${HOSTS[from].inside} ${target} || true`,
      )
      return Number(/(\d+) packets received/.exec(output)?.[1] ?? 0)
    },
  }
}

const isHost = (text: string): text is Host => text in HOSTS
