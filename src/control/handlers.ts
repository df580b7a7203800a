/** What each endpoint does: reads its input, asks the daemon, answers. */
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { z } from 'zod'
import { ENDPOINTS, type EndpointName } from './endpoints.ts'
import { rowsByPrefix, rowsWithin } from './filters.ts'
import { Metrics } from './scrapes.ts'
import { openApi } from './openapi.ts'
import { Refusal, type Commands, type EventStream, type Queries } from './queries.ts'
import type { CommandReport } from './reports.ts'
import { sendEvents } from './server-sent-events.ts'
import { firstOf, sliced, type RowFormat } from './slices.ts'

export interface Daemon {
  readonly queries: Queries
  readonly commands: Commands
  readonly events: EventStream
}

/** Returns the answer (an object, a stream or a text), or `reply` when it has answered itself. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => unknown

export function handlersFor(daemon: Daemon): Record<EndpointName, Handler> {
  const { queries, commands, events } = daemon
  const metrics = new Metrics(queries)

  const rows = (reply: FastifyReply, table: Iterable<unknown>, wanted: Wanted): FastifyReply => {
    const { limit, format = 'json' } = wanted
    const some = limit === undefined ? table : firstOf(table, Number(limit))
    const type = format === 'json' ? 'application/json' : 'application/x-ndjson'
    return reply
      .type(`${type}; charset=utf-8`)
      .send(Readable.from(sliced(some, format), { objectMode: false }))
  }

  return {
    status: (request) => {
      inputOf(ENDPOINTS.status.input, request)
      return queries.status()
    },
    peers: (request, reply) =>
      rows(reply, queries.peers(), inputOf(ENDPOINTS.peers.input, request)),
    peer: (request) => {
      inputOf(ENDPOINTS.peer.input, request)
      const { name = '' } = request.params as { readonly name?: string }
      return queries.peer(peerNamed(queries, name))
    },
    routes: (request, reply) => {
      const input = inputOf(ENDPOINTS.routes.input, request)
      const view = input.view ?? 'all'
      if (view === 'advertised' && input.peer === undefined) {
        throw new Refusal('advertised to whom?', 'name the peer', 400)
      }
      const peer = input.peer === undefined ? {} : { peer: peerNamed(queries, input.peer) }
      const table = rowsByPrefix(input, (by) => queries.routes({ ...by, ...peer, view }))
      return rows(reply, table, input)
    },
    fib: (request, reply) => {
      const input = inputOf(ENDPOINTS.fib.input, request)
      const table = rowsByPrefix(input, (by) => queries.fib(by))
      return rows(reply, table, input)
    },
    sources: (request, reply) => {
      const input = inputOf(ENDPOINTS.sources.input, request)
      const table = rowsByPrefix(input, (by) => rowsWithin(queries.sources(), by))
      return rows(reply, table, input)
    },
    nextHops: (request, reply) =>
      rows(reply, queries.nextHops(), inputOf(ENDPOINTS.nextHops.input, request)),
    monitors: (request, reply) =>
      rows(reply, queries.monitors(), inputOf(ENDPOINTS.monitors.input, request)),
    rpki: (request, reply) => rows(reply, queries.rpki(), inputOf(ENDPOINTS.rpki.input, request)),
    events: (request, reply) => {
      const { topic } = inputOf(ENDPOINTS.events.input, request)
      reply.hijack()
      sendEvents(reply.raw, events, topic)
      return reply
    },
    openapi: () => openApi(queries.status().version),
    metrics: async (_, reply) => {
      const { contentType, text } = await metrics.scrape()
      return reply.type(contentType).send(text)
    },
    alive: (_, reply) => {
      const health = queries.health()
      return reply.code(health.alive ? 200 : 503).send(health)
    },
    ready: (_, reply) => {
      const health = queries.health()
      return reply.code(health.ready ? 200 : 503).send(health)
    },
    reload: async (request, reply) => {
      inputOf(ENDPOINTS.reload.input, request)
      const report = await commands.reload()
      return reply.code(report.ok ? 200 : 422).send(report)
    },
    refresh: (request) => {
      const { peer, direction = 'both' } = inputOf(ENDPOINTS.refresh.input, request)
      return done(commands.refresh(peerNamed(queries, peer), direction))
    },
    reset: (request) => {
      const { peer } = inputOf(ENDPOINTS.reset.input, request)
      return done(commands.reset(peerNamed(queries, peer)))
    },
    shutdown: (request) => {
      const { peer, message } = inputOf(ENDPOINTS.shutdown.input, request)
      return done(commands.shutdown(peerNamed(queries, peer), message))
    },
    startup: (request) => {
      const { peer } = inputOf(ENDPOINTS.startup.input, request)
      return done(commands.startup(peerNamed(queries, peer)))
    },
    drain: async (request) => {
      const { undo, stop } = inputOf(ENDPOINTS.drain.input, request)
      const on = undo !== 'true'
      return done(await commands.drain(on, on && stop === 'true'))
    },
    clearCounters: (request) => {
      inputOf(ENDPOINTS.clearCounters.input, request)
      return done(commands.clearCounters())
    },
  }
}

interface Wanted {
  readonly limit?: string | undefined
  readonly format?: RowFormat | undefined
}

const done = (text: string): CommandReport => ({ text })

/** Query parameters or body, as the endpoint's schema has them; throws a Refusal. */
function inputOf<Schema extends z.ZodObject>(
  schema: Schema,
  request: FastifyRequest,
): z.infer<Schema> {
  const given = request.method === 'POST' ? (request.body ?? {}) : request.query
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const known = Object.keys(schema.shape)
  if (issue?.code === 'unrecognized_keys') {
    throw new Refusal(
      `unknown parameter: ${issue.keys.join(', ')}`,
      known.length === 0 ? 'leave it out: none are known here' : `known: ${known.join(', ')}`,
      400,
    )
  }
  const where = issue?.path.join('.') ?? ''
  throw new Refusal(`${where === '' ? 'body' : where}: ${issue?.message ?? 'malformed'}`, '', 400)
}

/** The name of the peer that `wanted` names, or whose address it is. */
function peerNamed(queries: Queries, wanted: string): string {
  if (queries.peer(wanted) !== undefined) return wanted
  const peers = queries.peers()
  const byAddress = peers.find((it) => it.address === wanted)
  if (byAddress !== undefined) return byAddress.name
  const names = peers.slice(0, 20).map((it) => it.name)
  const more = peers.length > names.length ? `, and ${peers.length - names.length} more` : ''
  throw new Refusal(
    `no peer ${wanted}`,
    names.length === 0 ? 'no peers are configured' : `peers: ${names.join(', ')}${more}`,
    404,
  )
}
