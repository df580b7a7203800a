/** Networks and containers of an engine, as tests write them down. */
import type { EngineContainer, EngineNetwork } from '../../src/sources/docker-engine.ts'
import type { ReadCommunity } from '../../src/sources/docker-labels.ts'

/** A bridge, br-aaaaaaaaaaaa, unless said otherwise. */
export const network = (name: string, facts: Partial<EngineNetwork> = {}): EngineNetwork => ({
  id: 'a'.repeat(64),
  driver: 'bridge',
  internal: false,
  template: false,
  subnets: [],
  options: {},
  labels: {},
  ...facts,
  name,
})

/** `addresses` by the id of the network. */
export const container = (
  name: string,
  addresses: Readonly<Record<string, readonly string[]>>,
  labels: Readonly<Record<string, string>> = {},
): EngineContainer => ({
  id: `${name} `.padEnd(64, 'c'),
  name,
  labels,
  endpoints: Object.entries(addresses).map(([id, texts]) => ({ network: id, addresses: texts })),
})

export const readCommunity: ReadCommunity = (text) => {
  if (!/^\d+:\d+(:\d+)?$|^no-export$/.test(text)) return undefined
  return { text, large: text.split(':').length === 3 }
}
