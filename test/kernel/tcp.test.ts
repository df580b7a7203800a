import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { address } from '../../src/net/address.ts'
import * as sys from '../../src/linux/sys.ts'
import { setPeerOptions, tcpSocket } from '../../src/linux/tcp-options.ts'
import { capture } from '../support/packets.ts'
import { bytes, connect, Ear, far, open, pair } from '../support/tcp-ends.ts'
import { until } from '../support/until.ts'

const SO_PRIORITY = 12

describe('a connection', () => {
  test.each([
    { remote: '10.0.0.2', local: '10.0.0.1' },
    { remote: '2001:db8::2', local: '2001:db8::1' },
    { remote: 'fe80::2%near0', local: 'fe80::1%near0' },
  ])('to $remote carries bytes both ways and knows its ends', async ({ remote, local }) => {
    const door = open(remote.replace('near0', 'far0'))
    const { ear, connection } = connect(remote, door.listener.local.port)
    expect(connection.local).toBeUndefined()
    await until('both ends are up', () => ear.isOpen && door.accepted.length === 1)
    const [accepted] = door.accepted
    const farEar = new Ear()
    accepted?.listen(farEar)
    connection.write(bytes('ping'))
    accepted?.writeAll([bytes('po'), bytes('ng')])
    await until('bytes both ways', () => farEar.text === 'ping' && ear.text === 'pong')
    expect(connection.local?.address.text).toBe(local)
    expect(connection.incoming).toBe(false)
    expect(accepted?.incoming).toBe(true)
    expect(accepted?.remote.address.bytes).toEqual(address(local).bytes)
    expect(accepted?.remote.port).toBe(connection.local?.port)
    expect(accepted?.local?.port).toBe(door.listener.local.port)
  })

  test('comes from the address that was asked for', async () => {
    const { connection } = await pair('10.0.0.2', { localAddress: address('10.0.0.3') })
    expect(connection.local?.address.text).toBe('10.0.0.3')
  })

  test('is bound to its device', async () => {
    const { connection } = await pair('10.0.0.2', { bindDevice: 'near0' })
    expect(connection.local?.address.text).toBe('10.0.0.1')
  })

  describe.each([
    { family: 'ipv4', remote: '10.0.0.2' },
    { family: 'ipv6', remote: '2001:db8::2' },
  ] as const)('over $family', ({ family, remote }) => {
    test.each([
      { title: 'a direct peer', options: { ttl: 1 }, ttl: 1 },
      { title: 'a peer with GTSM', options: { minimumTtl: 254 }, ttl: 255 },
    ])('is sent as network control traffic: $title, TTL $ttl', async ({ options, ttl }) => {
      const packets = far.within(() => capture(family))
      const { accepted } = await pair(remote, options)
      const seen = packets().filter((it) => it.port === accepted.remote.port)
      expect(seen.length).toBeGreaterThan(0)
      for (const it of seen) expect(it).toMatchObject({ tos: 0xc0, ttl })
    })

    test('is answered with TTL 255, or a GTSM peer would not hear the SYN-ACK', async () => {
      const door = open(remote)
      const packets = capture(family)
      const { ear } = connect(remote, door.listener.local.port, { ttl: 64 })
      await until('up', () => ear.isOpen)
      const seen = packets().filter((it) => it.port === door.listener.local.port)
      expect(seen.length).toBeGreaterThan(0)
      for (const it of seen) expect(it).toMatchObject({ tos: 0xc0, ttl: 255 })
    })

    test('goes before other traffic in the queues of our own links (SO_PRIORITY)', () => {
      const fd = tcpSocket(family)
      try {
        setPeerOptions(fd, family, { ttl: 1 })
        const priority = new Int32Array(1)
        sys.must(
          'ask',
          sys.getOption(fd, sys.SOL_SOCKET, SO_PRIORITY, new Uint8Array(priority.buffer)),
        )
        expect(priority[0]).toBe(6)
      } finally {
        sys.close(fd)
      }
    })
  })

  test('delivers the last words before it closes, and tells its end once', async () => {
    const { connection, accepted, ear, farEar } = await pair()
    accepted.write(bytes('unread')) // would turn the FIN into a RST if we just closed
    connection.pause()
    connection.write(bytes('goodbye'))
    connection.close()
    connection.close()
    expect(connection.write(bytes('too late'))).toBe(false)
    await until('both ends told', () => ear.reasons.length === 1 && farEar.reasons.length === 1)
    expect(farEar.text).toBe('goodbye')
    expect(farEar.reasons).toMatchObject([{ code: 'end' }])
    expect(farEar.reasons[0]?.text).toContain('10.0.0.1:')
    expect(ear.reasons).toMatchObject([{ code: 'local' }])
    expect(ear.text).toBe('')
  })

  test('that is aborted is reset at the far side', async () => {
    const { connection, ear, farEar } = await pair()
    connection.abort()
    connection.abort()
    expect(ear.reasons).toEqual([]) // never told within the call
    await until('both ends told', () => ear.reasons.length === 1 && farEar.reasons.length === 1)
    expect(ear.reasons).toMatchObject([{ code: 'local' }])
    expect(farEar.reasons).toMatchObject([{ code: 'reset' }])
  })

  test('that is aborted while it connects never opens', async () => {
    const { connection, ear } = connect('10.0.0.99', 179)
    connection.abort()
    await until('told', () => ear.reasons.length === 1)
    expect(ear).toMatchObject({ isOpen: false, reasons: [{ code: 'local' }] })
  })
})

