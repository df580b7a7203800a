import { once } from 'node:events'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { spawn } from 'node:child_process'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { ControlClient, RequestRefused } from '../../../src/control/client.ts'
import { ENDPOINTS, type Endpoint } from '../../../src/control/endpoints.ts'
import { startControlServer, type ControlServer } from '../../../src/control/server.ts'
import type { RouteRow } from '../../../src/control/rows.ts'
import { FakeDaemon, manyRoutes, peerUp, route } from './fake-daemon.ts'
import { temporaryDirectory, temporarySocket } from './temporary-socket.ts'
import { containing, matching } from '../../support/containing.ts'

interface Served {
  readonly daemon: FakeDaemon
  readonly client: ControlClient
  readonly server: ControlServer
}

async function serve(options: { readonly http?: boolean } = {}): Promise<Served> {
  const daemon = new FakeDaemon()
  const socket = temporarySocket()
  const http = options.http === true ? { http: { host: '127.0.0.1', port: 0 } } : {}
  const { queries, commands, events } = daemon
  const server = await startControlServer({ socket, queries, commands, events, ...http })
  onTestFinished(() => server.close())
  return { daemon, server, client: new ControlClient(socket) }
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = []
  for await (const item of items) all.push(item)
  return all
}

const sampleOf = (endpoint: Endpoint): string => endpoint.path.replace(':name', peerUp.name)

describe('questions', () => {
  const endpoints = Object.values(ENDPOINTS).filter((it: Endpoint) => it.method === 'GET')
  test('there are endpoints to ask', () => expect(endpoints.length).toBeGreaterThan(10))

  for (const endpoint of endpoints.filter((it: Endpoint) => it.answers === 'object')) {
    test(`GET ${endpoint.path} answers with its documented shape`, async () => {
      const { client } = await serve()
      const answer = await client.get<unknown>(sampleOf(endpoint))
      if ('shape' in endpoint)
        expect(() => endpoint.shape.schema.strict().parse(answer)).not.toThrow()
      else expect(answer).toMatchObject({ openapi: '3.1.0' })
    })
  }

  for (const endpoint of endpoints.filter((it: Endpoint) => it.answers === 'rows')) {
    test(`GET ${endpoint.path} answers with rows of its documented shape, as JSON and NDJSON`, async () => {
      const { client } = await serve()
      const asJson = await client.get<unknown[]>(endpoint.path)
      expect(asJson.length).toBeGreaterThan(0)
      if ('shape' in endpoint) {
        for (const row of asJson)
          expect(() => endpoint.shape.schema.strict().parse(row)).not.toThrow()
      }
      expect(await collect(client.rows<unknown>(endpoint.path))).toEqual(asJson)
    })
  }

  test('a peer is found by its address as well', async () => {
    const { client } = await serve()
    expect(await client.get('/v1/peers/10.0.1.1')).toMatchObject({ name: 'tor-a' })
  })

  test('an empty table is an empty array', async () => {
    const { client, daemon } = await serve()
    daemon.routeRows = []
    expect(await client.get('/v1/routes')).toEqual([])
    expect(await collect(client.rows('/v1/routes'))).toEqual([])
  })
})

describe('route filters', () => {
  const rows = ['0.0.0.0/0', '10.0.0.0/8', '10.1.0.0/16', '10.1.2.0/24', '2001:db8::/32']
  const cases: { query: Record<string, string>; finds: string[] }[] = [
    { query: {}, finds: rows },
    { query: { family: 'ipv6' }, finds: ['2001:db8::/32'] },
    { query: { prefix: '10.1.0.0/16' }, finds: ['10.1.0.0/16'] },
    { query: { prefix: '10.9.0.0/16' }, finds: [] },
    { query: { prefix: '10.1.0.0/16', longer: 'true' }, finds: ['10.1.0.0/16', '10.1.2.0/24'] },
    { query: { prefix: '10.1.2.3' }, finds: ['10.1.2.0/24'] },
    { query: { prefix: '10.1.3.3' }, finds: ['10.1.0.0/16'] },
    { query: { prefix: '192.0.2.1' }, finds: ['0.0.0.0/0'] },
    { query: { prefix: '2001:db8::1' }, finds: ['2001:db8::/32'] },
    { query: { prefix: '2001:db9::1' }, finds: [] },
    { query: { limit: '2' }, finds: ['0.0.0.0/0', '10.0.0.0/8'] },
  ]
  for (const { query, finds } of cases) {
    test(`${JSON.stringify(query)} finds ${finds.join(' ') || 'nothing'}`, async () => {
      const { client, daemon } = await serve()
      daemon.routeRows = rows.map((prefix): RouteRow => ({ ...route, prefix }))
      const found = await client.get<RouteRow[]>('/v1/routes', query)
      expect(found.map((it) => it.prefix)).toEqual(finds)
    })
  }

  test('view and peer are handed on, the peer by its name', async () => {
    const { client, daemon } = await serve()
    await client.get('/v1/routes', { view: 'advertised', peer: '10.0.1.1' })
    expect(daemon.asked).toEqual([{ view: 'advertised', peer: 'tor-a', longer: false }])
  })
})

