/** Labs that need IP-in-IP, as a user types them; config/lab/ipip.yaml is cross-subnet without the neighbour. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { bootUml, type Uml } from '../support/uml.ts'

let uml: Uml
beforeAll(async () => {
  uml = await bootUml()
})
afterAll(() => uml.close())

test.each([
  [
    'fan',
    'PROOF: 1 pair, no NAT, encapsulated in protocol 4 between host1 and host2; inner addresses unchanged',
  ],
  [
    'cross-subnet',
    'PROOF: 3 pairs, no NAT, 2 of them encapsulated in protocol 4 between host1 and host3, host2 and host3; inner addresses unchanged',
  ],
])(
  'lab %s',
  async (name, proof) => {
    expect(await uml.run(`node dist/main.js lab test config/lab/${name}.yaml`, 150_000)).toContain(
      proof,
    )
  },
  160_000,
)
