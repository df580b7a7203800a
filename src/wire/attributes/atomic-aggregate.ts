import { WELL_KNOWN, type AttributeSpec } from './attribute.ts'

/** Says it all by being there. */
export const atomicAggregate: AttributeSpec<true> = {
  code: 6,
  name: 'ATOMIC_AGGREGATE',
  rfc: 'RFC 4271 5.1.6',
  flags: WELL_KNOWN,
  onMalformed: 'discard',
  decode: () => true,
  encode: () => undefined,
  format: () => 'atomic aggregate',
}