describe('what is refused, and with what advice', () => {
  const cases: { ask: string; status: number; error: RegExp; remedy: RegExp }[] = [
    {
      ask: '/v1/peers/tor-x',
      status: 404,
      error: /^no peer tor-x$/,
      remedy: /^peers: tor-a, tor-b$/,
    },
    { ask: '/v1/nowhere', status: 404, error: /^no GET \/v1\/nowhere$/, remedy: /openapi/ },
    {
      ask: '/v1/routes?colour=red',
      status: 400,
      error: /parameter: colour/,
      remedy: /^known: family, prefix/,
    },
    { ask: '/v1/status?x=1', status: 400, error: /parameter: x/, remedy: /none are known/ },
    { ask: '/v1/routes?family=ipx', status: 400, error: /^family: .*ipv4/, remedy: /^$/ },
    { ask: '/v1/routes?limit=0', status: 400, error: /^limit: a number from 1/, remedy: /^$/ },
    {
      ask: '/v1/routes?prefix=10.0.0',
      status: 400,
      error: /^not a prefix: 10.0.0$/,
      remedy: /10\.244/,
    },
    {
      ask: '/v1/routes?prefix=10.0.0.1/8',
      status: 400,
      error: /^not a prefix/,
      remedy: /^write 10.0.0.0\/8$/,
    },
    {
      ask: '/v1/routes?prefix=10.0.0.0/33',
      status: 400,
      error: /^not a prefix/,
      remedy: /address/,
    },
    {
      ask: '/v1/routes?prefix=10.0.0.0/8&family=ipv6',
      status: 400,
      error: /is not ipv6/,
      remedy: /ipv4/,
    },
    {
      ask: '/v1/routes?longer=true',
      status: 400,
      error: /longer needs a prefix/,
      remedy: /add one/,
    },
    {
      ask: '/v1/routes?prefix=10.0.0.1&longer=true',
      status: 400,
      error: /has no length/,
      remedy: /prefix/,
    },
    { ask: '/v1/routes?view=advertised', status: 400, error: /to whom/, remedy: /name the peer/ },
    { ask: '/v1/routes?peer=tor-x', status: 404, error: /^no peer tor-x$/, remedy: /tor-a/ },
    { ask: '/v1/fib?prefix=nonsense', status: 400, error: /^not a prefix/, remedy: /10\.244/ },
  ]
  for (const { ask, status, error, remedy } of cases) {
    test(`GET ${ask} is a ${status}`, async () => {
      const { client } = await serve()
      const refused = await client.get(ask).catch((it: unknown) => it)
      expect(refused).toBeInstanceOf(RequestRefused)
      expect(refused).toMatchObject({
        status,
        message: matching(error),
        remedy: matching(remedy),
      })
    })
  }

  test('a fault of ours is a 500 that says so, and is told', async () => {
    const daemon = new FakeDaemon()
    const onFault = vi.fn()
    const socket = temporarySocket()
    const { queries, commands, events } = daemon
    const faulty = { ...queries, sources: () => fail('the sky falls') }
    const server = await startControlServer({ socket, queries: faulty, commands, events, onFault })
    onTestFinished(() => server.close())
    const refused = await new ControlClient(socket).get('/v1/sources').catch((it: unknown) => it)
    expect(refused).toMatchObject({ status: 500, message: 'the sky falls' })
    expect(onFault).toHaveBeenCalledOnce()
  })
})

function fail(text: string): never {
  throw new Error(text)
}

