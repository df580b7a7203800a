/** The policies that need no configuration, by name. */
import type { Policy, Verdict } from './policy.ts'

const constant = (name: string, verdict: Verdict): Policy => ({
  name,
  looksAtPrefix: false,
  looksAtSource: false,
  looksAtRpki: false,
  judge: () => verdict,
})

export const accept = constant('accept', { accept: true, reason: 'policy accept' })

/** Also what eBGP gets when nothing is configured (RFC 8212). */
export const reject = constant('reject', { accept: false, reason: 'policy reject' })

const OWN: Verdict = { accept: true, reason: 'policy local: our own prefix' }
const LEARNED: Verdict = { accept: false, reason: 'policy local: learned from a peer' }

/** Only what our own sources offer: a host is no transit. */
export const local: Policy = {
  name: 'local',
  looksAtPrefix: false,
  looksAtSource: false,
  looksAtRpki: false,
  judge: ({ from }) => (from.local ? OWN : LEARNED),
}

export const STANDARD_POLICIES: ReadonlyMap<string, Policy> = new Map(
  [accept, reject, local].map((policy) => [policy.name, policy]),
)
