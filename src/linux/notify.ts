/**
 * Telling systemd how we are: the sd_notify(3) protocol, one datagram of `NAME=value` lines to the
 * unix socket in NOTIFY_SOCKET, whose name starts with `@` when it is an abstract one.
 *
 * Without systemd nothing is sent. Errors are nobody's business: readiness is a courtesy.
 */
import { encodeUtf8 } from '../net/utf8.ts'
import { AF_UNIX, close, MSG_DONTWAIT, sendTo, SOCK_CLOEXEC, SOCK_DGRAM, socket } from './sys.ts'

/** Room for the path in struct sockaddr_un. */
const PATH_BYTES = 108

/** What we may say; see sd_notify(3). */
export interface Notice {
  readonly ready?: boolean
  readonly reloading?: boolean
  readonly stopping?: boolean
  /** One line for `systemctl status`. */
  readonly status?: string
  /** A sign of life. */
  readonly watchdog?: boolean
}

export interface ServiceManager {
  /** False when nobody listens. */
  notify(notice: Notice): boolean
  /** How often a sign of life is expected at least, in milliseconds; undefined when none is. */
  readonly watchdogMs: number | undefined
}

/** The service manager that started us, as the environment tells; a deaf one when there is none. */
export function serviceManager(
  environment: Readonly<Record<string, string | undefined>> = process.env,
): ServiceManager {
  const address = unixAddress(environment.NOTIFY_SOCKET ?? '')
  return {
    notify: (notice) => address !== undefined && send(address, noticeText(notice)),
    watchdogMs: watchdogInterval(environment),
  }
}

/** The datagram's text. MONOTONIC_USEC is required with RELOADING since systemd 253. */
export function noticeText(notice: Notice, monotonicUs = process.hrtime.bigint() / 1000n): string {
  const lines: string[] = []
  if (notice.ready === true) lines.push('READY=1')
  if (notice.reloading === true) lines.push('RELOADING=1', `MONOTONIC_USEC=${monotonicUs}`)
  if (notice.stopping === true) lines.push('STOPPING=1')
  if (notice.status !== undefined) lines.push(`STATUS=${notice.status.replaceAll('\n', ' ')}`)
  if (notice.watchdog === true) lines.push('WATCHDOG=1')
  return lines.join('\n')
}

/** struct sockaddr_un for a path or an abstract `@name`; undefined when it is neither, or too long. */
export function unixAddress(path: string): Uint8Array | undefined {
  if (!path.startsWith('/') && !path.startsWith('@')) return undefined
  const name = encodeUtf8(path)
  if (name.length > PATH_BYTES - 1) return undefined
  if (path.startsWith('@')) name[0] = 0
  // An abstract name ends where the address ends, a path with a zero.
  const bytes = new Uint8Array(2 + name.length + (path.startsWith('@') ? 0 : 1))
  bytes[0] = AF_UNIX
  bytes.set(name, 2)
  return bytes
}

function watchdogInterval(
  environment: Readonly<Record<string, string | undefined>>,
): number | undefined {
  const microseconds = Number(environment.WATCHDOG_USEC ?? '')
  const pid = environment.WATCHDOG_PID
  if (!(microseconds > 0) || (pid !== undefined && Number(pid) !== process.pid)) return undefined
  return microseconds / 1000
}

function send(address: Uint8Array, text: string): boolean {
  const fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)
  if (fd < 0) return false
  const bytes = encodeUtf8(text)
  const sent = sendTo(fd, bytes, bytes.length, address, MSG_DONTWAIT)
  close(fd)
  return sent === bytes.length
}
