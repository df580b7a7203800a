/**
 * TCP-AO against the kernel (RFC 5925). Where the kernel has it, both ends sign; where it has not, there is
 * no connection, and the reason says what is missing. What holds depends on the machine, so each case says
 * both.
 */
import { describe, expect, test } from 'vitest'
import { hasTcpAo, TCP_AO_MISSING } from '../../src/linux/tcp-ao.ts'
import { address } from '../../src/net/address.ts'
import { prefix } from '../../src/net/prefix.ts'
import type { TcpAoKey } from '../../src/session/transport.ts'
import { bytes, connect, Ear, open } from '../support/tcp-ends.ts'
import { until } from '../support/until.ts'

const signs = hasTcpAo()

const key = (id: number, secret: string, algorithm: TcpAoKey['algorithm'] = 'hmac-sha1') => ({
  ...{ sendId: id, receiveId: id, algorithm, key: secret },
})

describe('TCP-AO', () => {
  const families = [
    { remote: '10.0.0.2', who: '10.0.0.1', where: '10.0.0.2' },
    { remote: '2001:db8::2', who: '2001:db8::1', where: '2001:db8::2' },
    { remote: 'fe80::2%near0', who: 'fe80::1', where: 'fe80::2%far0' },
  ]
  const cases = [
    { title: 'the same key', near: 'secret', far: 'secret', up: true },
    { title: 'a wrong key', near: 'secret', far: 'public', up: false },
    { title: 'a key only at the listener', near: undefined, far: 'secret', up: false },
    { title: 'a key only at the client', near: 'secret', far: undefined, up: false },
  ]
  describe.each(families)('to $remote', ({ remote, who, where }) => {
    test.each(cases)('$title: up only if both sign', async (it) => {
      const door = open(where)
      if (it.far !== undefined) {
        const refused = door.listener.setKeys([{ peer: address(who), tcpAo: [key(1, it.far)] }])
        expect(refused.map(({ text }) => text.includes(TCP_AO_MISSING))).toEqual(
          signs ? [] : [true],
        )
      }
      const options = it.near === undefined ? {} : { tcpAo: [key(1, it.near)] }
      const { ear } = connect(remote, door.listener.local.port, options)
      await until('an outcome', () => ear.isOpen || ear.reasons.length > 0)
      if (signs) return expect(ear.isOpen).toBe(it.up)
      if (it.near === undefined) return expect(ear.isOpen).toBe(true) // the accepting end says no, below
      expect(ear.isOpen).toBe(false)
      expect(ear.reasons[0]?.text).toContain(TCP_AO_MISSING)
    })
  })

  test('a connection that came in without a signature is over when it turns out to need one', async () => {
    const door = open()
    const { ear } = connect('10.0.0.2', door.listener.local.port)
    await until('both ends are up', () => ear.isOpen && door.accepted.length === 1)
    const farEar = new Ear()
    door.accepted[0].configure({ tcpAo: [key(1, 'secret')] })
    door.accepted[0].listen(farEar)
    await until('over', () => farEar.reasons.length === 1 && ear.reasons.length === 1)
    expect(farEar.reasons[0]?.text).toContain(
      signs ? '10.0.0.1 connected without TCP-AO, which it must sign with' : TCP_AO_MISSING,
    )
  })

  test.each(['hmac-sha1', 'cmac-aes128', 'hmac-sha256'] as const)(
    'keys of %s go over to others while the connection lives',
    async (algorithm) => {
      const [one, two] = [key(1, 'first', algorithm), key(2, 'second', algorithm)]
      const door = open()
      const refused = door.listener.setKeys([{ peer: prefix('10.0.0.0/24'), tcpAo: [one] }])
      const { ear, connection } = connect('10.0.0.2', door.listener.local.port, { tcpAo: [one] })
      if (!signs) {
        await until('refused', () => ear.reasons.length === 1)
        return expect([refused.length, ear.isOpen]).toEqual([1, false])
      }
      await until('up', () => ear.isOpen && door.accepted.length === 1)
      const [accepted] = door.accepted
      const farEar = new Ear()
      accepted.configure({ tcpAo: [one] })
      accepted.listen(farEar)
      for (const tcpAo of [[one, two], [two, one], [two]]) {
        door.listener.setKeys([{ peer: prefix('10.0.0.0/24'), tcpAo }])
        for (const it of [accepted, connection]) it.configure({ tcpAo })
        connection.write(bytes(`${tcpAo.length}`))
        accepted.write(bytes(`${tcpAo.length}`))
        await until('heard', () => {
          return farEar.text.endsWith(`${tcpAo.length}`) && ear.text.endsWith(`${tcpAo.length}`)
        })
      }
      expect([farEar.text, ear.text]).toEqual(['221', '221'])
    },
  )
})
