/**
 * A malformed UPDATE in words. RFC 7606 section 6 asks for the prefixes involved and for the whole message,
 * so that whoever looks into it can read what was really said.
 */
import type { MalformedUpdate } from '../rib/adj-rib-in-terms.ts'
import { toHex } from '../wire/attributes/hex.ts'
import type { SessionError } from '../wire/errors.ts'

/** Listed by name; the bytes say the rest. */
const MOST_PREFIXES = 20

export function describeMalformed({ problems, bytes, prefixes }: MalformedUpdate): string {
  const what = problems.map(({ name, why, remedy }) => `${name}: ${why} (${remedy})`).join('; ')
  const named = prefixes(MOST_PREFIXES + 1)
  const more = named.length > MOST_PREFIXES ? [...named.slice(0, MOST_PREFIXES), '...'] : named
  const which = more.length === 0 ? 'no prefix' : more.join(', ')
  return `malformed UPDATE: ${what}; it names ${which}; its body: ${toHex(bytes)}`
}

/** One that ended the session. */
export const describeUnreadable = (error: SessionError, body: Uint8Array): string =>
  `malformed UPDATE: ${error.message} (reset); its body: ${toHex(body)}`