describe('orders', () => {
  const cases: { path: string; body: Record<string, string>; obeyed: string }[] = [
    { path: '/v1/refresh', body: { peer: 'tor-a' }, obeyed: 'refresh tor-a both' },
    { path: '/v1/refresh', body: { peer: 'tor-a', direction: 'in' }, obeyed: 'refresh tor-a in' },
    { path: '/v1/reset', body: { peer: '10.0.1.1' }, obeyed: 'reset tor-a' },
    { path: '/v1/shutdown', body: { peer: 'tor-a' }, obeyed: 'shutdown tor-a -' },
    {
      path: '/v1/shutdown',
      body: { peer: 'tor-a', message: 'Wartung ☕' },
      obeyed: 'shutdown tor-a Wartung ☕',
    },
    { path: '/v1/startup', body: { peer: 'tor-b' }, obeyed: 'startup tor-b' },
    { path: '/v1/drain', body: {}, obeyed: 'drain' },
    { path: '/v1/drain', body: { undo: 'true' }, obeyed: 'drain undo' },
    { path: '/v1/drain', body: { stop: 'true' }, obeyed: 'drain and stop' },
    { path: '/v1/clear-counters', body: {}, obeyed: 'clear counters' },
  ]
  for (const { path, body, obeyed } of cases) {
    test(`POST ${path} ${JSON.stringify(body)}`, async () => {
      const { client, daemon } = await serve()
      expect(await client.post(path, body)).toEqual({ text: `done: ${obeyed}` })
      expect(daemon.orders).toEqual([obeyed])
    })
  }

  test('an order that makes no sense now is a 409 with a remedy', async () => {
    const { client, daemon } = await serve()
    const refused = await client.post('/v1/reset', { peer: 'tor-b' }).catch((it: unknown) => it)
    expect(refused).toMatchObject({ status: 409, remedy: 'see linnet show peer tor-b' })
    expect(daemon.orders).toEqual([])
  })

  test('an unknown key in the body is refused', async () => {
    const { client, daemon } = await serve()
    const refused = await client.post('/v1/reset', { peers: 'tor-a' }).catch((it: unknown) => it)
    expect(refused).toMatchObject({ status: 400 })
    expect(daemon.orders).toEqual([])
  })

  test('reload answers with its report', async () => {
    const { client, daemon } = await serve()
    expect(await client.post('/v1/reload')).toEqual(daemon.reloadReport)
  })

  test('reload of a faulty file is a 422 with the complaints', async () => {
    const { client, daemon } = await serve()
    daemon.reloadReport = {
      ...daemon.reloadReport,
      ok: false,
      complaints: ['node.yaml:3:5: what?'],
    }
    const refused = await client.post('/v1/reload').catch((it: unknown) => it)
    expect(refused).toMatchObject({ status: 422, body: containing('node.yaml:3:5') })
  })
})

describe('health and metrics', () => {
  test('not alive and not ready are 503, with the reasons', async () => {
    const { client, daemon } = await serve()
    daemon.healthReport = { alive: false, ready: false, reasons: ['the FIB writer died'] }
    for (const path of ['/healthz', '/readyz']) {
      const refused = await client.get(path).catch((it: unknown) => it)
      expect(refused).toMatchObject({ status: 503, body: containing('FIB writer') })
    }
  })

  test('alive but not ready', async () => {
    const { client, daemon } = await serve()
    daemon.healthReport = { alive: true, ready: false, reasons: ['no peer is up'] }
    expect(await client.get('/healthz')).toMatchObject({ alive: true })
    await expect(client.get('/readyz')).rejects.toMatchObject({ status: 503 })
  })

  test('/metrics shows what the tables show', async () => {
    const { client } = await serve()
    const text = (await collect(client.text('/metrics'))).join('')
    expect(text).toContain('linnet_peer_up{peer="tor-a",address="10.0.1.1",asn="65001"} 1')
    expect(text).toContain('linnet_fib_routes{state="installed"} 117')
  })
})

describe('streaming', () => {
  test('200,000 routes arrive whole while timers keep running in between', async () => {
    const { client, daemon } = await serve()
    daemon.routeRows = manyRoutes(200_000)
    let turns = 0
    const ticking = setInterval(() => turns++, 1)
    onTestFinished(() => clearInterval(ticking))
    let length = 0
    let last = ''
    for await (const piece of client.text('/v1/routes')) {
      length += piece.length
      last = piece
    }
    expect(last.endsWith('}\n]\n')).toBe(true)
    expect(length).toBeGreaterThan(200_000 * 300)
    expect(turns).toBeGreaterThan(20)
  })

  test('a reader that leaves early ends the walk through the table', async () => {
    const { client, daemon } = await serve()
    let made = 0
    let ended = false
    daemon.routeRows = (function* () {
      try {
        for (const row of manyRoutes(1_000_000)) {
          made++
          yield row
        }
      } finally {
        ended = true
      }
    })()
    for await (const _ of client.rows('/v1/routes')) break
    await vi.waitFor(() => expect(ended).toBe(true), 5000)
    expect(made).toBeLessThan(1_000_000)
  })
})

