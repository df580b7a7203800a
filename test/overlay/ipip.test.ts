/** IP-in-IP on a kernel that has it: real packets, seen on the wire. BIRD knows no tunnels: its hosts make them by hand. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildFabric, type Fabric } from './fabric.ts'

const OVERLAY = 'overlay: { mode: ipip, when: crossSubnet, prefixes: [10.244.0.0/16] }'

const bird = (own: string, more = '') => `
protocol device {}
protocol static { ipv4; route ${own} blackhole; ${more} }
template bgp linnet {
  local as 65000; neighbor as 65000; connect retry time 1;
  ipv4 { import none; export all; next hop self; };
}
protocol bgp a from linnet { neighbor 10.1.0.11; }
protocol bgp c from linnet { neighbor 10.2.0.13; }
`
const TUNNEL =
  'modprobe -d /run/modules ipip; ip link set tunl0 up; sysctl -qw net.ipv4.ip_forward=1'

/** Nothing wrapped to c, no long packets to d, and nobody is told. */
const IN_THE_WAY = `nft -f - <<'RULES'
  table bridge cloud {
    chain out {
      type filter hook output priority 0
      ip daddr 10.2.0.13 ip protocol 4 drop
      ip daddr 10.2.0.14 ip length > 1400 drop
    }
  }
RULES`

let fabric: Fabric
beforeAll(async () => {
  fabric = await buildFabric()
  await fabric.on('b', `${TUNNEL}; ip route add 10.244.1.0/24 via 10.1.0.11 src 10.244.2.1`)
  await fabric.on(
    'd',
    `${TUNNEL}; ip addr add 10.244.9.1/24 dev docker0
     ip route add 10.244.1.0/24 via 10.1.0.11 dev tunl0 onlink src 10.244.4.1`,
  )
  await fabric.on('c', 'ip addr add 10.244.9.1/24 dev docker0')
  await fabric.on('router', IN_THE_WAY)
  await fabric.bird('b', bird('10.244.2.0/24'))
  await fabric.bird('d', bird('10.244.4.0/24', 'route 10.244.9.0/24 blackhole;'))
  await fabric.linnet('a', OVERLAY)
  await fabric.linnet('c', `${OVERLAY}\nkernel: { onStop: remove }`)
  await fabric.until('a has all routes', async () => {
    const routes = await fabric.on('a', 'ip route show proto 179; ip nexthop')
    return (
      ['10.244.2.0', '10.244.3.0', '10.244.4.0'].every((it) => routes.includes(it)) &&
      /group \d+\/\d+ /.test(routes)
    )
  })
}, 120_000)
afterAll(() => fabric.close())

/** What left `a` by the wire while `script` ran, as tcpdump prints it. */
const wire = async (script: string, filter: string): Promise<string> =>
  fabric.on(
    'a',
    `tcpdump -nni eth0 --immediate-mode -U -w /run/a.pcap '${filter}' 2>/run/tcpdump & pid=$!
     until grep -q listening /run/tcpdump; do :; done
     ${script}
     kill $pid; wait $pid || true; tcpdump -nnr /run/a.pcap 2>/dev/null`,
  )
const ping = (to: string, from = '10.244.1.1') =>
  `busybox ping -c 3 -i 0.1 -W 1 -I ${from} ${to} >/dev/null 2>&1`

test('where the network drops wrapped packets, or long ones, is told, and when it does so no more', async () => {
  const log = () => fabric.log('a')
  await fabric.until('the blocked way is told', () => log().includes('OverlayPathBlocked'))
  await fabric.until('the narrow way is told', () => log().includes('OverlayPathNarrow'))
  const said = await fabric.on('a', 'node dist/main.js show status --socket /run/a.sock')
  expect(said).toContain(
    'packets of protocol 4 to 10.2.0.13 are not answered, others are: something on the way or a firewall there drops them (write overlay.mode: vxlan on all hosts)',
  )
  expect(said).toContain(
    'packets of protocol 4 to 10.2.0.14 are lost when they have 1500 bytes, and arrive up to 1400: write overlay.mtu: 1380,',
  )
  expect(fabric.log('c')).not.toContain('OverlayPath')
  await fabric.on('router', 'nft delete table bridge cloud')
  for (const end of ['10.2.0.13', '10.2.0.14']) {
    await fabric.until(`the way to ${end} is free`, () =>
      log().includes(`packets of protocol 4 to ${end} arrive`),
    )
  }
})

