/**
 * The table of capabilities that we can read (IANA "Capability Codes"), and the list of them that an OPEN
 * carries. A capability that is not in the table is kept as its bytes, so that it can be shown.
 */
import { OutOfBytes, Reader, type Writer } from '../../net/bytes.ts'
import { ERROR_OPEN, UNSPECIFIC } from '../constants.ts'
import { SessionError } from '../errors.ts'
import { addPath, type AddPath } from './add-path.ts'
import type { CapabilitySpec } from './capability.ts'
import { enhancedRouteRefresh, type EnhancedRouteRefresh } from './enhanced-route-refresh.ts'
import { extendedMessage, type ExtendedMessage } from './extended-message.ts'
import { extendedNextHop, type ExtendedNextHop } from './extended-next-hop.ts'
import { fourOctetAs, type FourOctetAs } from './four-octet-as.ts'
import { fqdn, type Fqdn } from './fqdn.ts'
import { gracefulRestart, type GracefulRestart } from './graceful-restart.ts'
import {
  longLivedGracefulRestart,
  type LongLivedGracefulRestart,
} from './long-lived-graceful-restart.ts'
import { multiprotocol, type Multiprotocol } from './multiprotocol.ts'
import { role, type Role } from './role.ts'
import { routeRefresh, type RouteRefreshCapability } from './route-refresh.ts'

/** Not in the table, or a value that makes no sense. */
export interface UnknownCapability {
  readonly name: 'unknown'
  readonly code: number
  readonly bytes: Uint8Array
}

export type KnownCapability =
  | Multiprotocol
  | RouteRefreshCapability
  | ExtendedNextHop
  | ExtendedMessage
  | Role
  | GracefulRestart
  | FourOctetAs
  | AddPath
  | EnhancedRouteRefresh
  | LongLivedGracefulRestart
  | Fqdn

export type Capability = KnownCapability | UnknownCapability

export const CAPABILITIES: readonly CapabilitySpec<KnownCapability>[] = [
  multiprotocol,
  routeRefresh,
  extendedNextHop,
  extendedMessage,
  role,
  gracefulRestart,
  fourOctetAs,
  addPath,
  enhancedRouteRefresh,
  longLivedGracefulRestart,
  fqdn,
]

const BY_CODE: ReadonlyMap<number, CapabilitySpec<KnownCapability>> = new Map(
  CAPABILITIES.map((spec) => [spec.code, spec]),
)
const BY_NAME: ReadonlyMap<string, CapabilitySpec<KnownCapability>> = new Map(
  CAPABILITIES.map((spec) => [spec.name, spec]),
)

/**
 * Reads one capability, code and length included. Throws OutOfBytes when it overruns `from`, and a
 * SessionError when its row says so.
 */
export function decodeCapability(from: Reader): Capability {
  const code = from.u8()
  const bytes = from.bytes(from.u8())
  const spec = BY_CODE.get(code)
  if (spec === undefined) return { name: 'unknown', code, bytes: bytes.slice() }
  const known = readValue(spec, bytes)
  if (known !== undefined) return known
  if (spec.onMalformed === 'reset') {
    const why = `malformed capability ${spec.name} of ${bytes.length} bytes`
    throw new SessionError(ERROR_OPEN, UNSPECIFIC, why)
  }
  return { name: 'unknown', code, bytes: bytes.slice() }
}

/** Writes one capability, code and length included. */
export function encodeCapability(capability: Capability, to: Writer): void {
  const spec = BY_NAME.get(capability.name)
  to.u8(capability.name === 'unknown' ? capability.code : (spec?.code ?? 0))
  const lengthAt = to.length
  to.u8(0)
  if (capability.name === 'unknown') to.bytes(capability.bytes)
  else spec?.encode(capability, to)
  const length = to.length - lengthAt - 1
  if (length > 255) throw new RangeError(`capability ${capability.name} takes ${length} bytes`)
  to.patchU8(lengthAt, length)
}

function readValue(
  spec: CapabilitySpec<KnownCapability>,
  bytes: Uint8Array,
): KnownCapability | undefined {
  const from = new Reader(bytes)
  try {
    const value = spec.decode(from)
    return from.left === 0 ? value : undefined
  } catch (error) {
    if (error instanceof OutOfBytes) return undefined
    throw error
  }
}
