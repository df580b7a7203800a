/**
 * A row of the capabilities table (RFC 5492): one file per code describes one.
 */
import type { Reader, Writer } from '../../net/bytes.ts'

export interface CapabilitySpec<T extends { readonly name: string }> {
  readonly code: number
  readonly name: T['name']
  readonly rfc: string
  /**
   * What a value that can't be read costs: `reset` where the session would go on in a wrong belief,
   * otherwise the capability counts as unknown.
   */
  readonly onMalformed: 'ignore' | 'reset'
  /** Reads the value; undefined when it is malformed. Bytes left over make it malformed too. */
  decode(from: Reader): T | undefined
  encode(capability: T, to: Writer): void
}

/** An address family as capabilities name it. */
export interface AfiSafi {
  readonly afi: number
  readonly safi: number
}
