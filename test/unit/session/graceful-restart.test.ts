import { describe, expect, test } from 'vitest'
import {
  restartCapabilities,
  restartTerms,
  retains,
  type RestartOffer,
  type RestartTerms,
} from '../../../src/session/graceful-restart.ts'
import type { LastError } from '../../../src/session/last-error.ts'
import type { Capability } from '../../../src/wire/capabilities/index.ts'
import { BFD_DOWN, HARD_RESET } from '../../../src/wire/constants.ts'

const IPV4 = { afi: 1, safi: 1 }
const IPV6 = { afi: 2, safi: 1 }

const offer: RestartOffer = {
  restartTimeSeconds: 120,
  now: () => ({ restarting: false, preserved: [] }),
}

const theirs = (more: object = {}): Capability => ({
  name: 'graceful-restart',
  restarting: false,
  notification: true,
  restartTimeSeconds: 60,
  families: [
    { ...IPV4, forwardingPreserved: true },
    { ...IPV6, forwardingPreserved: false },
  ],
  ...more,
})

describe('what our OPEN says', () => {
  test('the families that have been forwarded all the time, and whether we have restarted', () => {
    const [short, ...more] = restartCapabilities(['ipv4', 'ipv6'], {
      ...offer,
      now: () => ({ restarting: true, preserved: ['ipv6'] }),
    })
    expect(more).toEqual([])
    expect(short).toEqual({
      name: 'graceful-restart',
      restarting: true,
      notification: true,
      restartTimeSeconds: 120,
      families: [
        { ...IPV4, forwardingPreserved: false },
        { ...IPV6, forwardingPreserved: true },
      ],
    })
  })

  test('how long routes may live on, where that is wanted', () => {
    const capabilities = restartCapabilities(['ipv4'], {
      ...offer,
      longLivedStaleSeconds: 3600,
      now: () => ({ restarting: false, preserved: ['ipv4'] }),
    })
    expect(capabilities[1]).toEqual({
      name: 'long-lived-graceful-restart',
      families: [{ ...IPV4, forwardingPreserved: true, staleTimeSeconds: 3600 }],
    })
  })
})

describe('what is agreed on', () => {
  const families = ['ipv4', 'ipv6'] as const

  test('nothing, unless both sides offer it', () => {
    expect(restartTerms(undefined, families, [theirs()])).toBeUndefined()
    expect(restartTerms(offer, families, [])).toBeUndefined()
  })

  test('by family, of those of the session', () => {
    const terms = restartTerms(offer, ['ipv4'], [theirs({ restarting: true })])
    expect(terms).toEqual({
      restarting: true,
      notification: true,
      restartTimeSeconds: 60,
      longLived: false,
      families: [{ family: 'ipv4', forwardingPreserved: true, longLivedStaleSeconds: 0 }],
    })
  })

  test.each([
    [100, 7200, 100],
    [7200, 100, 100],
    [undefined, 100, 0],
    [100, undefined, 0],
  ])('long-lived: ours %s s, theirs %s s: %i s', (ours, staleTimeSeconds, seconds) => {
    const long: Capability[] =
      staleTimeSeconds === undefined
        ? []
        : [
            {
              name: 'long-lived-graceful-restart',
              families: [{ ...IPV4, forwardingPreserved: false, staleTimeSeconds }],
            },
          ]
    const mine = ours === undefined ? offer : { ...offer, longLivedStaleSeconds: ours }
    const terms = restartTerms(mine, ['ipv4'], [theirs(), ...long])
    expect(terms?.families.map((it) => it.longLivedStaleSeconds)).toEqual([seconds])
    expect(terms?.longLived).toBe(staleTimeSeconds !== undefined)
  })
})

describe('the routes of a session outlive', () => {
  const plain = restartTerms(offer, ['ipv4'], [theirs({ notification: false })])
  const both = restartTerms(offer, ['ipv4'], [theirs()])
  const helperOnly = restartTerms(offer, ['ipv4'], [theirs({ families: [] })])
  const by = (direction: LastError['direction'], code: number, subcode = 0): LastError => ({
    direction,
    code,
    subcode,
    data: new Uint8Array(0),
    text: '',
    at: 0,
  })

  test.each<[string, LastError | undefined, RestartTerms | undefined, boolean]>([
    ['the loss of the connection', undefined, plain, true],
    ['but not without graceful restart', undefined, undefined, false],
    ['nor of a peer that only helps others', undefined, helperOnly, false],
    ['our hold timer', by('sent', 4), plain, true],
    ["the peer's NOTIFICATION, never", by('received', 6, 4), plain, false],
    ['that of its hold timer neither', by('received', 4), plain, false],
    ['with RFC 8538, a Cease', by('received', 6, 4), both, true],
    ["with RFC 8538, the peer's hold timer", by('received', 4), both, true],
    ['with RFC 8538, an error of its', by('sent', 3, 1), both, true],
    ['an error of its, not without', by('sent', 3, 1), plain, false],
    ['no hard reset', by('received', 6, HARD_RESET), both, false],
    ['nor one of ours', by('sent', 6, HARD_RESET), both, false],
    ['nor what BFD has found', by('sent', 6, BFD_DOWN), both, false],
  ])('%s', (_, ending, terms, outlived) => {
    expect(retains(ending, terms)).toBe(outlived)
  })
})