describe('back-pressure', () => {
  test('a slow reader fills the queue, and draining is told', async () => {
    const { connection, accepted, ear, farEar } = await pair()
    accepted.pause()
    const block = new Uint8Array(64 * 1024)
    let sent = 0
    const fill = (): boolean => {
      sent += block.length
      return connection.write(block)
    }
    while (fill()) if (sent > 1 << 28) throw new Error('the queue never fills')
    expect(ear.isDrained).toBe(0)
    expect(connection.writeAll([bytes('x')])).toBe(false)
    accepted.resume()
    await until('drained', () => ear.isDrained === 1)
    await until('all has arrived', () => farEar.bytes === sent + 1)
    expect(connection.write(bytes('y'))).toBe(true)
  })

  test('a paused connection tells nothing until it resumes', async () => {
    const { connection, accepted, farEar } = await pair()
    accepted.pause()
    connection.write(bytes('now'))
    connection.close()
    const other = await pair() // time enough for the bytes to arrive
    other.accepted.write(bytes('meanwhile'))
    await until('others are served', () => other.ear.text === 'meanwhile')
    expect(farEar).toMatchObject({ text: '', reasons: [] })
    accepted.resume()
    await until('told', () => farEar.reasons.length === 1)
    expect(farEar.text).toBe('now')
  })

  test('an accepted connection is silent until somebody listens', async () => {
    const door = open()
    const { connection, ear } = connect('10.0.0.2', door.listener.local.port)
    await until('accepted', () => ear.isOpen && door.accepted.length === 1)
    connection.write(bytes('OPEN'))
    const farEar = new Ear()
    door.accepted[0]?.listen(farEar)
    await until('heard', () => farEar.text === 'OPEN')
  })

  test('whoever listens too late still hears the end', async () => {
    const door = open('10.0.0.2', (it) => it.abort())
    const { ear } = connect('10.0.0.2', door.listener.local.port)
    await until('refused', () => ear.reasons.length === 1)
    const late = new Ear()
    door.accepted[0]?.listen(late)
    await until('told', () => late.reasons.length === 1)
    expect(ear.reasons).toMatchObject([{ code: 'reset' }])
  })
})

test('a connection that was reset before anybody looked knows its own end', async () => {
  const { listener } = open()
  const { ear, connection } = connect('10.0.0.2', listener.local.port)
  const established = `:${listener.local.port.toString(16).padStart(4, '0')} 01 `
  const isUp = (): boolean =>
    readFileSync('/proc/thread-self/net/tcp', 'latin1').toLowerCase().includes(established)
  const end = performance.now() + 5000
  // A peer that is quicker than our event loop: no turn of it in between.
  process.nextTick(() => {
    while (!isUp() && performance.now() < end) continue
    listener.close() // with a call in it that nobody took
    while (isUp() && performance.now() < end) continue
  })
  await until('told', () => ear.reasons.length === 1)
  expect(ear).toMatchObject({ isOpen: false, reasons: [{ code: 'reset' }] })
  expect(connection.local?.address.text).toBe('10.0.0.1')
})

describe('a connection that fails says why', () => {
  const failures = [
    {
      title: 'a closed port',
      remote: '10.0.0.2',
      options: {},
      code: 'refused',
      says: 'nothing listens',
    },
    {
      title: 'IPv6 closed port',
      remote: '2001:db8::2',
      options: {},
      code: 'refused',
      says: '[2001:db8::2]:1 refused',
    },
    {
      title: 'no route',
      remote: '192.0.2.1',
      options: {},
      code: 'unreachable',
      says: 'no route to 192.0.2.1',
    },
    {
      title: 'no such host',
      remote: '10.0.0.99',
      options: {},
      code: 'timeout',
      says: 'within 0.4 s',
    },
    {
      title: 'a source address that is not ours',
      remote: '10.0.0.2',
      options: { localAddress: address('192.0.2.7') },
      code: 'error',
      says: 'from 192.0.2.7: not an address of this host',
    },
    {
      title: 'no such device',
      remote: '10.0.0.2',
      options: { bindDevice: 'eth9' },
      code: 'error',
      says: 'no interface eth9',
    },
    { title: 'no such zone', remote: 'fe80::2%eth9', options: {}, code: 'error', says: 'eth9' },
  ] as const
  test.each(failures)('$title', async ({ remote, options, code, says }) => {
    const { ear } = connect(remote, 1, options)
    expect(ear.reasons).toEqual([]) // never within the call
    await until('told', () => ear.reasons.length > 0)
    expect(ear.reasons).toHaveLength(1)
    expect(ear.reasons[0]).toMatchObject({ code })
    expect(ear.reasons[0]?.text).toContain(says)
    expect(ear.isOpen).toBe(false)
  })
})
