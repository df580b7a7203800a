/**
 * ipvlan in the modes l3 and l3s: linnet announces the network that Docker's API names, and what then comes to
 * the host reaches the containers, though the host itself has no address and no route there. Linux is the real
 * one; the engine is two answers of its API, and the container a namespace, for neither dockerd nor ipvlan can be had
 * everywhere together.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { until } from '../support/until.ts'
import { bootUml, type Uml } from '../support/uml.ts'

const NETWORK = {
  ...{ Id: 'a'.repeat(64), Name: 'routed', Driver: 'ipvlan', Internal: false, ConfigOnly: false },
  IPAM: { Config: [{ Subnet: '10.90.0.0/24' }] },
  Options: { parent: 'eth0', ipvlan_mode: 'l3' },
  Labels: {},
}

const ENGINE = `
  require('http').createServer((request, response) => {
    response.writeHead(200)
    if (request.url.startsWith('/events')) response.flushHeaders()
    else response.end(request.url.startsWith('/networks') ? ${JSON.stringify(JSON.stringify([NETWORK]))} : '[]')
  }).listen('/run/engine.sock')
`

/** pod 10.90.0.2 = ipvlan of eth0 - host 10.0.1.2 --- 10.0.1.1 tor 10.0.9.1 */
const WIRE = `
  for node in tor host pod; do ip netns add $node; ip -n $node link set lo up; done
  ip link add eth0 netns host type veth peer name eth0 netns tor
  ip -n tor addr add 10.0.1.1/30 dev eth0; ip -n tor link set eth0 up
  ip -n host addr add 10.0.1.2/30 dev eth0; ip -n host link set eth0 up
  ip -n tor link add lan0 type bridge; ip -n tor addr add 10.0.9.1/24 dev lan0; ip -n tor link set lan0 up
`

const HOST = {
  asn: 65101,
  peers: [{ address: '10.0.1.1', asn: 65001, import: 'accept' }],
  advertise: { docker: { socket: '/run/engine.sock' } },
  api: { socket: '/run/host.sock' },
}
const TOR = {
  asn: 65001,
  peers: [{ address: '10.0.1.2', asn: 65101, import: 'accept' }],
  advertise: { interfaces: ['lan0'] },
  api: { socket: '/run/tor.sock' },
}

/** Waits until `command` succeeds inside. */
const untilDone = (command: string): Promise<void> =>
  until(
    command,
    async () => (await uml.run(`${command} && echo DONE || true`)).includes('DONE'),
    60_000,
  )

let uml: Uml
beforeAll(async () => {
  uml = await bootUml()
  await uml.run(WIRE)
  await uml.run(`node -e ${quoted(ENGINE)} >/dev/null 2>&1 & disown`)
  await untilDone('test -S /run/engine.sock')
  for (const [node, config] of Object.entries({ host: HOST, tor: TOR })) {
    const file = uml.write(`${node}.yaml`, JSON.stringify(config))
    const run = `nsenter --net=/run/netns/${node} node dist/main.js run -c ${file}`
    await uml.run(`${run} >/run/${node}.log 2>&1 & disown`)
  }
  await untilDone('ip -n tor route show proto 179 | grep -q 10.90.0.0/24')
  await untilDone('ip -n host route show proto 179 | grep -q 10.0.9.0/24')
}, 120_000)
afterAll(() => uml?.close())

test.each(['l3', 'l3s'])(
  'a container on ipvlan %s is reached, and reaches others',
  async (mode) => {
    await uml.run(`
    ip -n host link add link eth0 name pod0 type ipvlan mode ${mode}
    ip -n host link set pod0 netns pod
    ip -n pod addr add 10.90.0.2/24 dev pod0; ip -n pod link set pod0 up
    ip -n pod route add default dev pod0
  `)
    const ping = 'busybox ping -c 3 -W 2'
    expect(await uml.run(`ip netns exec tor ${ping} -I 10.0.9.1 10.90.0.2`)).toContain(
      '0% packet loss',
    )
    expect(await uml.run(`ip netns exec pod ${ping} 10.0.9.1`)).toContain('0% packet loss')
    await uml.run('ip -n pod link del pod0')
  },
)

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
