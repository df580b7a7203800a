import type { RouteRow } from '../../control/rows.ts'
import { formatAge } from '../style.ts'
import type { TableView } from './view.ts'

const ORIGINS = { igp: 'i', egp: 'e', incomplete: '?' } as const

const marksOf = (route: RouteRow): string =>
  (route.best ? '*' : route.multipath ? '=' : ' ') +
  (route.installed ? '>' : ' ') +
  (route.stale ? 's' : '')

/** AS path and origin, as looking glasses write them: `65001 65102 i`. */
const pathOf = ({ asPath, origin }: RouteRow): string =>
  [asPath, origin === null ? '' : ORIGINS[origin]].filter((part) => part !== '').join(' ')

export const routesView: TableView<RouteRow> = {
  path: '/v1/routes',
  topic: 'routes',
  legend: '* best   = multipath   > in the kernel   s stale',
  columns: [
    { title: '', of: marksOf, blank: true },
    { title: 'PREFIX', of: (route) => route.prefix },
    { title: 'NEXT HOP', of: (route) => route.nextHops.join(' ') },
    { title: 'FROM', of: (route) => route.peer ?? route.source },
    { title: 'ID', of: ({ pathId }) => `${pathId ?? ''}`, align: 'right', optional: true },
    { title: 'AS PATH', of: pathOf },
    { title: 'PREF', of: (route) => String(route.localPref ?? ''), align: 'right' },
    { title: 'MED', of: (route) => String(route.med ?? ''), align: 'right' },
    { title: 'WEIGHT', of: ({ weight }) => `${weight ?? ''}`, align: 'right', optional: true },
    { title: 'AGE', of: (route, now) => formatAge(route.since, now), align: 'right' },
    {
      title: 'REASON',
      of: (route) => route.reason,
      style: (route) => (route.valid ? 'dim' : 'bad'),
      blank: true,
    },
  ],
  nothing: ({ established, peers }) =>
    established === 0
      ? `no routes: ${peers === 0 ? 'no peers are configured' : 'no session is up, see linnet show peers'}`
      : 'no routes',
}
