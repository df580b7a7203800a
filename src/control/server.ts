/**
 * The control API: HTTP/1.1 on a unix socket for the operator, and on request a TCP listener that serves
 * questions only.
 *
 * It is a window, not a part of the machine: it asks the daemon through `Queries` and `Commands`, holds no
 * state of its own, and never holds up the event loop (`slices.ts`). Who may give orders is decided by the
 * file system: the socket has mode 0660. fastify is loaded when the server starts, not before,
 * so that sessions come up first.
 */
import { chmodSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import { ENDPOINTS, type Endpoint, type EndpointName } from './endpoints.ts'
import { handlersFor, type Daemon } from './handlers.ts'
import { Refusal } from './queries.ts'
import type { ErrorReport } from './reports.ts'
import { claimSocketPath, refused } from './socket.ts'

export interface ControlServerOptions extends Daemon {
  /** Path of the unix socket. */
  readonly socket: string
  /** Where to serve questions over TCP; port 0 picks one. */
  readonly http?: { readonly host: string; readonly port: number }
  /** Hears of errors that are nobody's request's fault. */
  readonly onFault?: (error: Error) => void
}

export interface ControlServer {
  /** Port of the TCP listener, when there is one. */
  readonly httpPort: number | undefined
  close(): Promise<void>
}

const SOCKET_MODE = 0o660

/** Starts serving. Throws CannotListen. */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  await claimSocketPath(options.socket)
  const local = await listener(options, 'everything')
  try {
    await local.listen({ path: options.socket })
    chmodSync(options.socket, SOCKET_MODE)
  } catch (error) {
    await local.close()
    throw refused(`control socket ${options.socket}`, error, 'api.socket')
  }
  if (options.http === undefined) return { httpPort: undefined, close: () => local.close() }
  try {
    const remote = await listener(options, 'questions')
    await remote.listen({ ...options.http })
    return {
      httpPort: portOf(remote),
      close: async () => {
        await Promise.all([local.close(), remote.close()])
      },
    }
  } catch (error) {
    await local.close()
    throw refused(`${options.http.host} port ${options.http.port}`, error, 'api.http')
  }
}

function portOf(app: FastifyInstance): number | undefined {
  const address = app.server.address()
  return typeof address === 'object' ? address?.port : undefined
}

async function listener(
  options: ControlServerOptions,
  serves: 'everything' | 'questions',
): Promise<FastifyInstance> {
  const { fastify } = await import('fastify')
  const app = fastify({ forceCloseConnections: true })
  const handlers = handlersFor(options)
  for (const name of Object.keys(ENDPOINTS) as EndpointName[]) {
    const endpoint: Endpoint = ENDPOINTS[name]
    const open = endpoint.method === 'GET' || serves === 'everything'
    app.route({
      method: endpoint.method,
      url: endpoint.path,
      handler: async (request, reply) => {
        if (open) return handlers[name](request, reply)
        return reply
          .code(405)
          .send(trouble('orders are taken on the unix socket only', 'use linnet --socket PATH'))
      },
    })
  }
  app.setNotFoundHandler(async (request, reply) =>
    reply
      .code(404)
      .send(trouble(`no ${request.method} ${request.url}`, 'see GET /v1/openapi.json')),
  )
  app.setErrorHandler(async (error, _, reply) => {
    if (error instanceof Refusal) {
      return reply.code(error.status).send(trouble(error.message, error.remedy))
    }
    const known = error instanceof Error ? error : new Error(String(error))
    const status = statusOf(known)
    if (status < 500) return reply.code(status).send(trouble(known.message, ''))
    options.onFault?.(known)
    return reply.code(500).send(trouble(known.message, "a fault in linnet: see the daemon's log"))
  })
  return app
}

const trouble = (error: string, remedy: string): ErrorReport => ({ error, remedy })

const statusOf = (error: Error): number =>
  'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : 500
