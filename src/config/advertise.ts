/** `advertise` as written -> what is announced as ours. */
import { factsOf } from '../net/family.ts'
import type { Prefix } from '../net/prefix.ts'
import { resolveCni } from './cni.ts'
import type { AggregateConfig, Config, StaticPrefix } from './config.ts'
import { resolveDocker } from './docker.ts'
import type { Section } from './parse.ts'
import type { AdvertiseEntry } from './schema.ts'
import type { Path } from './tree.ts'

export function resolveAdvertise(entry: AdvertiseEntry, context: Section): Config['advertise'] {
  const { interfaces, hostRoutes } = entry
  const cni = resolveCni(entry.cni)
  const docker = resolveDocker(entry.docker, context.complaints)
  return {
    interfaces,
    hostRoutes: hostRoutes ?? { interfaces: [] },
    ...(cni === undefined ? {} : { cni }),
    ...(docker === undefined ? {} : { docker }),
    prefixes: prefixes(entry, context),
    aggregates: aggregates(entry, context),
  }
}

function prefixes({ prefixes: written }: AdvertiseEntry, context: Section): StaticPrefix[] {
  const once = onlyOnce(context)
  return written.map((it, i) => {
    const path = ['advertise', 'prefixes', i]
    if ('text' in it) {
      once(path, it)
      return { prefix: it, blackhole: false, communities: [] }
    }
    const { prefix, blackhole, community: communities, med } = it
    once([...path, 'prefix'], prefix)
    return { prefix, blackhole, communities, ...(med === undefined ? {} : { med }) }
  })
}

function aggregates({ aggregates: written }: AdvertiseEntry, context: Section): AggregateConfig[] {
  const once = onlyOnce(context)
  return written.map((it, i) => {
    const path = ['advertise', 'aggregates', i]
    const isBare = 'text' in it
    const prefix = isBare ? it : it.prefix
    const at = isBare ? path : [...path, 'prefix']
    once(at, prefix)
    if (prefix.length === factsOf(prefix.family).bits) {
      const message = `nothing is inside ${prefix.text}`
      context.complaints.error(at, message, 'write a shorter prefix, or advertise.prefixes')
    }
    if (isBare) return { prefix, summaryOnly: false, blackhole: true, communities: [] }
    const { summaryOnly, blackhole, community: communities, med } = it
    return { prefix, summaryOnly, blackhole, communities, ...(med === undefined ? {} : { med }) }
  })
}

function onlyOnce({ complaints }: Section): (path: Path, prefix: Prefix) => void {
  const seen = new Set<string>()
  return (path, { text }) => {
    if (seen.has(text)) complaints.error(path, `${text} is here twice`, 'remove one')
    seen.add(text)
  }
}
