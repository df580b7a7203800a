/**
 * BIRD and FRR that die and come back, with graceful restart: linnet keeps their routes meanwhile, passes them
 * on as if nothing had happened, and drops what does not come again.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { RouteRow } from '../../src/control/rows.ts'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { eventually } from '../support/eventually.ts'
import { Chain, type Side } from './chain.ts'

const STAYS = '198.51.100.0/24'
const GOES = '203.0.113.0/24'

/** Each announces both prefixes of its file at the start; `GOES` is taken out of it before the second run. */
const FRR_ROUTES = [
  ...['address-family ipv4 unicast', ` network ${STAYS}`, ` network ${GOES}`],
  'exit-address-family',
]

let chain: Chain
beforeAll(async () => {
  chain = await Chain.open({
    linnetAsn: 65001,
    peers: { gracefulRestart: { restartTime: '60s' } },
    left: {
      daemon: bird,
      asn: 65002,
      words: { neighbor: ['graceful restart on; graceful restart time 60;'] },
    },
    right: {
      daemon: frr,
      asn: 65003,
      words: {
        own: ['bgp graceful-restart preserve-fw-state', ...FRR_ROUTES],
        neighbor: ['graceful-restart'],
      },
    },
  })
})
afterAll(() => chain?.close())

/** The route that linnet has from this side. */
const routeFrom = async (side: Side, prefix: string): Promise<RouteRow | undefined> =>
  (await chain.linnet.received(`${side}4`, 'ipv4')).find((row) => row.prefix === prefix)

const isFresh = (row: RouteRow | undefined): boolean => row !== undefined && !row.stale

/** Writes a file of the host anew without the line that announces `GOES`. */
async function forgetRoute(side: Side, file: string): Promise<void> {
  const expression = `/${GOES.replaceAll('/', '\\/')}/d`
  await chain.host(side).run('sed', '-i', expression, file)
}

interface Return {
  readonly side: Side
  announce(): Promise<void>
  comeBack(): Promise<void>
}

const RETURNS: readonly (readonly [string, Return])[] = [
  [
    'BIRD',
    {
      side: 'left',
      announce: async () => {
        const host = chain.host('left')
        host.write(
          'more.conf',
          `protocol static more { ipv4;\nroute ${STAYS} unreachable;\nroute ${GOES} unreachable;\n}\n`,
        )
        const export4 = 's/export filter announced/export where source = RTS_STATIC/'
        await host.run('sed', '-i', export4, '/run/bird.conf')
        await host.run('sh', '-c', 'echo \'include "/run/more.conf";\' >>/run/bird.conf')
        await host.run('birdc', '-s', '/run/bird.ctl', 'configure')
      },
      comeBack: async () => {
        await forgetRoute('left', '/run/more.conf')
        const files = ['-c', '/run/bird.conf', '-s', '/run/bird.ctl']
        await chain.host('left').start('bird', ['-f', '-R', ...files])
      },
    },
  ],
  [
    'FRR',
    {
      side: 'right',
      announce: () => Promise.resolve(),
      comeBack: async () => {
        await forgetRoute('right', '/run/frr/bgpd.conf')
        const host = chain.host('right')
        for (const name of ['zebra', 'bgpd']) {
          const sockets = [
            '--vty_socket',
            '/run/frr',
            '-z',
            '/run/frr/zserv.api',
            '-A',
            '127.0.0.1',
          ]
          const files = ['-f', `/run/frr/${name}.conf`, '-i', `/run/frr/${name}.pid`]
          await host.start(`/usr/lib/frr/${name}`, [...sockets, ...files])
        }
      },
    },
  ],
]

describe.each(RETURNS)('%s dies', (_, { side, announce, comeBack }) => {
  const name = `${side}4`
  test('its routes stay in use, as stale', async () => {
    await announce()
    for (const prefix of [STAYS, GOES]) {
      await eventually(`${prefix} has come`, () => routeFrom(side, prefix), isFresh)
    }
    await chain[side].kill()
    await eventually(
      'the session is over',
      () => chain.linnet.isEstablished(name),
      (it) => !it,
    )
    for (const prefix of [STAYS, GOES]) {
      const row = await eventually(`${prefix} is stale`, () => routeFrom(side, prefix), Boolean)
      expect(row).toMatchObject({ stale: true, valid: true })
    }
  })

  test('it comes back: what it announces again stays, the rest goes', async () => {
    const seen: boolean[] = []
    await comeBack()
    await eventually(
      `${STAYS} is fresh again`,
      async () => {
        const row = await routeFrom(side, STAYS)
        seen.push(row !== undefined)
        return row
      },
      isFresh,
      { deadlineMs: 30_000 },
    )
    expect(seen).not.toContain(false)
    await eventually(
      `${GOES} is gone`,
      () => routeFrom(side, GOES),
      (it) => it === undefined,
      {
        deadlineMs: 30_000,
      },
    )
    expect((await chain.linnet.peer(name)).state).toBe('Established')
  })
})
