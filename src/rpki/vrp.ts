/** Validated ROA payload: this AS may originate the prefix, and parts of it up to a length (RFC 6811 section 2). */
import type { FamilyFacts } from '../net/family.ts'

export interface Vrp {
  readonly family: FamilyFacts
  /** Big-endian, host bits zero; 1 or 4. */
  readonly words: Int32Array
  readonly length: number
  readonly maxLength: number
  readonly asn: number
}
