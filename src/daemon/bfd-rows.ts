/** BFD, as `show peers` and `show peer` have it. */
import { describeDiagnostic } from '../bfd/packet.ts'
import type { BfdRow, PeerRow } from '../control/rows.ts'
import type { BfdPeers } from './bfd-peers.ts'
import { isoOf } from './clock.ts'
import type { Neighbor } from './neighbor.ts'

export function bfdFields(
  bfd: BfdPeers,
  { config }: Neighbor,
): Pick<PeerRow, 'bfd' | 'bfdFailures'> {
  const report = bfd.reportOf(config.name)
  const unknown = config.bfd === undefined ? null : 'Down'
  return { bfd: report?.state ?? unknown, bfdFailures: report?.failures ?? 0 }
}

export function bfdRow(bfd: BfdPeers, { config }: Neighbor): BfdRow | null {
  const spec = bfd.specOf(config.name)
  const report = bfd.reportOf(config.name)
  if (spec === undefined || report === undefined) return null
  return {
    since: isoOf(report.since),
    multihop: spec.path.hops === 'multiple',
    diagnostic: describeDiagnostic(report.diagnostic),
    remoteState: report.remoteState,
    remoteDiagnostic: describeDiagnostic(report.remoteDiagnostic),
    discriminator: report.discriminator,
    remoteDiscriminator: report.remoteDiscriminator,
    transmitInterval: report.transmitMs,
    receiveInterval: report.receiveMs,
    remoteMultiplier: report.remoteDetectMultiplier,
    detectionTime: report.detectionMs,
    longestSilence: report.longestSilenceMs,
    controlPlaneIndependent: report.controlPlaneIndependent,
    authenticated: spec.key !== undefined,
    ups: report.ups,
  }
}
