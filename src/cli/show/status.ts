import type { StatusRow } from '../../control/reports.ts'
import { formatAge, formatBytes, paint } from '../style.ts'
import { formatProperties, type Look } from '../table.ts'

export function formatStatus(row: StatusRow, look: Look): string {
  const { fib, prefixes, paths } = row
  const waiting = Object.entries(row.queues).filter(([, length]) => length > 0)
  const properties = formatProperties(
    [
      ['linnet', `${row.version} on ${row.host}, process ${row.pid}`],
      ['running', `${formatAge(row.startedAt, look.now)} since ${row.startedAt}`],
      ['AS', String(row.asn)],
      ['router id', row.routerId ?? ''],
      ['configuration', `${row.configFile}, read ${formatAge(row.configLoadedAt, look.now)} ago`],
      ...(row.restarting === null ? [] : [['restarting', row.restarting] as const]),
      ['sessions', `${row.established} of ${row.peers} established`],
      ['prefixes', `${prefixes.ipv4} ipv4, ${prefixes.ipv6} ipv6`],
      ['paths', `${paths.ipv4} ipv4, ${paths.ipv6} ipv6`],
      ['own prefixes', String(row.sources)],
      [
        'kernel routes',
        `${fib.installed} installed, ${fib.pending} pending, ${fib.failed} failed, ${fib.stale} stale, ${fib.refused} refused; ${fib.repairs} repaired`,
      ],
      ['waiting', waiting.map(([stage, length]) => `${length} ${stage}`).join(', ') || 'nothing'],
      ['memory', formatBytes(row.rssBytes)],
      ['event loop lag', `${row.eventLoopLagMs.toFixed(1)} ms`],
    ],
    look,
  )
  const warnings = row.warnings.map((it) => `${paint('warning', 'warning', look.colour)}: ${it}\n`)
  return properties + warnings.join('')
}