describe('crossSubnet', () => {
  test('beyond a router, packets are wrapped: protocol 4 between the hosts, inner addresses as they were', async () => {
    const seen = await wire(ping('10.244.3.1'), 'ip proto 4')
    expect(seen).toContain(
      'IP 10.1.0.11 > 10.2.0.13: IP 10.244.1.1 > 10.244.3.1: ICMP echo request',
    )
    expect(seen).toContain('IP 10.2.0.13 > 10.1.0.11: IP 10.244.3.1 > 10.244.1.1: ICMP echo reply')
  })

  test('to a neighbour they go as they are', async () => {
    const seen = await wire(ping('10.244.2.1'), 'net 10.244.2.0/24 or proto 4')
    expect(seen).toContain('IP 10.244.1.1 > 10.244.2.1: ICMP echo request')
    expect(seen).not.toContain('> 10.1.0.12: IP')
  })

  test('BIRD is at the other end', async () => {
    expect(await fabric.pings('a', 'd')).toBe(3)
  })

  test('the kernel says the same: one device, one way a next hop', async () => {
    const nextHops = await fabric.on('a', 'ip nexthop')
    expect(nextHops).toMatch(/dst 10\.2\.0\.13 .*via 10\.2\.0\.13 dev linnet-ipip .*onlink/)
    expect(nextHops).toMatch(/dst 10\.2\.0\.14 .*via 10\.2\.0\.14 dev linnet-ipip .*onlink/)
    expect(nextHops).toMatch(/via 10\.1\.0\.12 dev eth0/)
  })

  test('what two hosts announce goes through both tunnels', async () => {
    const flows = Array.from(
      { length: 32 },
      (_, i) => `route get 10.244.9.1 ipproto udp sport ${i + 1} dport 9`,
    )
    const chosen = await fabric.on(
      'a',
      `sysctl -qw net.ipv4.fib_multipath_hash_policy=1; ip -batch - <<'GET'\n${flows.join('\n')}\nGET`,
    )
    for (const end of ['10.2.0.13', '10.2.0.14']) {
      expect(chosen).toContain(`via ${end} dev linnet-ipip`)
    }
    const seen = await wire(ping('10.244.9.1'), 'ip proto 4')
    expect(seen).toMatch(/IP 10\.1\.0\.11 > 10\.2\.0\.1[34]: IP 10\.244\.1\.1 > 10\.244\.9\.1/)
  })

  test('a neighbour that is none any more is reached by the tunnel, and directly again', async () => {
    const via = (dev: string) =>
      fabric.until(`b is reached by ${dev}`, async () =>
        (await fabric.on('a', 'ip route get 10.244.2.1')).includes(`dev ${dev}`),
      )
    await fabric.on(
      'a',
      `ip addr add 10.1.0.11/32 dev eth0; ip addr del 10.1.0.11/24 dev eth0
       ip route replace 10.1.0.1 dev eth0; ip route replace default via 10.1.0.1`,
    )
    await via('linnet-ipip')
    const seen = await wire(ping('10.244.2.1'), 'ip proto 4')
    expect(seen).toContain('IP 10.1.0.11 > 10.1.0.12: IP 10.244.1.1 > 10.244.2.1')
    await fabric.on('a', 'ip addr add 10.1.0.11/24 dev eth0; ip addr del 10.1.0.11/32 dev eth0')
    await via('eth0')
  })
})

describe('the device', () => {
  test('has the MTU of the link below, less the outer header, and follows it', async () => {
    const mtu = (is: number) =>
      fabric.until(`its MTU is ${is}`, async () =>
        (await fabric.on('a', 'ip link show dev linnet-ipip')).includes(`mtu ${is} `),
      )
    await mtu(1480)
    await fabric.on('a', 'ip link set eth0 mtu 1400')
    await mtu(1380)
    await fabric.on('a', 'ip link set eth0 mtu 1500')
    await mtu(1480)
  })

  test('that vanishes under traffic lets nothing out in the clear, and is back by itself', async () => {
    const seen = await wire(
      `busybox ping -c 400 -i 0.01 -W 1 -I 10.244.1.1 10.244.3.1 >/run/pings 2>&1 & pinging=$!
       for n in 1 2 3; do
         ip link del linnet-ipip
         until ip link show dev linnet-ipip >/dev/null 2>&1; do :; done
       done
       wait $pinging || true
       until ${ping('10.244.3.1')}; do :; done`,
      'dst net 10.244.3.0/24',
    )
    expect(seen).toBe('')
  })

  test('that can not be had closes the overlay: unreachable, and said so', async () => {
    const seen = await wire(
      `until ip -d link show dev linnet-ipip | grep -q dummy; do
         ip link del linnet-ipip 2>/dev/null && ip link add linnet-ipip type dummy 2>/dev/null || true
       done
       until ip route show proto 179 | grep -q 'unreachable 10.244.3.0/24'; do :; done
       ${ping('10.244.3.1')} && exit 1
       ${ping('10.244.2.1')}`,
      'dst net 10.244.3.0/24',
    )
    expect(seen).toBe('')
    expect(fabric.log('a')).toContain('linnet-ipip is somebody else')
    const [row] = JSON.parse(
      await fabric.on(
        'a',
        'node dist/main.js show fib --json --prefix 10.244.3.0/24 --socket /run/a.sock',
      ),
    ) as { type: string }[]
    expect(row?.type).toBe('unreachable')
    await fabric.on('a', 'ip link del linnet-ipip')
    await fabric.until('it is open again', async () => (await fabric.pings('a', 'c')) === 3)
  })

  test('goes with linnet where routes go', async () => {
    await fabric.on('c', `kill $(cat /run/c.pid)`)
    await fabric.until('c has stopped', () => fabric.log('c').includes('DaemonStopped'))
    const left = await fabric.on('c', 'ip route show proto 179; ip nexthop; ip link show type ipip')
    expect(left).not.toMatch(/linnet|proto 179/)
  })
})
