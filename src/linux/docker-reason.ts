/** Why a container engine can't be asked, in words that tell what to do. */
import type { EngineEndpoint } from '../sources/docker-engine.ts'

/** `where`: its socket, or host and port; `error` undefined: it has ended the stream of events. */
export function whyEngineFails(error: unknown, where: string, endpoint: EngineEndpoint): string {
  if (error === undefined) return `${where} has hung up; it is called again`
  const { code, status, message, path } = factsOf(error)
  if (path !== undefined && path !== where) return `can't read ${path} (${code})`
  const onSocket = endpoint.host === undefined
  switch (code) {
    case 'ENOENT':
      return `there is no ${where}: start Docker, or write advertise.docker.socket`
    case 'EACCES':
    case 'EPERM':
      return `no permission for ${where}: run linnet as root, or in the group docker (SupplementaryGroups=docker in its unit)`
    case 'ECONNREFUSED':
      return `nobody listens on ${where}: start Docker${onSocket ? '' : ', or write advertise.docker.host'}`
    case 'ETIMEDOUT':
      return `no answer from ${where}: is Docker stopped, or overloaded?`
    case 'ECONNRESET':
    case 'EPIPE':
      return `${where} has hung up; ${afterHangUp(endpoint)}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${where} can't be looked up: write an address in advertise.docker.host`
  }
  if (code.startsWith('ERR_TLS_CERT_ALTNAME')) {
    return `the certificate of ${where} is for another name: write that in advertise.docker.host (${message})`
  }
  if (CERTIFICATE_PROBLEMS.test(code)) {
    return `the certificate of ${where} is not believed (${code}): write who signed it in advertise.docker.tls.ca`
  }
  if (/certificate required|bad certificate|unknown ca|handshake failure/i.test(message)) {
    return `${where} does not believe our certificate: ${OWN_CERTIFICATE}`
  }
  if (code === 'EPROTO' || /SSL|wrong version number/i.test(code)) {
    return `${where} does not speak TLS: remove advertise.docker.tls (${code})`
  }
  if (status === 400 && /HTTPS server/.test(message)) {
    return `${where} speaks TLS: write advertise.docker.tls`
  }
  const refusal = status === undefined ? code : `HTTP ${status}`
  return `${where} answers what is no answer of Docker (${[refusal, message].filter((it) => it !== '').join(', ')}): is it one?`
}

const OWN_CERTIFICATE = 'write advertise.docker.tls.cert and key, signed by its --tlscacert'

function afterHangUp({ host, tls }: EngineEndpoint): string {
  if (host === undefined) return 'it is called again'
  return tls === undefined
    ? 'if it speaks TLS, write advertise.docker.tls'
    : `if it asks for a certificate, ${OWN_CERTIFICATE}`
}

const CERTIFICATE_PROBLEMS =
  /^(CERT_|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_(VERIFY|GET)|ERR_TLS_CERT|INVALID_CA|INVALID_PURPOSE)/

function factsOf(error: unknown): {
  readonly code: string
  readonly status: number | undefined
  readonly message: string
  readonly path: string | undefined
} {
  const facts: Readonly<Record<string, unknown>> =
    typeof error === 'object' && error !== null ? { ...error } : {}
  const { code, statusCode, path, syscall } = facts
  return {
    code: typeof code === 'string' ? code : '',
    status: typeof statusCode === 'number' ? statusCode : undefined,
    message: error instanceof Error ? error.message.trim() : String(error),
    // Of a file; a socket's is where we were going.
    path: typeof path === 'string' && syscall === 'open' ? path : undefined,
  }
}
