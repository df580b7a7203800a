import { INVALID_ORIGIN } from '../constants.ts'
import { malformed } from '../errors.ts'
import { WELL_KNOWN, type AttributeSpec } from './attribute.ts'

export type Origin = 'IGP' | 'EGP' | 'incomplete'

/** In the order of their codes, and of preference. */
export const ORIGINS: readonly Origin[] = ['IGP', 'EGP', 'incomplete']

export const origin: AttributeSpec<Origin> = {
  code: 1,
  name: 'ORIGIN',
  rfc: 'RFC 4271 5.1.1',
  flags: WELL_KNOWN,
  onMalformed: 'withdraw',
  invalid: INVALID_ORIGIN,
  decode(from) {
    const code = from.u8()
    return ORIGINS[code] ?? malformed('withdraw', `origin ${code}`)
  },
  encode: (value, to) => void to.u8(ORIGINS.indexOf(value)),
  format: (value) => value,
}
