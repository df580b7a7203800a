import { formatComplaint } from '../../../src/config/complaint.ts'
import { loadLab, type LoadLabOptions } from '../../../src/lab/load.ts'
import type { Lab } from '../../../src/lab/topology.ts'

/** One ToR of each way to make one, two hosts, a container each. */
export const SMALL = `
name: small
nodes:
  tor1: { kind: tor, asn: 65001, routerId: 10.1.0.1 }
  host1:
    kind: linnet
    config: { asn: 65101, peers: [{ name: tor1, address: 10.1.1.1, asn: 65001, import: accept }] }
    bridges: { docker0: 172.18.1.1/24 }
    containers: { c1: { bridge: docker0, address: 172.18.1.2 } }
  host2:
    kind: bird
    asn: 65102
    bridges: { docker0: 172.18.2.1/24 }
    containers: { c1: { bridge: docker0, address: 172.18.2.2 } }
links:
  - { endpoints: ['tor1:eth1', 'host1:eth0'], addresses: [10.1.1.1/30, 10.1.1.2/30] }
  - { endpoints: ['tor1:eth2', 'host2:eth0'], addresses: [10.1.2.1/30, 10.1.2.2/30] }
expect:
  - on: host1
    kernel: { 172.18.2.0/24: { nextHops: [10.1.1.1] } }
`

/** Reads texts instead of files. */
export function load(
  text: string,
  options: Omit<LoadLabOptions, 'readText'> = {},
  files: Readonly<Record<string, string>> = {},
): { readonly lab: Lab | undefined; readonly complaints: readonly string[] } {
  const readText = (path: string): string => {
    const name = path.split('/').at(-1) ?? ''
    const content = name === 'lab.yaml' ? text : files[name]
    if (content === undefined) throw Object.assign(new Error(name), { code: 'ENOENT' })
    return content
  }
  const { lab, complaints } = loadLab('lab.yaml', { ...options, readText })
  return { lab, complaints: complaints.map(formatComplaint) }
}

export function smallLab(options: Omit<LoadLabOptions, 'readText'> = {}, text = SMALL): Lab {
  const { lab, complaints } = load(text, options)
  if (lab === undefined) throw new Error(complaints.join('\n'))
  return lab
}
