/** `advertise.docker`: which engine is asked, and what of it is announced. `true` is a map with all defaults. */
import { z } from 'zod'
import type { Complaints } from './advice.ts'
import type { DockerConfig } from './config.ts'
import { key } from './key.ts'
import { choice, flag, path, text, valueFacts } from './values.ts'

/** Beside 2376 for TLS, as registered at IANA. */
const PLAIN_PORT = 2375
const TLS_PORT = 2376

/** `tcp://127.0.0.1:2376`; the port may be left out. */
const engineAddress = text(
  (written) => {
    const match = /^tcp:\/\/(?:\[([\da-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?$/i.exec(written)
    const [, ipv6, name = ipv6, digits] = match ?? []
    const port = digits === undefined ? undefined : Number(digits)
    if (name === undefined || port === 0 || (port ?? 0) > 65535) return undefined
    return { name, port }
  },
  { noun: 'the address of an engine', write: 'tcp://127.0.0.1:2376' },
)

export const engineTls = z.strictObject({
  ca: key(
    path.optional(),
    'File of the certificates that the engine is believed by.',
    '/etc/linnet/docker/ca.pem',
    "the system's",
  ),
  cert: key(
    path.optional(),
    'File of our certificate; with `key`.',
    '/etc/linnet/docker/cert.pem',
    'none',
  ),
  key: key(path.optional(), 'File of its key.', '/etc/linnet/docker/key.pem', 'none'),
})

const dockerMap = z.strictObject({
  socket: key(
    path.optional(),
    'Its unix socket. Reading it is as good as being root: linnet only asks.',
    '/run/user/1000/docker.sock',
    '`/var/run/docker.sock`; if there is none, `docker.sock` in `$XDG_RUNTIME_DIR`',
  ),
  host: key(
    engineAddress.optional(),
    'An engine of this host that listens on TCP instead.',
    'tcp://127.0.0.1:2376',
    'the socket',
  ),
  tls: key(
    engineTls.optional(),
    'Speak TLS with `host`: a map, below; `{}` believes what the system believes.',
    { ca: '/etc/linnet/docker/ca.pem' },
    'off',
  ),
  networks: key(
    choice('all', 'labelled').optional(),
    'Networks to announce: `all` that can be reached from outside and are not labelled `bgp.advertise=false`, or only those that are labelled `bgp.advertise=true`.',
    'labelled',
    '`all`',
  ),
  containers: key(
    z
      .union([flag, z.literal('labelled')])
      .register(valueFacts, { noun: 'true, false or labelled', write: 'true, false or labelled' })
      .optional(),
    'Containers that get a /32 or /128 of their own, each while it runs, is not paused, and is healthy where it has a health check: all, none, or those whose label `bgp.advertise`, or the label `bgp.containers` of their network, is `true`.',
    true,
    '`labelled`',
  ),
})

export const dockerSchema = z.union([flag, dockerMap]).register(valueFacts, {
  noun: 'true, false or a map',
  write: 'true, false, or { networks: labelled }',
})

type DockerEntry = z.output<typeof dockerSchema>

export function resolveDocker(
  entry: DockerEntry | undefined,
  complaints: Complaints,
): DockerConfig | undefined {
  if (entry === undefined || entry === false) return undefined
  const { socket, host, tls, networks, containers } = entry === true ? {} : entry
  const at = ['advertise', 'docker']
  if (socket !== undefined && host !== undefined) {
    const message = 'host stands beside it, and only one can count'
    complaints.error([...at, 'socket'], message, 'remove one of them')
  }
  if (tls !== undefined && host === undefined) {
    complaints.error([...at, 'tls'], 'a unix socket has no TLS', 'add host:, or remove it')
  }
  for (const [one, other] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const) {
    if (tls?.[one] === undefined || tls[other] !== undefined) continue
    complaints.error([...at, 'tls', one], `is nothing without ${other}`, `add ${other}: FILE`)
  }
  return {
    endpoint: {
      ...(socket === undefined ? {} : { socket }),
      ...(host === undefined
        ? {}
        : { host: host.name, port: host.port ?? (tls === undefined ? PLAIN_PORT : TLS_PORT) }),
      ...(tls === undefined ? {} : { tls }),
    },
    networks: networks ?? 'all',
    containers: containers ?? 'labelled',
  }
}
