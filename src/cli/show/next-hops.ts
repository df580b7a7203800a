import type { NextHopRow } from '../../control/rows.ts'
import { formatAge } from '../style.ts'
import { legText } from './fib.ts'
import type { TableView } from './view.ts'

export const nextHopsView: TableView<NextHopRow> = {
  path: '/v1/nexthops',
  topic: 'nexthops',
  columns: [
    { title: 'ID', of: (row) => String(row.id ?? ''), align: 'right' },
    { title: 'NEXT HOP', of: (row) => row.nextHops.join(' ') },
    {
      title: 'REACHED',
      of: (row) => row.members.map(legText).join(', ') || 'unreachable',
      style: (row) => (row.members.length === 0 ? 'bad' : 'plain'),
    },
    { title: 'ROUTES', of: (row) => String(row.routes), align: 'right' },
    { title: 'BACKUP', of: (row) => row.backup ?? '' },
    { title: 'AGE', of: (row, now) => formatAge(row.since, now), align: 'right' },
    { title: 'RESOLVED BY', of: (row) => row.resolvedBy, style: () => 'dim' },
  ],
  nothing: () => 'no next hops: no learned route is in use, see linnet show routes',
}
