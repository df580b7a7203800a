import type { CapabilitySpec } from './capability.ts'

/** Messages up to 65,535 bytes are understood. */
export interface ExtendedMessage {
  readonly name: 'extended-message'
}

export const extendedMessage: CapabilitySpec<ExtendedMessage> = {
  code: 6,
  name: 'extended-message',
  rfc: 'RFC 8654 section 3',
  onMalformed: 'ignore',
  decode: () => ({ name: 'extended-message' }),
  encode: () => undefined,
}
