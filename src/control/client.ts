/**
 * The command line's end of the control API: HTTP over the unix socket with node:http alone, because
 * `linnet show` should start in no time.
 */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { ErrorReport, EventRow } from './reports.ts'

export const DEFAULT_SOCKET = '/run/linnet/linnet.sock'

/** Query parameters; what is undefined is left out. */
export type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** Nobody answers on the socket, or it went away in the middle of an answer. */
export class DaemonUnreachable extends Error {
  readonly remedy: string

  constructor(error: string, remedy: string) {
    super(error)
    this.name = 'DaemonUnreachable'
    this.remedy = remedy
  }
}

/** The daemon answered, and the answer is no. */
export class RequestRefused extends Error {
  readonly status: number
  readonly remedy: string
  /** The whole answer, as it came. */
  readonly body: string

  constructor(status: number, report: ErrorReport, body: string) {
    super(report.error)
    this.name = 'RequestRefused'
    this.status = status
    this.remedy = report.remedy
    this.body = body
  }
}

/** A socket to ask: `--socket`, else LINNET_SOCKET, else the default. */
export const socketFrom = (
  option: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string => {
  const fromEnv = env['LINNET_SOCKET']
  return option ?? (fromEnv === undefined || fromEnv === '' ? DEFAULT_SOCKET : fromEnv)
}

export class ControlClient {
  readonly socket: string

  constructor(socket: string) {
    this.socket = socket
  }

  /** GET of one object. `Answer` is the endpoint's row type: the server is trusted to keep to it. */
  async get<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return JSON.parse(await textOf(await this.#send('GET', path, query), this.socket)) as Answer
  }

  async post<Answer>(path: string, body: Query = {}): Promise<Answer> {
    return JSON.parse(await textOf(await this.#send('POST', path, {}, body), this.socket)) as Answer
  }

  /** GET of a table, row by row as they arrive; leaving the loop early ends the answer. */
  async *rows<Row>(path: string, query: Query = {}): AsyncGenerator<Row> {
    const answer = await this.#send('GET', path, { ...query, format: 'ndjson' })
    for await (const line of linesOf(answer, this.socket)) yield JSON.parse(line) as Row
  }

  /** GET as text, in the pieces that arrive. */
  async *text(path: string, query: Query = {}): AsyncGenerator<string> {
    yield* piecesOf(await this.#send('GET', path, query), this.socket)
  }

  /** What happens from now on; ends when `signal` aborts. The first pull connects. */
  async *events(
    topic: EventRow['topic'] | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<EventRow> {
    const answer = await this.#send('GET', '/v1/events', { topic }, undefined, signal)
    try {
      for await (const line of linesOf(answer, this.socket)) {
        if (!line.startsWith('data: ')) continue
        const event = JSON.parse(line.slice('data: '.length)) as Partial<EventRow>
        if (event.topic !== undefined) yield event as EventRow
      }
    } catch (error) {
      if (!signal.aborted) throw error
    }
  }

  /** Sends, and waits for the head of a good answer; others throw. */
  async #send(
    method: 'GET' | 'POST',
    path: string,
    query: Query,
    body?: Query,
    signal?: AbortSignal,
  ): Promise<IncomingMessage> {
    const payload = body === undefined ? '' : JSON.stringify(body)
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const request = httpRequest({
        socketPath: this.socket,
        agent: false, // one connection per question: nothing lingers that would keep the process
        method,
        path: path + searchOf(query),
        headers:
          payload === ''
            ? {}
            : {
                'content-type': 'application/json',
                'content-length': Buffer.byteLength(payload),
              },
        ...(signal === undefined ? {} : { signal }),
      })
      request.once('response', resolve)
      request.once('error', (error) => reject(unreachable(this.socket, error)))
      request.end(payload)
    })
    const status = answer.statusCode ?? 500
    if (status < 400) return answer
    const text = await textOf(answer, this.socket)
    throw new RequestRefused(status, errorIn(text, status), text)
  }
}

function searchOf(query: Query): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? '' : `?${search.toString()}`
}

function errorIn(text: string, status: number): ErrorReport {
  try {
    const report = JSON.parse(text) as Partial<ErrorReport>
    return { error: report.error ?? `the daemon says ${status}`, remedy: report.remedy ?? '' }
  } catch {
    return { error: `the daemon says ${status}: ${text.slice(0, 200)}`, remedy: '' }
  }
}

async function* piecesOf(answer: IncomingMessage, socket: string): AsyncGenerator<string> {
  answer.setEncoding('utf8')
  try {
    for await (const piece of answer) yield String(piece)
  } catch (error) {
    throw unreachable(socket, error)
  }
}

async function* linesOf(answer: IncomingMessage, socket: string): AsyncGenerator<string> {
  let rest = ''
  for await (const piece of piecesOf(answer, socket)) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') yield line
  }
  if (rest !== '') yield rest
}

async function textOf(answer: IncomingMessage, socket: string): Promise<string> {
  let text = ''
  for await (const piece of piecesOf(answer, socket)) text += piece
  return text
}

function unreachable(socket: string, error: unknown): DaemonUnreachable {
  const { code = '', message } = error as NodeJS.ErrnoException
  switch (code) {
    case 'ENOENT':
      return new DaemonUnreachable(
        `no daemon: there is no ${socket}`,
        'start one with `linnet run -c FILE`, or say where it is with --socket PATH or LINNET_SOCKET',
      )
    case 'ECONNREFUSED':
      return new DaemonUnreachable(
        `no daemon answers on ${socket}: it has ended without tidying up`,
        'start it again with `linnet run -c FILE`',
      )
    case 'EACCES':
    case 'EPERM':
      return new DaemonUnreachable(
        `not allowed to use ${socket}`,
        'run this as the user that runs the daemon (sudo), or join the group of that file',
      )
    case 'ECONNRESET':
      return new DaemonUnreachable('the daemon went away in the middle of its answer', 'try again')
    default:
      return new DaemonUnreachable(`can't reach the daemon on ${socket}: ${message}`, '')
  }
}
