import { describe, expect, test } from 'vitest'
import { LinkSearch } from '../../../src/daemon/link-search.ts'
import { address } from '../../../src/net/address.ts'
import type { Address } from '../../../src/net/address.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { MemoryHost } from '../../support/memory-host.ts'

const ONE = address('fe80::1%eth1')
const OTHER = address('fe80::9%eth1')

/** A host with eth1, and what was told to a peer that is searched for there. */
function stage(
  prepare: (host: MemoryHost) => void = (host) => host.link('eth1').address('eth1', 'fe80::2/64'),
) {
  const host = new MemoryHost().link('lo', { loopback: true })
  prepare(host)
  const clock = new FakeClock()
  const told: string[] = []
  const peer = {
    busy: false,
    found: (it: Address) => void told.push(`found ${it.text}`),
    lost: (why: string) => void told.push(`lost: ${why}`),
  }
  const links: string[] = []
  let hear: (router: Address) => void = () => {}
  let announced = 0
  const discovery = {
    open: ({ name, index }: { name: string; index: number }, heard: (router: Address) => void) => {
      links.push(`open ${name} ${index}`)
      hear = heard
      return { announce: () => void announced++, close: () => void links.push(`close ${index}`) }
    },
  }
  const search = new LinkSearch('eth1', peer, {
    discovery,
    host,
    clock,
    warn: (text) => void told.push(text.slice(0, 61)),
  })
  const change = (make: (host: MemoryHost) => void): void => {
    make(host)
    search.linksChanged()
  }
  const news = (): string[] => told.splice(0)
  return {
    host,
    clock,
    peer,
    search,
    links,
    change,
    news,
    hear: (it: Address) => hear(it),
    announced: () => announced,
  }
}

describe('a neighbour on a link', () => {
  test('is who is heard there', () => {
    const it = stage()
    expect(it.news()).toEqual(['lost: no router heard on eth1 yet'])
    it.hear(ONE)
    it.hear(ONE)
    expect(it.news()).toEqual(['found fe80::1%eth1'])
    expect(it.announced()).toBe(1)
  })

  const obstacles: readonly [what: string, prepare: (host: MemoryHost) => void, why: string][] = [
    ['there is none', () => {}, 'there is no link eth1'],
    ['it is down', (host) => host.link('eth1', { up: false }), 'eth1 is down'],
    ['it has no carrier', (host) => host.link('eth1', { carrier: false }), 'eth1 has no carrier'],
    [
      'it has no link-local address',
      (host) => host.link('eth1'),
      'eth1 has no link-local address of ours (yet)',
    ],
    [
      'it has one that may be taken',
      (host) => host.link('eth1').address('eth1', 'fe80::2/64', { tentative: true }),
      'eth1 has no link-local address of ours (yet)',
    ],
  ]
  test.each(obstacles)('is not searched for on a link when %s', (_, prepare, why) => {
    const it = stage(prepare)
    expect(it.news()).toEqual([`lost: ${why}`])
    expect(it.links).toEqual([])
    it.change((host) =>
      host.link('eth1', { up: true, carrier: true }).address('eth1', 'fe80::2/64'),
    )
    expect(it.links).toEqual(['open eth1 2'])
  })

  test('goes with the link, and is searched for again when that is back', () => {
    const it = stage()
    it.hear(ONE)
    it.change((host) => host.link('eth1', { carrier: false }))
    it.change((host) => host.link('eth1', { carrier: true }))
    it.hear(ONE)
    expect(it.news()).toEqual([
      'lost: no router heard on eth1 yet',
      'found fe80::1%eth1',
      'lost: eth1 has no carrier',
      'lost: no router heard on eth1 yet',
      'found fe80::1%eth1',
    ])
    expect(it.links).toEqual(['open eth1 2', 'close 2', 'open eth1 2'])
  })

  test('is another on a link that was made anew under the same name', () => {
    const it = stage()
    it.hear(ONE)
    it.change((host) => host.unlink('eth1').link('eth1').address('eth1', 'fe80::2/64'))
    expect(it.links).toEqual(['open eth1 2', 'close 2', 'open eth1 3'])
    expect(it.news().slice(2)).toEqual([
      'lost: eth1 is another link now',
      'lost: no router heard on eth1 yet',
    ])
  })
})

describe('another router on the link', () => {
  test('takes the place of one without a session at once: so does a new address', () => {
    const it = stage()
    it.hear(ONE)
    it.hear(OTHER)
    expect(it.news().slice(1)).toEqual(['found fe80::1%eth1', 'found fe80::9%eth1'])
  })

  test('waits while the first has a session and is heard; that is told, now and then', () => {
    const it = stage()
    it.hear(ONE)
    it.peer.busy = true
    for (let second = 0; second < 60; second += 10) {
      it.clock.advance(10_000)
      it.hear(ONE)
      it.hear(OTHER)
    }
    expect(it.news().slice(2)).toEqual([
      'two routers are on the link, fe80::1%eth1 and fe80::9%eth1: t',
    ])
  })

  test('takes its place when the first has fallen silent', () => {
    const it = stage()
    it.hear(ONE)
    it.peer.busy = true
    it.clock.advance(29_000)
    expect(it.search.heard(OTHER)).toBe(false)
    it.clock.advance(1_000)
    expect(it.search.heard(OTHER)).toBe(true)
    expect(it.news().at(-1)).toBe('found fe80::9%eth1')
  })
})

test('nobody is heard after the end', () => {
  const it = stage()
  it.search.close()
  expect(it.search.heard(ONE)).toBe(false)
  expect(it.links).toEqual(['open eth1 2', 'close 2'])
})
