import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { address } from '../../src/net/address.ts'
import { prefix } from '../../src/net/prefix.ts'
import { ip } from '../support/box.ts'
import { bytes, connect, Ear, far, open, pair } from '../support/tcp-ends.ts'
import { until } from '../support/until.ts'

describe('TCP MD5', () => {
  const cases = [
    { title: 'the same key', near: 'secret', far: 'secret', up: true },
    { title: 'a wrong key', near: 'secret', far: 'public', up: false },
    { title: 'a key only at the listener', near: undefined, far: 'secret', up: false },
    { title: 'a key only at the client', near: 'secret', far: undefined, up: false },
  ]
  const families = [
    { remote: '10.0.0.2', who: '10.0.0.1', where: '10.0.0.2' },
    { remote: '2001:db8::2', who: '2001:db8::1', where: '2001:db8::2' },
    { remote: 'fe80::2%near0', who: 'fe80::1', where: 'fe80::2%far0' },
  ]
  describe.each(families)('to $remote', ({ remote, who, where }) => {
    test.each(cases)('$title', async (it) => {
      const door = open(where)
      if (it.far !== undefined) door.listener.setKeys([{ peer: address(who), password: it.far }])
      const options = it.near === undefined ? {} : { password: it.near }
      const { ear } = connect(remote, door.listener.local.port, options)
      await until('an outcome', () => ear.isOpen || ear.reasons.length > 0)
      expect(ear.isOpen).toBe(it.up)
      if (!it.up) expect(ear.reasons).toMatchObject([{ code: 'timeout' }])
    })
  })

  test('one key for a whole prefix', async () => {
    const door = open()
    door.listener.setKeys([{ peer: prefix('10.0.0.0/24'), password: 'secret' }])
    const { ear } = connect('10.0.0.2', door.listener.local.port, { password: 'secret' })
    await until('up', () => ear.isOpen)
  })

  test('a key that changes on both sides, one after the other: what was lost is sent again', async () => {
    const door = open()
    door.listener.setKeys([{ peer: prefix('10.0.0.0/24'), password: 'one' }])
    const port = door.listener.local.port
    const { ear, connection } = connect('10.0.0.2', port, { password: 'one' })
    await until('up', () => ear.isOpen && door.accepted.length === 1)
    const [accepted] = door.accepted
    const farEar = new Ear()
    accepted.listen(farEar)
    connection.configure({ password: 'two' })
    connection.write(bytes('signed with two'))
    accepted.write(bytes('signed with one'))
    await until('both were dropped', () => md5Failures() > 0 && far.within(md5Failures) > 0)
    door.listener.setKeys([{ peer: prefix('10.0.0.0/24'), password: 'two' }])
    accepted.configure({ password: 'two' })
    await until('both arrive', () => farEar.text !== '' && ear.text !== '')
    expect([farEar.text, ear.text]).toEqual(['signed with two', 'signed with one'])
    const next = connect('10.0.0.2', port, { password: 'two' })
    await until('the next one signs with it too', () => next.ear.isOpen)
  })

  test('a key that is given up on both sides is not asked for any more', async () => {
    const door = open()
    door.listener.setKeys([{ peer: address('10.0.0.1'), password: 'one' }])
    const { ear, connection } = connect('10.0.0.2', door.listener.local.port, { password: 'one' })
    await until('up', () => ear.isOpen && door.accepted.length === 1)
    const [accepted] = door.accepted
    const farEar = new Ear()
    accepted.listen(farEar)
    accepted.configure({ password: 'one' })
    accepted.configure({})
    connection.configure({})
    connection.write(bytes('plain'))
    await until('heard', () => farEar.text === 'plain')
  })

  test('more keys than the listener can hold are refused one by one, with a word', () => {
    const door = open()
    const keys = Array.from({ length: 3000 }, (_, i) => ({
      peer: address(`10.1.${i >> 8}.${i & 255}`),
      password: 'secret',
    }))
    const refused = door.listener.setKeys(keys)
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThan(3000)
    expect(refused[0].text).toMatch(/ENOMEM.*raise net\.core\.optmem_max/)
  })

  test('a key that was removed is not asked for, and may be removed twice', async () => {
    const door = open()
    door.listener.setKeys([{ peer: address('10.0.0.1'), password: 'secret' }])
    door.listener.setKeys([])
    door.listener.setKeys([])
    const { ear } = connect('10.0.0.2', door.listener.local.port)
    await until('up', () => ear.isOpen)
  })
})

describe('GTSM', () => {
  test('a peer that sends with 255 is heard', async () => {
    const { accepted, connection, farEar } = await pair('10.0.0.2', { minimumTtl: 255 })
    accepted.configure({ minimumTtl: 255 })
    connection.write(bytes('near enough'))
    await until('heard', () => farEar.text === 'near enough')
  })

  test('IPv6 the same', async () => {
    const { accepted, connection, farEar } = await pair('2001:db8::2', { minimumTtl: 255 })
    accepted.configure({ minimumTtl: 255 })
    connection.write(bytes('near enough'))
    await until('heard', () => farEar.text === 'near enough')
  })

  test('what a peer sends with a lower TTL is dropped', async () => {
    const { accepted, connection, farEar } = await pair('10.0.0.2', { ttl: 64 })
    accepted.configure({ minimumTtl: 255 })
    connection.write(bytes('from afar'))
    await until('the kernel dropped it', () => far.within(minTtlDrops) > 0)
    expect(farEar.text).toBe('')
  })

  test('a connection that can not have the options of its peer is over', async () => {
    const { accepted, ear, farEar } = await pair()
    accepted.configure({ bindDevice: 'eth9' })
    await until('both ends told', () => farEar.reasons.length === 1 && ear.reasons.length === 1)
    expect(farEar.reasons[0]).toMatchObject({ code: 'error' })
    expect(farEar.reasons[0]?.text).toContain('no interface eth9')
  })

  test('a connection that is gone takes options without complaint', async () => {
    const { accepted, connection, farEar } = await pair()
    connection.abort()
    await until('gone', () => farEar.reasons.length === 1)
    accepted.configure({ minimumTtl: 255 })
  })
})

describe('the user timeout', () => {
  test('ends a connection whose bytes nobody acknowledges', async () => {
    const { connection, ear } = await pair()
    connection.setUserTimeout(500)
    far.within(() => ip('link set far0 down'))
    try {
      connection.write(bytes('into the void'))
      await until('given up', () => ear.reasons.length > 0)
      expect(ear.reasons[0]).toMatchObject({ code: 'timeout' })
    } finally {
      far.within(() => ip('link set far0 up'))
    }
  })
})

/** How many segments the kernel dropped, in the present namespace. */
const minTtlDrops = (): number => counter('TCPMinTTLDrop')
const md5Failures = (): number => counter('TCPMD5Failure')

function counter(name: string): number {
  const rows = readFileSync('/proc/self/net/netstat', 'utf8').split('\n')
  const [names = '', values = ''] = rows.filter((row) => row.startsWith('TcpExt:'))
  const at = names.split(' ').indexOf(name)
  return Number(values.split(' ')[at])
}
