/**
 * The control API, one row per endpoint. The server takes its handlers by these names, OpenAPI and
 * docs/api.md are made from the same rows, so what is served and what is written can't part ways.
 *
 * `answers` says how: one object; `rows`, an array that streams (also as NDJSON); or `text`.
 * Questions (GET) are served on every listener, orders (POST) on the unix socket only.
 */
import { z } from 'zod'
import {
  commandReport,
  eventRow,
  healthReport,
  reloadReport,
  statusRow,
  TOPICS,
} from './reports.ts'
import {
  fibRow,
  monitorRow,
  nextHopRow,
  peerDetail,
  peerRow,
  routeRow,
  rpkiRow,
  sourceRow,
} from './rows.ts'

export interface Endpoint {
  readonly method: 'GET' | 'POST'
  /** `:name` marks a path parameter. */
  readonly path: string
  readonly summary: string
  /** Query parameters of a GET, JSON body of a POST; unknown keys are refused. */
  readonly input?: z.ZodObject
  readonly answers: 'object' | 'rows' | 'events' | 'text'
  /** Name and schema of the object, or of one row. */
  readonly shape?: { readonly name: string; readonly schema: z.ZodObject }
}

const family = z.enum(['ipv4', 'ipv6']).optional().describe('Only this address family.')
const prefix = z
  .string()
  .optional()
  .describe('Only this prefix; for an address, the longest prefix that covers it.')
const longer = z
  .enum(['true', 'false'])
  .optional()
  .describe('With `prefix`: also all prefixes inside it.')
const limit = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'a number from 1 to 999999999')
  .optional()
  .describe('End after so many rows.')
const format = z
  .enum(['json', 'ndjson'])
  .optional()
  .describe('`json` (an array, the default) or `ndjson` (a row per line).')
const peer = z.string().min(1).describe('Name or address of the peer.')
const noInput = z.strictObject({})

