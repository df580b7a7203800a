/** Scrapes of Prometheus: the rows of `metrics.ts`, read and printed. prom-client is loaded at the first one. */
import type { Counter, Gauge, Registry } from 'prom-client'
import { METRICS, type Metric, type Snapshot } from './metrics.ts'
import type { Queries } from './queries.ts'

/** Answers scrapes with the text exposition format, and says its content type. */
export class Metrics {
  readonly #queries: Queries
  #prepared: Promise<Prepared> | undefined

  constructor(queries: Queries) {
    this.#queries = queries
  }

  async scrape(): Promise<{ readonly contentType: string; readonly text: string }> {
    this.#prepared ??= prepare()
    const { registry, instruments } = await this.#prepared
    const snapshot: Snapshot = {
      status: this.#queries.status(),
      peers: this.#queries.peers(),
      monitors: this.#queries.monitors(),
      rpki: this.#queries.rpki(),
      health: this.#queries.health(),
    }
    for (const { metric, instrument } of instruments) {
      instrument.reset()
      for (const [value, ...labels] of metric.read(snapshot)) {
        instrument.inc(labelled(metric, labels), value)
      }
    }
    return { contentType: registry.contentType, text: await registry.metrics() }
  }
}

interface Prepared {
  readonly registry: Registry
  readonly instruments: readonly {
    readonly metric: Metric
    readonly instrument: Gauge | Counter
  }[]
}

async function prepare(): Promise<Prepared> {
  const client = await import('prom-client')
  const registry = new client.Registry()
  const instruments = METRICS.map((metric) => {
    const options = {
      name: metric.name,
      help: metric.help,
      labelNames: [...metric.labels],
      registers: [registry],
    }
    const instrument =
      metric.type === 'gauge' ? new client.Gauge(options) : new client.Counter(options)
    return { metric, instrument }
  })
  return { registry, instruments }
}

const labelled = (metric: Metric, values: readonly string[]): Record<string, string> =>
  Object.fromEntries(metric.labels.map((label, i) => [label, values[i] ?? '']))
