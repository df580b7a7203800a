import type { CapabilitySpec } from './capability.ts'

/** ROUTE-REFRESH messages are understood. */
export interface RouteRefreshCapability {
  readonly name: 'route-refresh'
}

export const routeRefresh: CapabilitySpec<RouteRefreshCapability> = {
  code: 2,
  name: 'route-refresh',
  rfc: 'RFC 2918 section 2',
  onMalformed: 'ignore',
  decode: () => ({ name: 'route-refresh' }),
  encode: () => undefined,
}
