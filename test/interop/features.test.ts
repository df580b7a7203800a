/** Features that both BIRD and FRR have: BIRD - linnet - FRR, every one of them switched on. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bird } from '../support/daemons/bird.ts'
import { frr } from '../support/daemons/frr.ts'
import { byPrefix, route } from '../support/daemons/route.ts'
import { eventually, eventuallyEqual } from '../support/eventually.ts'
import { Chain, linnetSeenFrom, linnetTowards } from './chain.ts'

const LINNET_ASN = 65001
const BIRD_ASN = 65002
const FRR_ASN = 65003
const SOME_ROUTE = { left: '10.204.1.0/24', right: '10.204.2.0/24' } as const

let chain: Chain
beforeAll(async () => {
  chain = await Chain.open({
    linnetAsn: LINNET_ASN,
    left: { daemon: bird, asn: BIRD_ASN },
    right: { daemon: frr, asn: FRR_ASN },
    daemons: { extendedMessages: true },
    peers: { enhancedRouteRefresh: true },
  })
  for (const side of ['left', 'right'] as const) {
    await chain[side].originate([route({ prefix: SOME_ROUTE[side] })])
    await eventually(
      `a route from ${side}`,
      () => chain.linnet.received(`${side}4`, 'ipv4'),
      (rows) => rows.length === 1,
    )
  }
})
afterAll(() => chain?.close())

describe.for([
  { daemon: 'BIRD', side: 'left', peer: 'left4' },
  // FRR 8 marks its routes only for those who offer graceful restart, as we do.
  { daemon: 'FRR', side: 'right', peer: 'right4' },
] as const)('$daemon', ({ side, peer }) => {
  test('uses what we offer', async () => {
    const { capabilities } = await chain.linnet.peer(peer)
    expect(capabilities).toEqual(
      expect.arrayContaining(['route-refresh', 'enhanced-route-refresh', 'extended-message']),
    )
  })

  test('a refresh between marks, whoever asks for it (RFC 7313)', async () => {
    const before = await chain.linnet.peer(peer)
    await chain[side].refresh(linnetSeenFrom(side, LINNET_ASN, 'ipv4'), 'ipv4')
    await eventually(
      'a request came, a beginning and an end went out',
      () => chain.linnet.peer(peer),
      (now) =>
        now.messagesReceived.routeRefresh === before.messagesReceived.routeRefresh + 1 &&
        now.messagesSent.routeRefresh === before.messagesSent.routeRefresh + 2,
    )
    await chain.linnet.command('refresh', peer, '--in')
    await eventually(
      'a request went out, its route came again, with its marks',
      () => chain.linnet.peer(peer),
      (now) =>
        now.messagesReceived.routeRefresh === before.messagesReceived.routeRefresh + 1 + 2 &&
        now.messagesSent.routeRefresh === before.messagesSent.routeRefresh + 3 &&
        now.messagesReceived.update > before.messagesReceived.update,
    )
    expect(await chain.linnet.received(peer, 'ipv4')).toHaveLength(1)
    expect((await chain.linnet.peer(peer)).state).toBe('Established')
  })
})

test('FRR tells its name, which show peer has', async () => {
  expect((await chain.linnet.peer('right4')).hostname).toBe('peer')
  expect(await chain.linnet.command('show', 'peer', 'right4')).toMatch(/^host name +peer$/m)
  expect((await chain.linnet.peer('left4')).hostname).toBeNull()
})

test('a route whose attributes fit into no message of 4096 bytes goes from BIRD to FRR (RFC 8654)', async () => {
  const large = route({
    prefix: '10.203.1.0/24',
    // FRR shows no more than some 4000 characters of a list.
    communities: [...Array(350).keys()].map((n) => `65002:${n}`),
    largeCommunities: [...Array(250).keys()].map((n) => `65002:1:${n}`),
  })
  const small = route({ prefix: '10.203.2.0/24', communities: ['65002:1'] })
  await chain.left.originate([large, small])
  await eventuallyEqual(
    'both in the table of FRR',
    () => chain.right.table(linnetSeenFrom('right', LINNET_ASN, 'ipv4'), 'ipv4'),
    byPrefix([large, small]).map((it) => ({
      ...it,
      nextHop: linnetTowards('right', 'ipv4'),
      asPath: `${LINNET_ASN} ${BIRD_ASN}`,
      med: null,
    })),
  )
})
