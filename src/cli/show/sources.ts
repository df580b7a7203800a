import type { SourceRow } from '../../control/rows.ts'
import { formatAge } from '../style.ts'
import type { TableView } from './view.ts'

export const sourcesView: TableView<SourceRow> = {
  path: '/v1/sources',
  topic: 'sources',
  columns: [
    { title: 'PREFIX', of: (row) => row.prefix },
    { title: 'SOURCE', of: (row) => row.source },
    {
      title: 'ON',
      of: (row) =>
        [row.interface, row.network, row.container].filter((it) => it !== null).join(' '),
    },
    {
      title: 'ANNOUNCED',
      of: (row) => (row.announced ? 'yes' : 'no'),
      style: (row) => (row.announced ? 'good' : 'warning'),
    },
    { title: 'AGE', of: (row, now) => formatAge(row.since, now), align: 'right' },
  ],
  nothing: ({ configFile }) =>
    `no prefixes of our own: name interfaces or prefixes under advertise: in ${configFile}`,
}
