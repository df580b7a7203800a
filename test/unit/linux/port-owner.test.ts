import { describe, expect, test } from 'vitest'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { describePortOwner, listeningSockets, portOwners } from '../../../src/linux/port-owner.ts'

const tcp = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:00B3 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 23001 1 0000 100 0 0 10 0
   1: 0100007F:00B3 0100007F:C350 01 00000000:00000000 00:00000000 00000000   105        0 23002 1 0000 20 4 30 10 -1
   2: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 23003 1 0000 100 0 0 10 0
`
const tcp6 = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:00B3 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 23009 1 0000 100 0 0 10 0
`

describe('sockets that listen on a port', () => {
  test.each([
    {
      title: 'the listener, not the connection',
      table: tcp,
      port: 179,
      found: [{ inode: 23001, uid: 105 }],
    },
    { title: 'IPv6', table: tcp6, port: 179, found: [{ inode: 23009, uid: 0 }] },
    { title: 'another port', table: tcp, port: 8080, found: [{ inode: 23003, uid: 1000 }] },
    { title: 'nobody', table: tcp, port: 22, found: [] },
    { title: 'no IPv6 on this host', table: '', port: 179, found: [] },
  ])('$title', ({ table, port, found }) => {
    expect(listeningSockets(table, port)).toEqual(found)
  })
})

test('the process that holds a port is named', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  expect(portOwners(port)).toMatchObject([{ pid: process.pid }])
  expect(describePortOwner(port)).toContain(`(pid ${process.pid})`)
  server.close()
})

test('a port that nobody holds has no owner', () => {
  expect(portOwners(1)).toEqual([])
  expect(describePortOwner(1)).toBe('another process')
})