export const ENDPOINTS = {
  status: {
    method: 'GET',
    path: '/v1/status',
    summary: 'The daemon at a glance.',
    input: noInput,
    answers: 'object',
    shape: { name: 'Status', schema: statusRow },
  },
  peers: {
    method: 'GET',
    path: '/v1/peers',
    summary: 'All peers.',
    input: z.strictObject({ limit, format }),
    answers: 'rows',
    shape: { name: 'Peer', schema: peerRow },
  },
  peer: {
    method: 'GET',
    path: '/v1/peers/:name',
    summary: 'One peer, by name or address, with all there is to know.',
    input: noInput,
    answers: 'object',
    shape: { name: 'PeerDetail', schema: peerDetail },
  },
  routes: {
    method: 'GET',
    path: '/v1/routes',
    summary: 'Routes: every path of every prefix, or a view of them.',
    input: z.strictObject({
      family,
      prefix,
      longer,
      peer: peer.optional().describe('Only paths from (advertised: to) this peer.'),
      view: z
        .enum(['all', 'best', 'received', 'advertised', 'rejected'])
        .optional()
        .describe(
          '`all` (the default), `best`, `received` before the import policy, `advertised` to `peer`, `rejected` with the reason.',
        ),
      limit,
      format,
    }),
    answers: 'rows',
    shape: { name: 'Route', schema: routeRow },
  },
  fib: {
    method: 'GET',
    path: '/v1/fib',
    summary: 'What linnet wants in the kernel, and how far that has come.',
    input: z.strictObject({ family, prefix, longer, limit, format }),
    answers: 'rows',
    shape: { name: 'FibRoute', schema: fibRow },
  },
  sources: {
    method: 'GET',
    path: '/v1/sources',
    summary: 'Our own prefixes and where they come from.',
    input: z.strictObject({ family, prefix, longer, limit, format }),
    answers: 'rows',
    shape: { name: 'Source', schema: sourceRow },
  },
  nextHops: {
    method: 'GET',
    path: '/v1/nexthops',
    summary: 'Next hops and how they are reached.',
    input: z.strictObject({ limit, format }),
    answers: 'rows',
    shape: { name: 'NextHop', schema: nextHopRow },
  },
  monitors: {
    method: 'GET',
    path: '/v1/monitors',
    summary: 'MRT files and BMP stations.',
    input: z.strictObject({ limit, format }),
    answers: 'rows',
    shape: { name: 'Monitor', schema: monitorRow },
  },
  rpki: {
    method: 'GET',
    path: '/v1/rpki',
    summary: 'RPKI caches and what they have told.',
    input: z.strictObject({ limit, format }),
    answers: 'rows',
    shape: { name: 'Rpki', schema: rpkiRow },
  },
  events: {
    method: 'GET',
    path: '/v1/events',
    summary: 'What happens from now on, as server-sent events.',
    input: z.strictObject({
      topic: z.enum(TOPICS).optional().describe('Only events of this topic.'),
    }),
    answers: 'events',
    shape: { name: 'Event', schema: eventRow },
  },
  openapi: {
    method: 'GET',
    path: '/v1/openapi.json',
    summary: 'This API as an OpenAPI 3.1 document.',
    answers: 'object',
  },
  metrics: {
    method: 'GET',
    path: '/metrics',
    summary: 'Metrics for Prometheus.',
    answers: 'text',
  },
  alive: {
    method: 'GET',
    path: '/healthz',
    summary: '200 while the daemon works, 503 when it must be restarted.',
    answers: 'object',
    shape: { name: 'Health', schema: healthReport },
  },
  ready: {
    method: 'GET',
    path: '/readyz',
    summary: '200 once the host forwards by what was learned, 503 before.',
    answers: 'object',
    shape: { name: 'Health', schema: healthReport },
  },
  reload: {
    method: 'POST',
    path: '/v1/reload',
    summary: 'Reads the configuration again. 422 when it has faults: then nothing has changed.',
    input: noInput,
    answers: 'object',
    shape: { name: 'ReloadReport', schema: reloadReport },
  },
  refresh: {
    method: 'POST',
    path: '/v1/refresh',
    summary: 'Asks a peer for its routes again, or sends it ours again (RFC 2918).',
    input: z.strictObject({
      peer,
      direction: z.enum(['in', 'out', 'both']).optional().describe('Default `both`.'),
    }),
    answers: 'object',
    shape: { name: 'CommandReport', schema: commandReport },
  },
  reset: {
    method: 'POST',
    path: '/v1/reset',
    summary: 'Ends the session with a peer; it comes back by itself.',
    input: z.strictObject({ peer }),
    answers: 'object',
    shape: { name: 'CommandReport', schema: commandReport },
  },
  shutdown: {
    method: 'POST',
    path: '/v1/shutdown',
    summary: 'Ends the session with a peer until `startup` (RFC 9003).',
    input: z.strictObject({
      peer,
      message: z.string().optional().describe('Told to the peer, at most 255 bytes of UTF-8.'),
    }),
    answers: 'object',
    shape: { name: 'CommandReport', schema: commandReport },
  },
  startup: {
    method: 'POST',
    path: '/v1/startup',
    summary: 'Takes back a shutdown.',
    input: z.strictObject({ peer }),
    answers: 'object',
    shape: { name: 'CommandReport', schema: commandReport },
  },
  drain: {
    method: 'POST',
    path: '/v1/drain',
    summary:
      'Announces all routes as the last choice (RFC 8326), and answers when the peers have been told. `undo` takes it back.',
    input: z.strictObject({
      undo: z.enum(['true', 'false']).optional().describe('`true`: as before again.'),
      stop: z
        .enum(['true', 'false'])
        .optional()
        .describe('`true`: then withdraw all routes, answer, and stop the daemon.'),
    }),
    answers: 'object',
    shape: { name: 'CommandReport', schema: commandReport },
  },
  clearCounters: {
    method: 'POST',
    path: '/v1/clear-counters',
    summary: 'Sets message and flap counters to zero.',
    input: noInput,
    answers: 'object',
    shape: { name: 'CommandReport', schema: commandReport },
  },
} as const satisfies Record<string, Endpoint>

export type EndpointName = keyof typeof ENDPOINTS
