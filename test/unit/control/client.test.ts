import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import {
  ControlClient,
  DaemonUnreachable,
  DEFAULT_SOCKET,
  RequestRefused,
  socketFrom,
} from '../../../src/control/client.ts'
import { temporaryDirectory, temporarySocket } from './temporary-socket.ts'
import { containing } from '../../support/containing.ts'

const sockets: {
  option: string | undefined
  env: Record<string, string>
  is: string
}[] = [
  { option: '/a.sock', env: { LINNET_SOCKET: '/b.sock' }, is: '/a.sock' },
  { option: undefined, env: { LINNET_SOCKET: '/b.sock' }, is: '/b.sock' },
  { option: undefined, env: { LINNET_SOCKET: '' }, is: DEFAULT_SOCKET },
  { option: undefined, env: {}, is: '/run/linnet/linnet.sock' },
]
for (const { option, env, is } of sockets) {
  test(`--socket ${option ?? '(none)'} with ${JSON.stringify(env)} means ${is}`, () => {
    expect(socketFrom(option, env)).toBe(is)
  })
}

async function answering(server: Server): Promise<ControlClient> {
  const socket = temporarySocket()
  server.listen(socket)
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return new ControlClient(socket)
}

test('no socket: no daemon, and how to start one', async () => {
  const asked = new ControlClient('/nowhere/linnet.sock').get('/v1/status')
  await expect(asked).rejects.toThrow(DaemonUnreachable)
  await expect(asked).rejects.toMatchObject({
    message: 'no daemon: there is no /nowhere/linnet.sock',
    remedy: containing('linnet run -c FILE'),
  })
})

test('a file where the socket should be', async () => {
  const path = `${temporaryDirectory()}/file`
  writeFileSync(path, '')
  await expect(new ControlClient(path).get('/v1/status')).rejects.toThrow(DaemonUnreachable)
})

test('a daemon that dies in the middle of its answer', async () => {
  const client = await answering(
    createServer((_, response) => {
      response.write('{"half":')
      setImmediate(() => response.destroy())
    }),
  )
  await expect(client.get('/v1/status')).rejects.toMatchObject({
    name: 'DaemonUnreachable',
    message: containing('middle of its answer'),
  })
})

test('a refusal that is not ours is still told', async () => {
  const client = await answering(
    createServer((_, response) => response.writeHead(502).end('<html>bad gateway</html>')),
  )
  const asked = client.get('/v1/status')
  await expect(asked).rejects.toThrow(RequestRefused)
  await expect(asked).rejects.toThrow(/502.*bad gateway/)
})

test('rows that arrive in odd pieces are put together', async () => {
  const client = await answering(
    createServer((_, response) => {
      const bytes = Buffer.from('{"a":"grün"}\n\n{"a":2}\n{"a":3}')
      for (const byte of bytes) response.write(Buffer.of(byte))
      response.end()
    }),
  )
  const rows: unknown[] = []
  for await (const row of client.rows('/v1/any')) rows.push(row)
  expect(rows).toEqual([{ a: 'grün' }, { a: 2 }, { a: 3 }])
})
