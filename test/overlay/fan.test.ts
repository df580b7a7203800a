/**
 * Fan on a kernel that has IP-in-IP and knows nothing of Fan: widths that are no whole bytes, an overlay of class E, hosts
 * in two networks. b is a BIRD that announces what belongs to a.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { buildFabric, type Fabric } from './fabric.ts'

/** The hosts are 10.1.0.11 and 10.2.0.13: 18 bits of each, behind 240/8. */
const FAN = `overlay:
  mode: fan
  fan: { overlay: 240.0.0.0/8, underlay: 10.0.0.0/14, bridge: true }
kernel: { onStop: remove }`
const [SLICE_A, BRIDGE_A, INSIDE_A] = ['240.64.2.192/26', 'fan-f04002c0', '240.64.2.193']
const [SLICE_C, BRIDGE_C, INSIDE_C] = ['240.128.3.64/26', 'fan-f0800340', '240.128.3.65']

/** Of d and c, who are neighbours: 8 bits of each, behind 100.64/10. */
const STATIC = `overlay:
  mode: fan
  fan: { overlay: 100.64.0.0/10, underlay: 10.2.0.0/24, learn: static, bridge: br-fan }
kernel: { onStop: remove }`
const [STATIC_D, STATIC_C] = ['100.67.128.1', '100.67.64.1']

const THIEF = `
protocol device {}
protocol static { ipv4; route ${SLICE_A} blackhole; }
protocol bgp c {
  local as 65000; neighbor 10.2.0.13 as 65000; connect retry time 1;
  ipv4 { import none; export all; next hop self; };
}`

let fabric: Fabric
beforeAll(async () => {
  fabric = await buildFabric()
  await fabric.bird('b', THIEF)
  await fabric.linnet('a', FAN)
  await fabric.linnet('c', FAN)
  await fabric.linnet('d', STATIC)
}, 120_000)
afterAll(() => fabric.close())

const ping = (from: string, to: string) => `busybox ping -c 3 -i 0.1 -W 1 -I ${from} ${to}`
/** What went by the wire of `a` while `script` ran. */
const wire = async (script: string): Promise<string> =>
  fabric.on(
    'a',
    `tcpdump -nni eth0 --immediate-mode -U -w /run/a.pcap 'ip proto 4' 2>/run/tcpdump & pid=$!
     until grep -q listening /run/tcpdump; do :; done
     ${script}
     kill $pid; wait $pid || true; tcpdump -nnr /run/a.pcap 2>/dev/null`,
  )

test('each host has its slice, on a bridge that is called after it', async () => {
  const address = async (host: 'a' | 'c', bridge: string) =>
    fabric.on(host, `ip -4 -br addr show dev ${bridge}; ip link show dev ${bridge}`)
  await fabric.until('there are bridges', async () =>
    (await fabric.on('a', `ip -4 -br addr show`)).includes(BRIDGE_A),
  )
  expect(await address('a', BRIDGE_A)).toContain(`${INSIDE_A}/26`)
  expect(await address('c', BRIDGE_C)).toContain(`${INSIDE_C}/26`)
  expect(await address('a', BRIDGE_A)).toContain('mtu 1480')
})

test('slices reach one another wrapped in protocol 4, between the hosts that they belong to', async () => {
  await fabric.until('a knows of the slice of c', async () =>
    (await fabric.on('a', 'ip route show proto 179')).includes(SLICE_C),
  )
  const seen = await wire(ping(INSIDE_A, INSIDE_C))
  const outer = 'IP 10.1.0.11 > 10.2.0.13'
  expect(seen).toContain(`${outer}: IP ${INSIDE_A} > ${INSIDE_C}: ICMP echo request`)
  expect(seen).toContain(`IP 10.2.0.13 > 10.1.0.11: IP ${INSIDE_C} > ${INSIDE_A}: ICMP echo reply`)
})

test('the host itself sends from the address of its bridge', async () => {
  expect(await fabric.on('a', `ip route get ${INSIDE_C}`)).toContain(`src ${INSIDE_A}`)
})

test('a slice that another host announces is refused, and both are named', async () => {
  await fabric.until('c has heard of it', () => fabric.log('c').includes('FanRefused'))
  expect(fabric.log('c')).toMatch(
    /refused 240\.64\.2\.192\/26 by 10\.1\.0\.12: by the address plan it belongs to 10\.1\.0\.11/,
  )
  expect(await fabric.on('c', `ip nexthop; ip route get ${INSIDE_A}`)).not.toContain('10.1.0.12')
})

test('what no host has is unreachable: it does not leave by the default route', async () => {
  // EHOSTUNREACH, as of an unreachable route; without any route it would be "Network is unreachable".
  expect(await fabric.on('a', 'ip route get 240.1.2.3 2>&1 || true')).toContain('No route to host')
})

test('without anybody to ask, each slice has a route to the host that the address plan says', async () => {
  await fabric.until('d has a route for each host', async () => {
    const routes = await fabric.on('d', 'ip route show proto 179 root 100.64.0.0/10 | wc -l')
    return Number(routes) >= 254
  })
  await fabric.on(
    'c',
    `ip addr add ${STATIC_C}/18 dev docker0
     ip route add 100.67.128.0/18 encap ip id 0 dst 10.2.0.14 dev linnet-fan via 10.2.0.14 onlink src ${STATIC_C}`,
  )
  expect(await fabric.on('d', ping(STATIC_D, STATIC_C))).toContain('3 packets received')
  expect(await fabric.on('d', `ip route get ${STATIC_C}`)).toContain('dev linnet-fan')
})

test('what was made goes when linnet goes; a bridge that has a name of its own stays', async () => {
  for (const [host, gone, stays] of [
    ['a', BRIDGE_A, 'docker0'],
    ['d', 'linnet-fan', 'br-fan'],
  ] as const) {
    await fabric.on(host, `kill $(cat /run/${host}.pid)`)
    const links = () => fabric.on(host, 'ip -br link')
    await fabric.until(`${host} is rid of it`, async () => !(await links()).includes(gone))
    expect(await links()).toContain(stays)
  }
})
