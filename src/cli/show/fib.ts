import type { FibRow } from '../../control/rows.ts'
import { formatAge, type Style } from '../style.ts'
import type { TableView } from './view.ts'

interface Leg {
  readonly via: string | null
  readonly dev: string | null
  readonly weight: number
  readonly encap?: string | null
}

/** As iproute2 would say it: `via 10.0.1.1 dev eth0 weight 2 encap ipip 10.0.1.12`. */
export function legText({ via, dev, weight, encap = null }: Leg): string {
  const words = [
    via === null ? '' : `via ${via}`,
    dev === null ? '' : `dev ${dev}`,
    weight === 1 ? '' : `weight ${weight}`,
    encap === null ? '' : `encap ${encap}`,
  ]
  return words.filter((word) => word !== '').join(' ')
}

const STYLES: Readonly<Record<FibRow['state'], Style>> = {
  installed: 'good',
  pending: 'warning',
  failed: 'bad',
  stale: 'warning',
}

export const fibView: TableView<FibRow> = {
  path: '/v1/fib',
  topic: 'fib',
  columns: [
    { title: 'PREFIX', of: (row) => row.prefix },
    { title: 'STATE', of: (row) => row.state, style: (row) => STYLES[row.state] },
    { title: 'TABLE', of: (row) => String(row.table), align: 'right' },
    { title: 'METRIC', of: (row) => String(row.metric), align: 'right' },
    { title: 'NHID', of: (row) => String(row.nexthopId ?? ''), align: 'right' },
    { title: 'AGE', of: (row, now) => formatAge(row.since, now), align: 'right' },
    {
      title: 'NEXT HOPS',
      of: (row) => row.nextHops.map(legText).join(', ') || row.type,
    },
  ],
  notes: (row) => (row.error === null ? [] : [`the kernel says: ${row.error}`]),
  nothing: ({ established }) =>
    established === 0
      ? 'nothing to install: no session is up, see linnet show peers'
      : 'nothing to install: see linnet show routes for what was learned, and kernel.install',
}
