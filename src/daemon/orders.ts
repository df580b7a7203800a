/** What the operator may order through control: the daemon's side of `linnet reset`, `reload` and the rest. */
import { isError, formatComplaint } from '../config/complaint.ts'
import { changeOf, type ConfigChange } from '../config/change.ts'
import type { Config } from '../config/config.ts'
import { loadConfig } from '../config/load.ts'
import { Refusal, type Commands, type RefreshDirection } from '../control/queries.ts'
import type { ReloadReport } from '../control/reports.ts'
import { ListenError } from '../linux/tcp-listener.ts'
import type { HostView } from '../sources/source.ts'
import { ADMINISTRATIVE_RESET, ADMINISTRATIVE_SHUTDOWN } from '../wire/constants.ts'
import type { Events } from './events.ts'
import { drain, leave } from './leaving.ts'
import type { Neighbor } from './neighbor.ts'
import type { Speaker } from './speaker.ts'
import { hostFacts } from './this-host.ts'

export interface OrdersOptions {
  readonly speaker: Speaker
  readonly host: HostView
  readonly events: Events
  readonly configPath: string
  /** The new configuration is in use. */
  reloaded(config: Config): void
  /** As if by SIGTERM. */
  stop(): void
}

export function orders(options: OrdersOptions): Commands {
  const { speaker, events } = options
  const neighborOf = (name: string): Neighbor => {
    const neighbor = speaker.neighbor(name)
    if (neighbor !== undefined) return neighbor
    throw new Refusal(`no peer ${name}`, 'linnet show peers lists them', 404)
  }
  const done = (kind: string, peer: string, text: string): string => {
    speaker.bfd.look()
    events.tell({ level: 'info', topic: 'peers', kind, peer, text })
    return text
  }
  return {
    reload: () => reload(options),
    refresh: (name, direction) =>
      done('RefreshOrdered', name, refresh(neighborOf(name), direction)),
    reset: (name) => {
      neighborOf(name).standing.reset({ subcode: ADMINISTRATIVE_RESET })
      return done('ResetOrdered', name, `session with ${name} is reset`)
    },
    shutdown: (name, text) => {
      const cease = { subcode: ADMINISTRATIVE_SHUTDOWN, ...(text === undefined ? {} : { text }) }
      neighborOf(name).standing.stop(cease)
      return done('ShutdownOrdered', name, `${name} is shut down until linnet startup ${name}`)
    },
    startup: (name) => {
      neighborOf(name).standing.start()
      return done('StartupOrdered', name, `${name} is started`)
    },
    drain: async (on, stop) => {
      const text = on
        ? 'peers are asked to prefer other ways than this host'
        : 'peers are told that this host is a way like any other again'
      events.tell({ level: 'info', topic: 'peers', kind: on ? 'Drained' : 'DrainUndone', text })
      const waiting = await drain(speaker, on)
      const slow = `these have not taken all of it yet: ${waiting.join(', ')}`
      const told = `${text}${waiting.length === 0 ? ': done' : `; ${slow}`}`
      if (!stop) return told
      await leave(speaker)
      options.stop()
      return `${told}; nothing is announced any more, and linnet stops`
    },
    clearCounters: () => {
      for (const neighbor of speaker.neighbors) neighbor.clearCounters()
      return `counters of ${[...speaker.neighbors].length} peers are cleared`
    },
  }
}

function refresh(neighbor: Neighbor, direction: RefreshDirection): string {
  const { session, config, peer } = neighbor
  if (session === undefined) {
    throw new Refusal(`the session with ${config.name} is not up`, 'linnet show peer tells why')
  }
  const { families, routeRefresh } = session.negotiated
  const list = families.join(' and ')
  if (direction !== 'out' && !routeRefresh) {
    throw new Refusal(
      `${config.name} has no route refresh (RFC 2918)`,
      `use linnet reset ${config.name}, which interrupts traffic`,
    )
  }
  for (const family of families) {
    if (direction !== 'out') peer.sendRouteRefresh(family)
    if (direction !== 'in') neighbor.sendAgain(family)
  }
  const asked = `asked ${config.name} for its ${list} routes`
  const sent = `sending ${config.name} our ${list} routes again`
  return direction === 'in' ? asked : direction === 'out' ? sent : `${asked}, ${sent}`
}

async function reload({
  speaker,
  host,
  events,
  configPath,
  reloaded,
}: OrdersOptions): Promise<ReloadReport> {
  const loaded = loadConfig(configPath, hostFacts(host))
  if ('complaints' in loaded) {
    const complaints = loaded.complaints.filter(isError).map(formatComplaint)
    return refused(speaker, events, configPath, complaints, [])
  }
  const { config } = loaded
  const change = changeOf(speaker.config, config)
  if (change.refusals.length > 0) return refused(speaker, events, configPath, [], change.refusals)
  try {
    speaker.reconfigure(config, change)
  } catch (error) {
    if (error instanceof ListenError)
      return refused(speaker, events, configPath, [error.message], [])
    throw error
  }
  reloaded(config)
  const report = reportOf(configPath, change)
  events.tell({
    level: 'info',
    topic: 'config',
    kind: 'ConfigReloaded',
    text: `reloaded ${configPath}: ${report.added.length} peers added, ${report.removed.length} removed, ${report.changed.length} changed, ${report.kept} untouched`,
  })
  return report
}

function refused(
  speaker: Speaker,
  events: Events,
  configFile: string,
  complaints: readonly string[],
  needsRestart: readonly string[],
): ReloadReport {
  for (const text of [...complaints, ...needsRestart]) {
    events.tell({
      level: 'error',
      topic: 'config',
      kind: 'ReloadRefused',
      text: `${text}; nothing was changed`,
    })
  }
  return {
    ok: false,
    configFile,
    complaints: [...complaints],
    added: [],
    removed: [],
    changed: [],
    other: [],
    kept: speaker.config.peers.length,
    needsRestart: [...needsRestart],
  }
}

const reportOf = (configFile: string, change: ConfigChange): ReloadReport => ({
  ok: true,
  configFile,
  complaints: [],
  added: change.added.map(({ name }) => name),
  removed: change.removed.map(({ name }) => name),
  changed: change.changed.map(
    ({ name, effect, fields }) =>
      `${name}: ${fields.map(({ field }) => field).join(', ')} (${EFFECTS[effect]})`,
  ),
  kept: change.unchanged.length,
  other: change.global.map(({ field }) => field),
  needsRestart: [],
})

const EFFECTS = {
  live: 'applied to the running session',
  nextSession: 'from the next connection on',
  reset: 'session reset',
} as const
