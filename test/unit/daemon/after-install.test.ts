/** `announce: afterInstall`: what a peer hears while routes are on their way to the kernel. */
import { expect, test } from 'vitest'
import { Events } from '../../../src/daemon/events.ts'
import { UpdateGroups } from '../../../src/daemon/update-groups.ts'
import type { FibRoute } from '../../../src/fib/fib.ts'
import { IPV4 } from '../../../src/net/family.ts'
import { prefix } from '../../../src/net/prefix.ts'
import type { AddPathMode } from '../../../src/rib/update-group-options.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { updateAsText } from '../../support/update-text.ts'
import { eachUpdate } from '../rib/reading.ts'
import { OWN_ASN, OWN_ROUTER_ID, SmallRib } from '../rib/small-rib.ts'
import { HEARING } from './hearings.ts'

const P = '192.0.2.0/24'
const END_OF_RIB = 'end of rib'

/** A RIB, one peer that hears of it, and a FIB that says what the test wants. */
function stage(addPath: AddPathMode) {
  const rib = new SmallRib()
  const states = new Map<number, FibRoute['state']>()
  const clock = new FakeClock()
  const groups = new UpdateGroups(rib.rib, OWN_ROUTER_ID, {
    events: new Events(clock),
    clock,
    localOrigin: () => undefined,
    isSummarized: () => false,
    isRestarting: () => false,
    fib: () => ({
      stateOf: (_family, id) => states.get(id),
      pending: () => [...states.values()].filter((it) => it === 'pending').length,
    }),
  })
  const { group, member } = groups.join(rib.peer('hearer', { address: '10.0.0.50' }).peer, {
    ...HEARING,
    addPath,
    afterInstall: true,
  })
  const [a, b] = ['10.0.0.60', '10.0.0.61'].map((it, i) =>
    rib.peer(it, { address: it, routerId: i + 1 }),
  )
  /** `+192.0.2.0/24 65001 7`, `-192.0.2.0/24`, `end of rib`: what is heard now. */
  const heard = (): string[] => {
    rib.settle()
    const messages: Uint8Array[] = []
    for (let i = 0; i < 4; i++) group.pull(member, 1 << 16, messages)
    const session = {
      external: true,
      fourOctetAs: true,
      addPath: addPath === 'off' ? [] : [IPV4.name],
    }
    const bare = (it: string): string => it.replace(/#.*/, '')
    const told: string[] = []
    for (const chunk of messages) {
      eachUpdate(chunk, (start, end) => {
        const {
          endOfRib,
          announce = [],
          withdraw = [],
          set,
        } = updateAsText(chunk, start, end, session)
        if (endOfRib !== undefined) told.push(END_OF_RIB)
        told.push(...withdraw.map((it) => `-${bare(it)}`))
        told.push(...announce.map((it) => `+${bare(it)} ${set?.asPath}`))
      })
    }
    return told
  }
  const kernel = (state: FibRoute['state'] | undefined): void => {
    const id = rib.rib.families[0].prefixes.findPrefix(prefix(P))
    if (state === undefined) states.delete(id)
    else states.set(id, state)
    if (state !== 'pending' && state !== 'stale') groups.settled(0, id)
  }
  const offer = (from: typeof a, asPath: string): void => {
    from.send({ announce: [P], set: { asPath, nextHop: from.name } })
    rib.settle()
  }
  return { rib, a, b, heard, kernel, offer }
}

test.each<AddPathMode>(['off', 'best', 'all'])('with addPath %s', (addPath) => {
  const { a, b, heard, kernel, offer, rib } = stage(addPath)
  expect(heard()).toEqual([END_OF_RIB])
  offer(a, '65001 7 8')
  kernel('pending')
  expect(heard()).toEqual([])
  kernel('installed')
  expect(heard()).toEqual([`+${P} ${OWN_ASN} 65001 7 8`])
  // Another is better now; until the kernel has that, what is told stays.
  offer(b, '65001 7')
  kernel('pending')
  expect(heard()).toEqual([])
  kernel('installed')
  expect(heard()).toContain(`+${P} ${OWN_ASN} 65001 7`)
  // The kernel refuses: nobody shall send packets here.
  kernel('failed')
  expect([...new Set(heard())]).toEqual([`-${P}`])
  kernel('installed')
  expect(heard()).toContain(`+${P} ${OWN_ASN} 65001 7`)
  // Withdrawn is withdrawn, whatever the kernel has still to do.
  a.send({ withdraw: [P] })
  b.send({ withdraw: [P] })
  kernel('pending')
  expect([...new Set(heard())]).toEqual([`-${P}`])
  // Our own are told at once.
  rib.announceOwn('203.0.113.0/24', {})
  expect(heard()).toEqual([`+203.0.113.0/24 ${OWN_ASN}`])
})

test('what the kernel may not have is not told, and what waits is part of the table', () => {
  const { a, heard, kernel, offer } = stage('off')
  offer(a, '65001')
  kernel('pending')
  expect(heard()).toEqual([])
  kernel('stale') // of an earlier run, on its way elsewhere
  expect(heard()).toEqual([END_OF_RIB])
  kernel(undefined)
  expect(heard()).toEqual([])
})
