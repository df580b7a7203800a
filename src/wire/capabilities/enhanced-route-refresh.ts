import type { CapabilitySpec } from './capability.ts'

/** The answer to a ROUTE-REFRESH is marked with its beginning and end. */
export interface EnhancedRouteRefresh {
  readonly name: 'enhanced-route-refresh'
}

export const enhancedRouteRefresh: CapabilitySpec<EnhancedRouteRefresh> = {
  code: 70,
  name: 'enhanced-route-refresh',
  rfc: 'RFC 7313 section 3.1',
  onMalformed: 'ignore',
  decode: () => ({ name: 'enhanced-route-refresh' }),
  encode: () => undefined,
}
