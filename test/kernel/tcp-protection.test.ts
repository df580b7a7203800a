import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { address } from '../../src/net/address.ts'
import { prefix } from '../../src/net/prefix.ts'
import { applyOptions } from '../../src/linux/tcp.ts'
import { bytes, connect, far, open, pair } from '../support/tcp-ends.ts'
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
      if (it.far !== undefined) door.listener.setPassword(address(who), it.far)
      const options = it.near === undefined ? {} : { password: it.near }
      const { ear } = connect(remote, door.listener.local.port, options)
      await until('an outcome', () => ear.isOpen || ear.reasons.length > 0)
      expect(ear.isOpen).toBe(it.up)
      if (!it.up) expect(ear.reasons).toMatchObject([{ code: 'timeout' }])
    })
  })

  test('one key for a whole prefix', async () => {
    const door = open()
    door.listener.setPassword(prefix('10.0.0.0/24'), 'secret')
    const { ear } = connect('10.0.0.2', door.listener.local.port, { password: 'secret' })
    await until('up', () => ear.isOpen)
  })

  test('a key that was removed is not asked for, and may be removed twice', async () => {
    const door = open()
    door.listener.setPassword(address('10.0.0.1'), 'secret')
    door.listener.removePassword(address('10.0.0.1'))
    door.listener.removePassword(address('10.0.0.1'))
    const { ear } = connect('10.0.0.2', door.listener.local.port)
    await until('up', () => ear.isOpen)
  })
})

describe('GTSM', () => {
  test('a peer that sends with 255 is heard', async () => {
    const { accepted, connection, farEar } = await pair('10.0.0.2', { minimumTtl: 255 })
    applyOptions(accepted, { minimumTtl: 255 })
    connection.write(bytes('near enough'))
    await until('heard', () => farEar.text === 'near enough')
  })

  test('IPv6 the same', async () => {
    const { accepted, connection, farEar } = await pair('2001:db8::2', { minimumTtl: 255 })
    applyOptions(accepted, { minimumTtl: 255 })
    connection.write(bytes('near enough'))
    await until('heard', () => farEar.text === 'near enough')
  })

  test('what a peer sends with a lower TTL is dropped', async () => {
    const { accepted, connection, farEar } = await pair('10.0.0.2', { ttl: 64 })
    applyOptions(accepted, { minimumTtl: 255 })
    connection.write(bytes('from afar'))
    await until('the kernel dropped it', () => far.within(minTtlDrops) > 0)
    expect(farEar.text).toBe('')
  })

  test('a connection that can not have the options of its peer is over', async () => {
    const { accepted, ear, farEar } = await pair()
    applyOptions(accepted, { bindDevice: 'eth9' })
    await until('both ends told', () => farEar.reasons.length === 1 && ear.reasons.length === 1)
    expect(farEar.reasons[0]).toMatchObject({ code: 'error' })
    expect(farEar.reasons[0]?.text).toContain('no interface eth9')
  })

  test('a connection that is gone takes options without complaint', async () => {
    const { accepted, connection, farEar } = await pair()
    connection.abort()
    await until('gone', () => farEar.reasons.length === 1)
    applyOptions(accepted, { minimumTtl: 255 })
  })
})

/** How many segments the kernel dropped for their TTL, in the present namespace. */
function minTtlDrops(): number {
  const rows = readFileSync('/proc/self/net/netstat', 'utf8').split('\n')
  const [names = '', values = ''] = rows.filter((row) => row.startsWith('TcpExt:'))
  const at = names.split(' ').indexOf('TCPMinTTLDrop')
  return Number(values.split(' ')[at])
}
