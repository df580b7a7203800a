/** IPPools whose packets are wrapped -> the `overlay` section. Calico has a mode for each pool, linnet one for all. */
import { noted, type Written } from '../noted.ts'
import type { Report } from './report.ts'
import type { Resource, Resources } from './resources.ts'

interface Wrapped {
  readonly pool: Resource<'IPPool'>
  readonly field: 'ipipMode' | 'vxlanMode'
  readonly when: 'always' | 'crossSubnet'
}

/** Undefined when no pool is wrapped. */
export function overlayOf({ IPPool: pools }: Resources, report: Report): Written | undefined {
  const all = pools.flatMap(wrappingOf)
  const wrapped = all.filter(({ pool, field }) => {
    const isIpv4 = pool.spec.cidr.family === 'ipv4'
    if (!isIpv4) {
      report.tell(
        pool,
        [field],
        'the overlay carries IPv4 only',
        'see that the network has routes for the pool',
      )
    }
    return isIpv4
  })
  const [first] = wrapped
  if (first === undefined) return undefined
  const alike = wrapped.filter(({ field }) => field === first.field)
  for (const { pool, field } of wrapped) {
    if (field === first.field) continue
    const why = `linnet has one overlay, and it is that of IPPool ${first.pool.name}`
    report.tell(pool, [field], why, 'see that the network has routes for the pool')
  }
  const when = alike.some((it) => it.when === 'always') ? 'always' : 'crossSubnet'
  for (const it of alike) {
    if (it.when === when) continue
    const why =
      'linnet wraps always, or never within a subnet, for all pools; it is always, as another one asks'
    report.tell(it.pool, [it.field], why, 'nothing is to be done, or write the same for all')
  }
  const names = alike.map(({ pool }) => pool.name).join(', ')
  return noted(`IPPool ${names}: ${first.field}`, {
    mode: first.field === 'ipipMode' ? 'ipip' : 'vxlan',
    when,
    prefixes: alike.map(({ pool }) => pool.spec.cidr.text),
    // What Calico itself speaks on its VXLAN device.
    vxlan: first.field === 'vxlanMode' ? { vni: 4096, gpe: false } : undefined,
  })
}

function wrappingOf(pool: Resource<'IPPool'>): Wrapped[] {
  const { ipipMode, vxlanMode } = pool.spec
  const fields = [['ipipMode', ipipMode] as const, ['vxlanMode', vxlanMode] as const]
  return fields.flatMap(([field, mode]) => {
    if (mode !== 'Always' && mode !== 'CrossSubnet') return []
    return [{ pool, field, when: mode === 'Always' ? 'always' : 'crossSubnet' }]
  })
}
