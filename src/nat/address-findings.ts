/** What stands in the way by addresses and links, whatever the rules say. */
import { covers, type Prefix } from '../net/prefix.ts'
import type { Finding, Kernel } from './finding.ts'
import type { DockerNetwork } from './docker-network.ts'
import type { Host } from './docker-reach.ts'

/** What Docker gives docker0 when nobody tells it otherwise. */
const STOCK = '172.17.0.0/16'

/** Of two networks with the same addresses one is invisible to the other. */
export function addressFindings({ networks, pools }: Host, kernel: Kernel): Finding[] {
  return networks.flatMap((network) =>
    network.subnets
      .filter((subnet) => pools.some((pool) => covers(pool, subnet)) && !network.internal)
      .flatMap((subnet) => {
        const text =
          twin(subnet, kernel) ?? stock(network, subnet) ?? onLink(network, subnet, kernel)
        if (text === undefined) return []
        const setting = otherAddresses(network, subnet)
        return [
          { severity: 'problem' as const, networks: [network.name], rules: [], text, setting },
        ]
      }),
  )
}

function twin(subnet: Prefix, { learned }: Kernel): string | undefined {
  // A route for the whole pool holds this subnet as well; one that is as long or longer claims it.
  const other = learned.find(({ prefix }) => covers(subnet, prefix))
  if (other === undefined) return undefined
  return `another host announces ${other.prefix.text}, which lies in ${subnet.text} of this network: neither sees all of the other's`
}

const stock = ({ bridge }: DockerNetwork, subnet: Prefix): string | undefined =>
  bridge === 'docker0' && subnet.text === STOCK
    ? `every Docker host has ${STOCK} for docker0 unless told otherwise: two that announce it don't see each other`
    : undefined

/** Whoever is on the link looks for its containers there (ARP, neighbour discovery) instead of routing to them. */
function onLink(
  { bridge, driver }: DockerNetwork,
  subnet: Prefix,
  kernel: Kernel,
): string | undefined {
  if (driver !== 'bridge') return undefined
  const around = kernel.connected.find(
    ({ prefix, link }) => link !== bridge && prefix.length > 0 && covers(prefix, subnet),
  )
  if (around === undefined || answersFor(around.link, subnet, kernel)) return undefined
  return `${subnet.text} lies inside ${around.prefix.text}, the network of ${around.link}: who is on that link asks there for its containers, and nobody answers`
}

const answersFor = (link: string, { family }: Prefix, { sysctl }: Kernel): boolean =>
  sysctl(
    family === 'ipv4'
      ? `net.ipv4.conf.${asName(link)}.proxy_arp`
      : `net.ipv6.conf.${asName(link)}.proxy_ndp`,
  ) === '1'

function otherAddresses({ bridge, name }: DockerNetwork, { family }: Prefix): string {
  if (bridge !== 'docker0')
    return `addresses of this host's own: docker network rm ${name}, and create it with another --subnet`
  return family === 'ipv4'
    ? '"bip": "10.77.1.1/24" in /etc/docker/daemon.json, another block on each host, and restart Docker'
    : '"fixed-cidr-v6" in /etc/docker/daemon.json, another block on each host, and restart Docker'
}

export function linkFindings({ others }: Host, { sysctl }: Kernel): Finding[] {
  const links = [...new Set(others.map(({ link }) => link))]
  return links.flatMap((link) => [
    ...(links.length > 1 ? strictReversePath(link, sysctl) : []),
    ...(others.some((it) => it.link === link && it.address.family === 'ipv6')
      ? deafToRouters(link, sysctl)
      : []),
  ])
}

function strictReversePath(link: string, sysctl: Kernel['sysctl']): Finding[] {
  const own = `net.ipv4.conf.${asName(link)}.rp_filter`
  const values = [sysctl(own), sysctl('net.ipv4.conf.all.rp_filter')]
  if (Math.max(...values.map((it) => Number(it ?? 0))) !== 1) return []
  const text = `${link} drops packets whose way back leads over another link, and several lead to other hosts`
  return [{ severity: 'problem', networks: [], rules: [], text, command: `sysctl -w ${own}=2` }]
}

function deafToRouters(link: string, sysctl: Kernel['sysctl']): Finding[] {
  const name = `net.ipv6.conf.${asName(link)}.accept_ra`
  if (sysctl('net.ipv6.conf.all.forwarding') !== '1' || sysctl(name) !== '1') return []
  const text = `a host that forwards IPv6 hears no router any more: a default route that ${link} has from one runs out`
  return [{ severity: 'note', networks: [], rules: [], text, command: `sysctl -w ${name}=2` }]
}

const asName = (link: string): string => link.replaceAll('.', '/')
