import { expect, test } from 'vitest'
import type { DockerConfig } from '../../../src/config/config.ts'
import { configOf } from './loading.ts'

const AS_EVER = { networks: 'all', containers: 'labelled' } as const

const written: readonly [yaml: string, DockerConfig | undefined][] = [
  ['{}', undefined],
  ['{ docker: false }', undefined],
  ['{ docker: true }', { ...AS_EVER, endpoint: {} }],
  ['{ docker: {} }', { ...AS_EVER, endpoint: {} }],
  [
    '{ docker: { socket: /run/docker.sock } }',
    { ...AS_EVER, endpoint: { socket: '/run/docker.sock' } },
  ],
  [
    '{ docker: { host: tcp://127.0.0.1 } }',
    { ...AS_EVER, endpoint: { host: '127.0.0.1', port: 2375 } },
  ],
  [
    '{ docker: { host: "tcp://[::1]:4243" } }',
    { ...AS_EVER, endpoint: { host: '::1', port: 4243 } },
  ],
  [
    '{ docker: { host: tcp://engine.example, tls: { ca: /ca.pem, cert: /c.pem, key: /k.pem } } }',
    {
      ...AS_EVER,
      endpoint: {
        ...{ host: 'engine.example', port: 2376 },
        tls: { ca: '/ca.pem', cert: '/c.pem', key: '/k.pem' },
      },
    },
  ],
  [
    '{ docker: { networks: labelled, containers: true } }',
    { networks: 'labelled', containers: true, endpoint: {} },
  ],
  ['{ docker: { containers: false } }', { networks: 'all', containers: false, endpoint: {} }],
]

test.each(written)('advertise: %s', (yaml, meant) => {
  expect(configOf(`asn: 65101\nadvertise: ${yaml}`).advertise.docker).toEqual(meant)
})
