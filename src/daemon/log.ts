/**
 * The log: one line an event, as JSON, or for people on a terminal. Lines repeat no secret, since events
 * hold none.
 */
import { pino, type Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { Events } from './events.ts'

const COLOURS: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '',
  warn: '\u001b[33m',
  error: '\u001b[31m',
}
const PLAIN = '\u001b[0m'

/** Writes events to standard output until the process ends. */
export function logEvents(events: Events, options: Config['log']): Logger {
  const terminal = process.stdout.isTTY
  const pretty = options.format === 'pretty' || (options.format === 'auto' && terminal)
  const settings = { level: options.level, base: null, messageKey: 'text' }
  const logger = pretty
    ? pino(settings, {
        write: (line: string) => void process.stdout.write(prettyLine(line, terminal)),
      })
    : pino(
        {
          ...settings,
          timestamp: pino.stdTimeFunctions.isoTime,
          formatters: { level: (level) => ({ level }) },
        },
        pino.destination({ fd: 1, sync: true }),
      )
  events.subscribe((row, level) => {
    logger[level](
      {
        topic: row.topic,
        event: row.kind,
        ...(row.peer === null ? {} : { peer: row.peer }),
        ...(row.prefix === null ? {} : { prefix: row.prefix }),
      },
      row.text,
    )
  })
  return logger
}

interface LogEntry {
  readonly level: number
  readonly time: number
  readonly topic?: string
  readonly peer?: string
  readonly text?: string
}

/** `08:15:02.113 warn  peers  tor-a: hold timer expired` */
function prettyLine(line: string, colours: boolean): string {
  const entry = JSON.parse(line) as LogEntry
  const level = pino.levels.labels[entry.level] ?? 'info'
  const time = new Date(entry.time).toISOString().slice(11, 23)
  const where = entry.peer === undefined ? '' : `${entry.peer}: `
  const text = `${time} ${level.padEnd(5)} ${(entry.topic ?? '').padEnd(8)} ${where}${entry.text ?? ''}`
  const colour = colours ? COLOURS[level] : undefined
  return colour === undefined || colour === '' ? `${text}\n` : `${colour}${text}${PLAIN}\n`
}
