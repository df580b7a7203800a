/** What the daemon says about itself: its status, its health, what a command did, what happened. */
import { z } from 'zod'

const count = (meaning: string) => z.number().int().min(0).describe(meaning)
const text = (meaning: string) => z.string().describe(meaning)
const texts = (meaning: string) => z.array(z.string()).describe(meaning)
const time = (meaning: string) => z.iso.datetime().describe(meaning)

const perFamily = (meaning: string) =>
  z.object({ ipv4: count('IPv4.'), ipv6: count('IPv6.') }).describe(meaning)

export const statusRow = z.object({
  version: text('Version of linnet.'),
  host: text('Host name.'),
  pid: count('Process id of the daemon.'),
  asn: count('Our AS.'),
  routerId: z.string().nullable().describe('Our BGP identifier; null until it is known.'),
  drained: z.boolean().describe('Routes are announced as the last choice: `linnet drain`.'),
  restarting: z
    .string()
    .nullable()
    .describe(
      'While forwarding goes on by the routes of an earlier run: `waiting for End-of-RIB of tor-a, at most 42 s more`; else null.',
    ),
  startedAt: time('When the daemon started.'),
  configFile: text('The configuration in use.'),
  configLoadedAt: time('When it was read.'),
  peers: count('Peers, dynamic ones included.'),
  established: count('Of those, Established.'),
  prefixes: perFamily('Prefixes in the Loc-RIB.'),
  paths: perFamily('Paths in all Adj-RIBs-In and from our own sources.'),
  sources: count('Own prefixes.'),
  fib: z
    .object({
      installed: count('Routes in the kernel as wanted.'),
      pending: count('Routes on their way to the kernel.'),
      failed: count('Routes that the kernel refused.'),
      stale: count('Routes found at start and not confirmed yet.'),
      refused: count(
        'Prefixes that peers announce and that are never installed: `view=rejected` tells why.',
      ),
      repairs: count('Times somebody else changed a route of ours and we put it back.'),
      fights: count(
        'Times a route was left alone for 5 minutes, because somebody changed it more than 10 times in a minute.',
      ),
    })
    .describe('The kernel routes.'),
  queues: z
    .record(z.string(), z.number().int().min(0))
    .describe('Work waiting, by stage: `decide`, `fib`, `announce`.'),
  attributeSets: count('Distinct sets of path attributes that are held.'),
  ribBytes: count('Memory of the tables of prefixes, paths and attribute sets.'),
  strangersRefused: count('Connections from addresses that are no peer of ours.'),
  openFiles: count('Open file descriptors, those of connections among them.'),
  rssBytes: count('Resident memory.'),
  eventLoopLagMs: z
    .number()
    .min(0)
    .describe('Longest that a timer was late since the previous look, in milliseconds.'),
  warnings: texts('What is not as it should be, with the remedy: `net.ipv4.ip_forward is 0: ...`.'),
})
export type StatusRow = z.infer<typeof statusRow>

export const healthReport = z.object({
  alive: z.boolean().describe('The event loop turns and no part has failed for good.'),
  ready: z.boolean().describe('Ready to forward: first routes received and in the kernel.'),
  reasons: texts('What is missing, when something is.'),
})
export type HealthReport = z.infer<typeof healthReport>

export const reloadReport = z.object({
  ok: z.boolean().describe('False: the file has faults and nothing was changed.'),
  configFile: text('The file.'),
  complaints: texts('Faults as `file:line:column: what is wrong, what to write instead`.'),
  added: texts('Peers that were added.'),
  removed: texts('Peers that were removed.'),
  changed: texts('Peers whose settings changed (and what that meant: `tor-a: session reset`).'),
  kept: count('Peers whose sessions were not touched.'),
  other: texts('What else changed: `kernel.metric: 20 -> 30`.'),
  needsRestart: texts('Settings that take effect only when the daemon is restarted.'),
})
export type ReloadReport = z.infer<typeof reloadReport>

export const commandReport = z.object({ text: text('What was done, in one line.') })
export type CommandReport = z.infer<typeof commandReport>

export const TOPICS = [
  'peers',
  'routes',
  'fib',
  'sources',
  'nexthops',
  'monitors',
  'config',
  'daemon',
  'rpki',
] as const

export const eventRow = z.object({
  at: time('When it happened.'),
  topic: z.enum(TOPICS).describe('What it is about: the table of `linnet show` that it changes.'),
  kind: text('Past tense: `SessionEstablished`, `SourceOffered`, `RouteRepaired`.'),
  peer: z.string().nullable().describe('The peer concerned.'),
  prefix: z.string().nullable().describe('The prefix concerned.'),
  text: text('For people, in one line.'),
})
export type EventRow = z.infer<typeof eventRow>

export const errorReport = z.object({
  error: text('What is wrong.'),
  remedy: text('What to do about it; empty when there is nothing to advise.'),
})
export type ErrorReport = z.infer<typeof errorReport>
