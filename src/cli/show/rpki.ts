import type { RpkiRow } from '../../control/rows.ts'
import { formatAge } from '../style.ts'
import type { TableView } from './view.ts'

export const rpkiView: TableView<RpkiRow> = {
  path: '/v1/rpki',
  topic: 'rpki',
  columns: [
    { title: 'CACHE', of: (row) => row.cache },
    {
      title: 'STATE',
      of: (row) => row.state,
      style: (row) => (row.state === 'synchronized' ? 'good' : 'bad'),
    },
    { title: 'USED', of: (row) => (row.used ? 'yes' : 'no') },
    { title: 'SERIAL', of: (row) => String(row.serial ?? ''), align: 'right' },
    { title: 'IPV4', of: (row) => String(row.ipv4), align: 'right' },
    { title: 'IPV6', of: (row) => String(row.ipv6), align: 'right' },
    { title: 'AGE', of: (row, now) => formatAge(row.since, now), align: 'right' },
    { title: 'LAST ERROR', of: (row) => row.lastError ?? '', blank: true, style: () => 'dim' },
  ],
  nothing: () => 'no RPKI caches: add rpki: [{ address: ... }] to the configuration',
}
