import { expect, test } from 'vitest'
import { configOf } from './loading.ts'

const TEXT = `asn: 65101
peerGroups:
  tor:
    asn: 65001
    password: not for your eyes
    tcpAo: { sendId: 1, receiveId: 2, key: nor this }
    maxPrefixes: { limit: 10, action: warn }
peers:
  - { name: a, address: 10.0.1.1, group: tor, holdTime: 30s, import: accept }
  - { range: 10.0.2.0/24, asn: internal }
mesh: { nodes: [10.0.3.1] }
`

const settingsOf = (name: string): string[] => {
  const text = TEXT.replace('    tcpAo: { sendId: 1, receiveId: 2, key: nor this }\n', '')
  return (configOf(text).settings.get(name) ?? []).map(
    ({ key, value, place = 'default', group = '-' }) => `${key}=${value} ${place} ${group}`,
  )
}

test('each setting says where it is written: for the peer, for its group, or nowhere', () => {
  const settings = settingsOf('a')
  expect(settings).toContain('asn=65001 c.yaml:4:10 tor')
  expect(settings).toContain('holdTime=30s c.yaml:8:57 -')
  expect(settings).toContain('import=accept c.yaml:8:70 -')
  expect(settings).toContain('maxPrefixes={"limit":10,"action":"warn"} c.yaml:6:18 tor')
  expect(settings).toContain('port=179 default -')
})

test('secrets stay secret', () => {
  expect(settingsOf('a')).toContain('password=*** c.yaml:5:15 tor')
  const keys = TEXT.replace('    password: not for your eyes\n', '')
  const all = JSON.stringify([...configOf(keys).settings.values()])
  expect(all).toContain('\\"key\\":\\"***\\"')
  expect(all).not.toContain('nor this')
})

test('a range has its own, a node of the mesh what there is', () => {
  expect(settingsOf('10.0.2.0/24')).toContain('asn=internal c.yaml:9:32 -')
  expect(settingsOf('10.0.3.1')).toContain('passive=false default -')
})
