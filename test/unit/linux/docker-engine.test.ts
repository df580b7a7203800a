import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { connectDocker } from '../../../src/linux/docker-engine.ts'
import { EngineError, type EngineConnection } from '../../../src/sources/docker-engine.ts'
import { EngineServer } from '../../support/engine-server.ts'
import { until } from '../../support/until.ts'

/** As Docker 20.10 writes them. */
const BLUE = {
  ...{ Name: 'blue', Id: 'b1', Scope: 'local', Driver: 'bridge', EnableIPv6: true },
  IPAM: {
    Driver: 'default',
    Options: {},
    Config: [{ Subnet: '10.78.1.0/28', Gateway: '10.78.1.1' }, { Subnet: 'fd00:11::/64' }],
  },
  ...{ Internal: true, Attachable: false, Ingress: false, ConfigOnly: false, Containers: {} },
  Options: { 'com.docker.network.bridge.name': 'blue0' },
  Labels: { 'bgp.advertise': 'true' },
}
const NONE = {
  ...{ Name: 'none', Id: 'n1', Scope: 'local', Driver: 'null', Internal: false, ConfigOnly: true },
  IPAM: { Driver: 'default', Options: null, Config: null },
  ...{ Options: null, Labels: null },
}
const WEB = {
  ...{ Id: 'c1', Names: ['/web'], State: 'running', Status: 'Up 3 seconds (healthy)' },
  Labels: { 'bgp.med': '5' },
  NetworkSettings: {
    Networks: {
      blue: { NetworkID: 'b1', IPAddress: '10.78.1.2', GlobalIPv6Address: 'fd00:11::2' },
      none: { NetworkID: 'n1', IPAddress: '', GlobalIPv6Address: '' },
    },
  },
}

describe('an engine on a unix socket', () => {
  let folder: string
  let socket: string
  let engine: EngineServer
  let connection: EngineConnection | undefined
  const touched: string[] = []
  const ended: string[] = []

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'linnet-engine-'))
    socket = join(folder, 'docker.sock')
    engine = new EngineServer()
    engine.networks = [NONE, BLUE]
    engine.containers = [WEB]
    await engine.listen({ path: socket })
    touched.length = ended.length = 0
  })
  afterEach(async () => {
    connection?.close()
    await engine.close()
    rmSync(folder, { recursive: true })
  })

  async function connect(containers = true): Promise<EngineConnection> {
    connection = await connectDocker(
      { socket },
      { containers },
      {
        touched: (object, id, late) => touched.push(`${object} ${id}${late ? ' late' : ''}`),
        ended: ({ message }) => ended.push(message.replace(socket, 'SOCKET')),
      },
    )
    return connection
  }

  test('tells what it has', async () => {
    const { networks, containers } = await connect()
    expect(await networks()).toEqual([
      {
        ...{ id: 'n1', name: 'none', driver: 'null', internal: false, template: true },
        ...{ subnets: [], options: {}, labels: {} },
      },
      {
        ...{ id: 'b1', name: 'blue', driver: 'bridge', internal: true, template: false },
        subnets: ['10.78.1.0/28', 'fd00:11::/64'],
        options: { 'com.docker.network.bridge.name': 'blue0' },
        labels: { 'bgp.advertise': 'true' },
      },
    ])
    expect(await containers()).toEqual([
      {
        ...{ id: 'c1', name: 'web', labels: { 'bgp.med': '5' } },
        endpoints: [
          { network: 'b1', addresses: ['10.78.1.2', 'fd00:11::2'] },
          { network: 'n1', addresses: [] },
        ],
      },
    ])
    expect((await networks(['b1', 'gone'])).map(({ name }) => name)).toEqual(['blue'])
  })

  test('is asked only for what counts', async () => {
    const { networks, containers } = await connect()
    await networks(['b1'])
    await containers()
    await containers(['c1', 'c2'])
    expect(engine.asked.map((it) => it.replace(/since=\d+/, 'since=TIME'))).toEqual([
      '/events?filters={"type":["network","container"],"event":["create","destroy","remove","update","start","die","pause","unpause","health_status","rename","connect","disconnect"]}&since=TIME',
      '/networks?filters={"id":["b1"]}',
      '/containers/json?filters={"status":["running"],"health":["none","healthy"]}',
      '/containers/json?filters={"status":["running"],"health":["none","healthy"],"id":["c1","c2"]}',
    ])
  })

  test('is not even told that containers are of interest, where they are not', async () => {
    await connect(false)
    expect(engine.asked[0]).toMatch(
      /^\/events\?filters=\{"type":\["network"\],"event":\["create","destroy","remove","update"\]\}/,
    )
  })

  test('tells what has changed, however its words are cut', async () => {
    await connect()
    const said = [
      { Type: 'network', Action: 'create', Actor: { ID: 'b2', Attributes: { name: 'ü' } } },
      { Type: 'container', Action: 'health_status: healthy', Actor: { ID: 'c1', Attributes: {} } },
      { Type: 'network', Action: 'connect', Actor: { ID: 'b1', Attributes: { container: 'c2' } } },
      { Type: 'volume', Action: 'create', Actor: { ID: 'v1', Attributes: {} } },
      { Type: 'network', Action: 'connect', Actor: { ID: 'b1', Attributes: {} } },
      { Type: 'container', Action: 'die' },
    ]
    const text = said.map((it) => `${JSON.stringify(it)}\n`).join('')
    for (const half of [text.slice(0, 50), text.slice(50)]) {
      engine.send(half)
      await until('it is on its way', () => touched.length > 0 || half.length === 50)
    }
    await until('all is heard', () => touched.length === 3)
    expect(touched).toEqual(['network b2', 'container c1 late', 'container c2'])
    expect(ended).toEqual([])
  })

  test('ends by itself', async () => {
    await connect()
    engine.cut()
    await until('it is told', () => ended.length > 0)
    expect(ended[0]).toBe('SOCKET has hung up; it is called again')
  })

  test('that talks nonsense has ended', async () => {
    await connect()
    engine.send('<html>\n')
    await until('it is told', () => ended.length > 0)
    expect(ended[0]).toMatch(/^SOCKET answers what is no answer of Docker \(Unexpected token/)
  })

  test('is left without a word', async () => {
    const { close, networks } = await connect()
    expect(engine.listeners).toBe(1)
    engine.silent = true
    const answer = networks()
    close()
    await expect(answer).rejects.toThrow(EngineError)
    await until('it is left', () => engine.listeners === 0)
    expect(ended).toEqual([])
  })

  test.each([
    {
      failure: { status: 500, body: '{"message":"out of order"}' },
      says: 'SOCKET answers what is no answer of Docker (HTTP 500, (HTTP code 500) server error - out of order): is it one?',
    },
    {
      failure: { status: 200, body: '{"message":"a map"}' },
      says: 'SOCKET answers what is no answer of Docker (no list): is it one?',
    },
  ])('that answers $failure.body is told', async ({ failure, says }) => {
    const { networks } = await connect()
    engine.failure = failure
    const words = await networks().then(
      () => 'fine',
      (error: unknown) => String(error),
    )
    expect(words.replaceAll(socket, 'SOCKET')).toBe(`Error: ${says}`)
  })
})
