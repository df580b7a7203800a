import { describe, expect, test } from 'vitest'
import { address } from '../../../src/net/address.ts'
import { NEXT_HOP_SELF, NextHopTable } from '../../../src/rib/next-hop-table.ts'
import { FakeResolver } from '../../support/fake-resolver.ts'
import { concat } from '../../support/update-builder.ts'

function table() {
  const resolver = new FakeResolver()
  const made = new NextHopTable(resolver)
  const internOn = (link: number, ...texts: readonly string[]): number => {
    const bytes = concat(...texts.map((text) => address(text).bytes))
    return made.intern(concat([9], bytes, [9]), 1, bytes.length, link)
  }
  const intern = (...texts: readonly string[]): number => internOn(0, ...texts)
  return { table: made, resolver, intern, internOn }
}

describe('the table of next hops', () => {
  test('gives an address one number, in both families', () => {
    const { table: it, intern } = table()
    const ids = ['10.0.0.1', '10.0.0.2', '2001:db8::1', '::a00:1'].map((text) => intern(text))
    expect(new Set(ids).size).toBe(4)
    expect(intern('10.0.0.1')).toBe(ids[0])
    expect(intern('2001:db8::1')).toBe(ids[2])
    expect([...it].map(({ address }) => address.text)).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '2001:db8::1',
      '::a00:1',
    ])
  })

  test('of a global and a link-local address the global one counts', () => {
    const { intern } = table()
    expect(intern('2001:db8::1', 'fe80::1')).toBe(intern('2001:db8::1'))
  })

  test('a link-local address is another one on each link, and counts where its link is known', () => {
    const { table: it, internOn } = table()
    const ids = [
      internOn(3, 'fe80::1'),
      internOn(4, 'fe80::1'),
      internOn(4, '2001:db8::1', 'fe80::1'),
    ]
    expect(new Set(ids).size).toBe(3)
    expect(internOn(3, 'fe80::1')).toBe(ids[0])
    expect([...it].map((hop) => [hop.address.text, hop.global?.text])).toEqual([
      ['fe80::1%3', undefined],
      ['fe80::1%4', undefined],
      ['fe80::1%4', '2001:db8::1'],
    ])
  })

  test('two with one link-local address are watched until the last of them goes', () => {
    const { table: it, internOn, resolver } = table()
    const alone = internOn(4, 'fe80::1')
    const both = internOn(4, '2001:db8::1', 'fe80::1')
    it.release(alone)
    expect([...resolver.watched]).toEqual(['fe80::1%4'])
    it.release(both)
    expect([...resolver.watched]).toEqual([])
  })

  test('asks the resolver once, and lets go with the last reference', () => {
    const { table: it, intern, resolver } = table()
    const id = intern('10.0.0.1')
    intern('10.0.0.1')
    it.release(id)
    expect([...resolver.watched]).toEqual(['10.0.0.1'])
    it.release(id)
    expect([...resolver.watched]).toEqual([])
    expect(it.get(id)).toBeUndefined()
    expect([...it]).toEqual([])
  })

  test.each([['10.0.0.1'], ['2001:db8::1']])('a number is given again: %s', (text) => {
    const { table: it, intern } = table()
    const id = intern(text)
    it.release(id)
    expect(intern('192.0.2.1')).toBe(id)
    expect(it.get(id)?.address.text).toBe('192.0.2.1')
    expect(intern(text)).not.toBe(id)
  })

  const answers: readonly [what: string, answer: object, usable: boolean][] = [
    ['a neighbour', {}, true],
    ['through a router', { onLink: false, metric: 20 }, true],
    ['no way there', { gateways: [], onLink: false }, false],
    ['one of our own addresses (RFC 4271 5.1.3)', { own: true }, false],
  ]
  test.each(answers)('%s: usable is %s', (_, answer, usable) => {
    const { table: it, intern, resolver } = table()
    resolver.set('10.0.0.1', answer)
    const id = intern('10.0.0.1')
    expect(it.usable(id)).toBe(usable)
    expect(it.metric(id)).toBe('metric' in answer ? answer.metric : 0)
  })

  test('ourselves are always usable, at no cost, and never released', () => {
    const { table: it } = table()
    it.release(NEXT_HOP_SELF)
    expect([it.usable(NEXT_HOP_SELF), it.metric(NEXT_HOP_SELF)]).toEqual([true, 0])
  })

  test('a number that nobody has is not usable', () => {
    expect(table().table.usable(7)).toBe(false)
  })

  test('listeners hear of a change, once, after it can be read', () => {
    const { table: it, intern, resolver } = table()
    const heard: string[] = []
    it.onChange(({ id, address }) => heard.push(`${address.text} usable: ${it.usable(id)}`))
    intern('10.0.0.1')
    intern('10.0.0.2')
    resolver.lose('10.0.0.1')
    resolver.set('10.0.0.1', {})
    resolver.lose('192.0.2.1')
    expect(heard).toEqual(['10.0.0.1 usable: false', '10.0.0.1 usable: true'])
  })
})
