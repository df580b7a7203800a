import { expect, test } from 'vitest'
import { birdSessions, frrSessions } from '../../../src/lab/sessions.ts'

const BIRD = `BIRD 2.0.12 ready.
Name       Proto      Table      State  Since         Info
device1    Device     ---        up     08:46:58.803
kernel1    Kernel     master4    up     08:46:58.803
host1      BGP        ---        up     08:47:00.114  Established
host2      BGP        ---        start  08:46:58.803  Active        Socket: Connection refused
`

test("BIRD's sessions", () => {
  expect(birdSessions(BIRD)).toEqual({ up: 1, all: 2, trouble: 'host2 is down' })
  expect(birdSessions('BIRD 2.0.12 ready.\n')).toEqual({ up: 0, all: 0, trouble: '' })
})

test("FRR's sessions", () => {
  const peers = { '10.1.1.2': { state: 'Established' }, '10.1.2.2': { state: 'Active' } }
  expect(frrSessions(JSON.stringify({ ipv4Unicast: { as: 65001, peers } }))).toEqual({
    up: 1,
    all: 2,
    trouble: '10.1.2.2: Active',
  })
  expect(frrSessions('{}')).toEqual({ up: 0, all: 0, trouble: '' })
})
