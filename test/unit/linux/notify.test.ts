import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { decodeUtf8 } from '../../../src/net/utf8.ts'
import { noticeText, serviceManager, unixAddress } from '../../../src/linux/notify.ts'
import * as sys from '../../../src/linux/sys.ts'

test.each([
  { notice: { ready: true, status: '3 peers up' }, text: 'READY=1\nSTATUS=3 peers up' },
  { notice: { stopping: true }, text: 'STOPPING=1' },
  { notice: { watchdog: true }, text: 'WATCHDOG=1' },
  { notice: { reloading: true }, text: 'RELOADING=1\nMONOTONIC_USEC=42' },
  { notice: { status: 'two\nlines' }, text: 'STATUS=two lines' },
])('a notice is written as $text', ({ notice, text }) => {
  expect(noticeText(notice, 42n)).toBe(text)
})

describe('the datagram arrives', () => {
  const folder = mkdtempSync(join(tmpdir(), 'linnet-notify-'))
  test.each([
    { title: 'at a path', path: join(folder, 'notify') },
    { title: 'at an abstract name', path: `@linnet-notify-${process.pid}` },
  ])('$title', ({ path }) => {
    const address = unixAddress(path)
    if (address === undefined) throw new Error('no address')
    const fd = sys.must('socket', sys.socket(sys.AF_UNIX, sys.SOCK_DGRAM | sys.SOCK_CLOEXEC, 0))
    sys.must('bind', sys.bind(fd, address))
    const manager = serviceManager({ NOTIFY_SOCKET: path })
    expect(manager.notify({ ready: true, status: 'grüß Gott' })).toBe(true)
    const into = new Uint8Array(200)
    const length = sys.must('recv', sys.receive(fd, into, sys.MSG_DONTWAIT))
    expect(decodeUtf8(into.subarray(0, length))).toBe('READY=1\nSTATUS=grüß Gott')
    sys.close(fd)
    if (path.startsWith('/')) rmSync(folder, { recursive: true })
  })
})

test.each([
  { title: 'no service manager', environment: {} },
  { title: 'a relative path', environment: { NOTIFY_SOCKET: 'notify' } },
  {
    title: 'a path too long for the kernel',
    environment: { NOTIFY_SOCKET: `/${'x'.repeat(120)}` },
  },
  { title: 'a socket that is gone', environment: { NOTIFY_SOCKET: '/nonexistent/notify' } },
])('$title: nothing is sent, nothing thrown', ({ environment }) => {
  expect(serviceManager(environment).notify({ ready: true })).toBe(false)
})

test.each([
  { environment: {}, expected: undefined },
  { environment: { WATCHDOG_USEC: '30000000' }, expected: 30_000 },
  {
    environment: { WATCHDOG_USEC: '30000000', WATCHDOG_PID: String(process.pid) },
    expected: 30_000,
  },
  { environment: { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' }, expected: undefined },
  { environment: { WATCHDOG_USEC: 'soon' }, expected: undefined },
])('the watchdog of $environment is $expected ms', ({ environment, expected }) => {
  expect(serviceManager(environment).watchdogMs).toBe(expected)
})
