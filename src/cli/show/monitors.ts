import type { MonitorRow } from '../../control/rows.ts'
import { formatAge, formatBytes } from '../style.ts'
import type { TableView } from './view.ts'

export const monitorsView: TableView<MonitorRow> = {
  path: '/v1/monitors',
  topic: 'monitors',
  columns: [
    { title: 'MONITOR', of: (row) => row.name },
    { title: 'TARGET', of: (row) => row.target },
    {
      title: 'STATE',
      of: (row) => row.state,
      style: ({ state }) =>
        state === 'failed' ? 'bad' : state === 'connecting' ? 'warning' : 'good',
    },
    { title: 'SINCE', of: (row, now) => formatAge(row.since, now), align: 'right' },
    { title: 'MESSAGES', of: (row) => String(row.messages), align: 'right' },
    { title: 'BYTES', of: (row) => formatBytes(row.bytes), align: 'right' },
    { title: 'QUEUED', of: (row) => String(row.queued), align: 'right' },
    { title: 'LAST ERROR', of: (row) => row.lastError ?? '' },
  ],
  nothing: ({ configFile }) =>
    `no monitors: name files under mrt: or stations under bmp: in ${configFile}`,
}
