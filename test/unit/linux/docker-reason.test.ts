import { expect, test } from 'vitest'
import { whyEngineFails } from '../../../src/linux/docker-reason.ts'
import type { EngineEndpoint } from '../../../src/sources/docker-engine.ts'

const SOCKET = '/var/run/docker.sock'
const unix: EngineEndpoint = {}
const plain: EngineEndpoint = { host: '10.0.0.1', port: 2375 }
const tls: EngineEndpoint = { host: '10.0.0.1', port: 2376, tls: {} }

const failed = (facts: Readonly<Record<string, unknown>>, message = 'it failed'): Error =>
  Object.assign(new Error(message), facts)

/** As Node 20 and dockerode 5 reject, and what people read. */
const REASONS: readonly [error: Error | undefined, endpoint: EngineEndpoint, says: string][] = [
  [undefined, unix, 'AT has hung up; it is called again'],
  [
    failed({ code: 'ENOENT', syscall: 'connect', path: SOCKET }),
    unix,
    'there is no AT: start Docker, or write advertise.docker.socket',
  ],
  [
    failed({ code: 'EACCES', syscall: 'connect', path: SOCKET }),
    unix,
    'no permission for AT: run linnet as root, or in the group docker (SupplementaryGroups=docker in its unit)',
  ],
  [
    failed({ code: 'ECONNREFUSED', syscall: 'connect', path: SOCKET }),
    unix,
    'nobody listens on AT: start Docker',
  ],
  [
    failed({ code: 'ECONNREFUSED', syscall: 'connect' }),
    plain,
    'nobody listens on AT: start Docker, or write advertise.docker.host',
  ],
  [failed({ code: 'ETIMEDOUT' }), unix, 'no answer from AT: is Docker stopped, or overloaded?'],
  [
    failed({ code: 'ENOTFOUND', syscall: 'getaddrinfo' }),
    plain,
    "AT can't be looked up: write an address in advertise.docker.host",
  ],
  [failed({ code: 'ECONNRESET' }), unix, 'AT has hung up; it is called again'],
  [
    failed({ code: 'ECONNRESET' }),
    plain,
    'AT has hung up; if it speaks TLS, write advertise.docker.tls',
  ],
  [
    failed({ code: 'ECONNRESET' }),
    tls,
    'AT has hung up; if it asks for a certificate, write advertise.docker.tls.cert and key, signed by its --tlscacert',
  ],
  [
    failed({ code: 'ENOENT', syscall: 'open', path: '/etc/linnet/ca.pem' }),
    tls,
    "can't read /etc/linnet/ca.pem (ENOENT)",
  ],
  [
    failed({ code: 'SELF_SIGNED_CERT_IN_CHAIN' }),
    tls,
    'the certificate of AT is not believed (SELF_SIGNED_CERT_IN_CHAIN): write who signed it in advertise.docker.tls.ca',
  ],
  [
    failed({ code: 'CERT_HAS_EXPIRED' }),
    tls,
    'the certificate of AT is not believed (CERT_HAS_EXPIRED): write who signed it in advertise.docker.tls.ca',
  ],
  [
    failed({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' }, 'Host: localhost.'),
    tls,
    'the certificate of AT is for another name: write that in advertise.docker.host (Host: localhost.)',
  ],
  [
    failed({ code: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }, 'alert certificate required'),
    tls,
    'AT does not believe our certificate: write advertise.docker.tls.cert and key, signed by its --tlscacert',
  ],
  [
    failed({ code: 'EPROTO' }, 'wrong version number'),
    tls,
    'AT does not speak TLS: remove advertise.docker.tls (EPROTO)',
  ],
  [
    failed({ statusCode: 400 }, 'Client sent an HTTP request to an HTTPS server.'),
    plain,
    'AT speaks TLS: write advertise.docker.tls',
  ],
  [
    failed({ statusCode: 403 }, 'no'),
    plain,
    'AT answers what is no answer of Docker (HTTP 403, no): is it one?',
  ],
]

test.each(REASONS)('%s', (error, endpoint, says) => {
  const at = endpoint.host === undefined ? SOCKET : `${endpoint.host}:${endpoint.port}`
  expect(whyEngineFails(error, at, endpoint).replace(at, 'AT')).toBe(says)
})
