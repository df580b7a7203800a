/**
 * Docker as it comes: it masquerades what leaves the host and drops what comes from elsewhere. What
 * docs/docker.md says about that, held against the real thing.
 *
 * The tests are one story and depend on their order.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { CONTAINERS, openFabric, startTor, type Fabric } from '../support/docker-fabric.ts'
import { until } from '../support/until.ts'

const HOST1 = '10.0.1.2'
const HOST2_DOCKER0 = '10.77.2.1'
const TOR = '10.0.1.1'
const NAT = `nat: { pools: [${CONTAINERS}] }`
const LET_IN = `iptables -I DOCKER-USER -i eth0 -s ${CONTAINERS} -d ${CONTAINERS} -j ACCEPT`

describe('Docker with its default settings', () => {
  let fabric: Fabric

  beforeAll(async () => {
    fabric = await openFabric({})
    const { 1: host1, 2: host2 } = fabric.hosts
    await Promise.all([startTor(fabric), host1.startLinnet(), host2.startLinnet()])
    await until(
      'both know the other',
      async () => {
        const learned = [...(await host1.learned()), ...(await host2.learned())]
        return learned.join() === '10.77.2.0/24,10.77.1.0/24'
      },
      15_000,
    )
    expect(await host1.runContainer('web')).toBe('10.77.1.2')
    expect(await host2.runContainer('web')).toBe('10.77.2.2')
    await host2.serve(HOST2_DOCKER0)
    await fabric.box.start('tor', [
      'busybox',
      'httpd',
      '-f',
      '-p',
      `${TOR}:80`,
      '-h',
      '/run/image/www',
    ])
  })
  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.log(fabric.words())
  })
  afterAll(() => fabric?.close())

  /** How host 2 itself, which lets everybody in, sees the container of host 1. */
  const isSeenAs = async (address: string): Promise<boolean> =>
    (await fabric.hosts[1].addressSeenBy(HOST2_DOCKER0, 'web')) === address

  test('hides a container behind its host', async () => {
    expect(await isSeenAs(HOST1)).toBe(true)
  })

  test('lets nobody in', async () => {
    const asked = fabric.hosts[1].addressSeenBy('10.77.2.2', 'web')
    await expect(asked).rejects.toThrow('exited with code 143') // by the timeout
  })

  test('is seen through by the doctor, who names who decides and what helps', async () => {
    const { rows, findings } = await fabric.hosts[1].examine()
    expect(rows).toMatchObject([
      {
        network: 'bridge',
        subnet: '10.77.1.0/24',
        bridge: 'docker0',
        pooled: true,
        fromOtherHosts: 'no',
        toOtherHosts: 'hidden',
        fromOutside: 'no',
        toOutside: 'hidden',
      },
    ])
    expect(findings).toEqual([
      {
        severity: 'problem',
        networks: ['bridge'],
        text: "containers of other hosts don't get in: packets are dropped",
        rules: ['iptables, table filter: policy of FORWARD'],
        command: LET_IN,
      },
      {
        severity: 'problem',
        networks: ['bridge'],
        text: 'containers of other hosts see the address of this host instead of theirs',
        rules: ['iptables, table nat: -A POSTROUTING -s 10.77.1.0/24 ! -o docker0 -j MASQUERADE'],
        setting: `${NAT} in the configuration of linnet`,
      },
    ])
  })

  test('is told of by linnet, once it is to keep addresses (`nat`)', async () => {
    const { 1: host1, 2: host2 } = fabric.hosts
    for (const host of [host1, host2]) await host.reconfigure(NAT)
    await until('linnet has put its rules', () => isSeenAs('10.77.1.2'))
    await until(
      'linnet says what is in the way',
      async () => (await host1.warnings()).some((it) => it.includes(LET_IN)),
      30_000,
    )
  })

  test('lets containers in after what the doctor has said, and they keep their addresses', async () => {
    const { 1: host1, 2: host2 } = fabric.hosts
    for (const host of [host1, host2]) {
      const { findings } = await host.examine()
      expect(findings.map(({ setting, command }) => setting ?? command)).toEqual([LET_IN])
      await host.run('sh', '-c', findings[0]?.command ?? '')
      expect(await host.examine()).toMatchObject({ healthy: true, findings: [] })
    }
    expect(await host1.addressSeenBy('10.77.2.2', 'web')).toBe('10.77.1.2')
    expect(await host2.addressSeenBy('10.77.1.2', 'web')).toBe('10.77.2.2')
    await until(
      'linnet has nothing to warn of any more',
      async () => (await host1.warnings()).every((it) => !it.includes('iptables')),
      30_000,
    )
  })

  test('keeps them when somebody has flushed all rules of nftables', async () => {
    const { 1: host1 } = fabric.hosts
    await host1.run('nft', 'delete', 'table', 'inet', 'linnet')
    expect(await isSeenAs(HOST1)).toBe(true)
    await until('linnet has put its rules back', () => isSeenAs('10.77.1.2'), 30_000)
  })

  test('goes on to masquerade what leaves for elsewhere', async () => {
    expect(await fabric.hosts[1].addressSeenBy(TOR, 'web')).toBe(HOST1)
  })

  test('keeps addresses in a network created later, whose own rule comes first among Docker’s', async () => {
    const { 1: host1, 2: host2 } = fabric.hosts
    await host1.docker('network', 'create', 'blue')
    const address = await host1.runContainer('blue', '--network=blue')
    await until('host 2 knows it', async () => (await host2.learned()).includes('10.78.1.0/28'))
    const rules = await host1.run('iptables', '-t', 'nat', '-S', 'POSTROUTING')
    expect(rules.split('\n')[1]).toMatch(/^-A POSTROUTING -s 10\.78\.1\.0\/28 .* -j MASQUERADE$/)
    expect(await host1.addressSeenBy('10.77.2.2', 'blue')).toBe(address)
    expect(await host2.addressSeenBy(address, 'web')).toBe('10.77.2.2')
  })

  test('keeps them when it starts again, and writes all of its rules anew', async () => {
    const { 1: host1, 2: host2 } = fabric.hosts
    await host1.docker('kill', 'web', 'blue') // they take no SIGTERM, for which Docker would wait
    await host1.stopDocker()
    await host1.run('iptables', '-t', 'nat', '-F')
    await host1.startDocker()
    await host1.docker('start', 'web', 'blue')
    expect(await host1.run('iptables', '-t', 'nat', '-S')).toContain('-j MASQUERADE')
    await until(
      'host 2 knows the way',
      async () => {
        return (await host2.learned()).join() === '10.77.1.0/24,10.78.1.0/28'
      },
      15_000,
    )
    for (const container of ['web', 'blue']) {
      const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}'
      const address = await host1.docker('inspect', `--format=${format}`, container)
      expect(await host1.addressSeenBy('10.77.2.2', container)).toBe(address)
      expect(await host2.addressSeenBy(address, 'web')).toBe('10.77.2.2')
    }
    expect(await host1.addressSeenBy(TOR, 'web')).toBe(HOST1)
    expect((await host1.examine()).healthy).toBe(true)
  })

  test('hides containers again once linnet is told to let go', async () => {
    const { 1: host1 } = fabric.hosts
    await host1.reconfigure('')
    await until('the container is hidden', () => isSeenAs(HOST1))
    expect(await host1.run('nft', 'list', 'tables')).not.toContain('linnet')
  })
})
