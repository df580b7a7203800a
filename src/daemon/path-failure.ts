/** What a session is told when BFD speaks (`bfd-peers.ts`). */

/** The path of a session has failed, as BFD sees it. */
export interface PathFailure {
  /**
   * BFD there does not share the fate of the control plane (the C bit): what has failed is the forwarding, and
   * routes must not be kept. Without it, it may as well be a restart (RFC 5882 section 4.3).
   */
  readonly controlPlaneIndependent: boolean
}

/** Why a peer with `strict` has no session. */
export const STRICTLY = 'waiting for BFD to come up (strict)'