describe('events', () => {
  test('what happens is told as it happens, by topic', async () => {
    const { client, daemon } = await serve()
    const stop = new AbortController()
    const heard: string[] = []
    const listening = (async () => {
      for await (const event of client.events('peers', stop.signal)) heard.push(event.text)
    })()
    await vi.waitFor(() => expect(daemon.subscribers).toBe(1))
    daemon.emit({ text: 'tor-a is up' })
    daemon.emit({ topic: 'routes', text: 'not about peers' })
    daemon.emit({ text: 'tor-a is down' })
    await vi.waitFor(() => expect(heard).toEqual(['tor-a is up', 'tor-a is down']))
    stop.abort()
    await listening
    await vi.waitFor(() => expect(daemon.subscribers).toBe(0))
  })

  test('closing the server ends the streams', async () => {
    const { client, daemon, server } = await serve()
    const ended = collect(client.events(undefined, new AbortController().signal)).catch(String)
    await vi.waitFor(() => expect(daemon.subscribers).toBe(1))
    await server.close()
    expect(await ended).toMatch(/went away/)
    await vi.waitFor(() => expect(daemon.subscribers).toBe(0))
  })
})

describe('the read-only listener', () => {
  test('answers questions', async () => {
    const { server } = await serve({ http: true })
    const answer = await fetch(`http://127.0.0.1:${server.httpPort}/v1/peers`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toHaveLength(2)
  })

  const orders = Object.values(ENDPOINTS).filter((it: Endpoint) => it.method === 'POST')
  for (const { path } of orders) {
    test(`takes no POST ${path}`, async () => {
      const { server, daemon } = await serve({ http: true })
      const url = `http://127.0.0.1:${server.httpPort}${path}`
      const answer = await fetch(url, { method: 'POST' })
      expect(answer.status).toBe(405)
      expect(await answer.json()).toMatchObject({ remedy: containing('--socket') })
      expect(daemon.orders).toEqual([])
    })
  }

  test('a port in use is an error, and the unix socket is not left behind', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    onTestFinished(() => void other.close())
    const address = other.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const socket = temporarySocket()
    const { queries, commands, events } = new FakeDaemon()
    const http = { host: '127.0.0.1', port }
    await expect(
      startControlServer({ socket, queries, commands, events, http }),
    ).rejects.toMatchObject({
      name: 'CannotListen',
      message: `can't listen on 127.0.0.1 port ${port}: somebody else listens there`,
      remedy: containing('api.http'),
    })
    expect(existsSync(socket)).toBe(false)
  })
})

describe('the socket file', () => {
  const start = (socket: string) => {
    const { queries, commands, events } = new FakeDaemon()
    return startControlServer({ socket, queries, commands, events })
  }

  test('is for owner and group only, in a directory that is made, and is gone afterwards', async () => {
    const socket = `${temporaryDirectory()}/run/linnet.sock`
    const server = await start(socket)
    expect(statSync(socket).mode & 0o777).toBe(0o660)
    await server.close()
    expect(existsSync(socket)).toBe(false)
  })

  test('left behind by a killed daemon, is replaced', async () => {
    const socket = temporarySocket()
    const script = `require('net').createServer().listen(${JSON.stringify(socket)}, () => process.kill(process.pid, 'SIGKILL'))`
    await once(spawn(process.execPath, ['-e', script]), 'exit')
    expect(existsSync(socket)).toBe(true)
    const server = await start(socket)
    onTestFinished(() => server.close())
    expect(await new ControlClient(socket).get('/v1/status')).toMatchObject({ asn: 65101 })
  })

  test('of a daemon that lives, is left alone', async () => {
    const { client } = await serve()
    await expect(start(client.socket)).rejects.toMatchObject({
      message: containing('another linnet answers'),
      remedy: containing('stop it first'),
    })
    expect(await client.get('/v1/status')).toMatchObject({ asn: 65101 })
  })

  test('that is no socket, is left alone', async () => {
    const path = `${temporaryDirectory()}/notes.txt`
    writeFileSync(path, 'precious')
    await expect(start(path)).rejects.toThrow(/is no socket/)
    expect(readFileSync(path, 'utf8')).toBe('precious')
  })

  test('in a place where no directory can be made, is refused in words', async () => {
    const file = `${temporaryDirectory()}/file`
    writeFileSync(file, '')
    await expect(start(`${file}/run/linnet.sock`)).rejects.toMatchObject({
      message: containing('no directory'),
      remedy: containing('api.socket'),
    })
  })

  test('with a path too long for Linux, is refused in words', async () => {
    await expect(start(`/run/${'x'.repeat(120)}.sock`)).rejects.toThrow(/too long for Linux/)
  })
})
