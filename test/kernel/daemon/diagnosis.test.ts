/**
 * What keeps a session from coming up is told in words: a wrong key, a key on one side, a wrong TTL, a
 * wrong AS, a wrong address. Each in `linnet show peer` and in the log; each pair of hosts has one trouble.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ip } from '../../support/box.ts'
import { linnet, Workshop } from '../../support/daemon.ts'
import { enterFabric, type Host } from '../../support/fabric.ts'
import { until } from '../../support/until.ts'

const workshop = new Workshop()
let hosts: readonly Host[]
beforeAll(() => {
  hosts = enterFabric(2 * TROUBLES.length)
})
afterAll(() => workshop.close())

/** The pair of a trouble, with a link between them. */
function pairOf(trouble: Trouble): readonly [host: Host, tor: Host] {
  const i = 2 * TROUBLES.indexOf(trouble)
  const [host, tor] = [hosts[i], hosts[i + 1]]
  ip(`link add eth0 netns ${host.path} type veth peer name eth1 netns ${tor.path}`)
  host.ip('addr add 10.0.1.11/24 dev eth0')
  for (const address of ['10.0.1.1', '10.0.1.2']) tor.ip(`addr add ${address}/24 dev eth1`)
  host.ip('link set eth0 up')
  tor.ip('link set eth1 up')
  return [host, tor]
}

interface Trouble {
  readonly title: string
  /** Settings of the ToR as our peer, and of us as the ToR's. */
  readonly ours: string
  readonly theirs: string
  readonly event: 'CauseSuspected' | 'AttemptFailed'
  readonly words: RegExp
}

const TROUBLES: readonly Trouble[] = [
  {
    title: 'another key',
    ours: 'password: one',
    theirs: 'password: two',
    event: 'CauseSuspected',
    words: /signed with another key .*TCPMD5Failure.* password likely differs/,
  },
  {
    title: 'a key here only',
    ours: 'password: one',
    theirs: 'description: none',
    event: 'CauseSuspected',
    words: /without a signature .*TCPMD5NotFound.* peer likely has no password for us/,
  },
  {
    title: 'a key there only',
    ours: 'description: none',
    theirs: 'password: two',
    event: 'CauseSuspected',
    words: /signed segments .*TCPMD5Unexpected.* we have none/,
  },
  {
    title: 'another key, at a peer that never calls',
    ours: 'password: one, connectRetry: 20s',
    theirs: 'password: two, passive: true',
    event: 'AttemptFailed',
    words: /no answer from 10\.0\.1\.1:179 within 10 s; a different TCP MD5 password/,
  },
  {
    title: 'a TTL of 64 where GTSM asks for 255',
    ours: 'ttlSecurity: 1',
    theirs: 'multihop: 64',
    event: 'CauseSuspected',
    words: /TTL below 255 .*TCPMinTTLDrop.* does not send with TTL 255/,
  },
  {
    title: 'another AS',
    ours: 'asn: 65009',
    theirs: 'description: none',
    event: 'AttemptFailed',
    words: /AS 65001\b.*\b65009/,
  },
  {
    title: 'another source address',
    ours: 'description: none, passive: true',
    theirs: 'localAddress: 10.0.1.2',
    event: 'CauseSuspected',
    words: /10\.0\.1\.2 connects to us and is no peer of ours.* configured as 10\.0\.1\.1/,
  },
  {
    title: 'we are not known by our address there',
    ours: 'description: none',
    theirs: 'address: 10.0.1.12',
    event: 'AttemptFailed',
    words: /without an OPEN; is this speaker \(10\.0\.1\.11, AS 65101\) configured there/,
  },
]

const peer = (settings: Readonly<Record<string, string | number>>, more: string): string => {
  const written = Object.entries({ ...settings, connectRetry: '1s' }).filter(
    ([key]) => !more.includes(`${key}:`),
  )
  return `{ ${written.map(([key, value]) => `${key}: ${value}`).join(', ')}, ${more} }`
}

const DEADLINE_MS = 20_000

describe.concurrent('told in show peer and in the log:', () => {
  test.each(TROUBLES)('$title', async (trouble) => {
    const { title, ours, theirs, event, words } = trouble
    const [host, tor] = pairOf(trouble)
    const [daemon] = await Promise.all([
      workshop.daemon(
        host,
        `
asn: 65101
peers: [${peer({ name: 'tor', address: '10.0.1.1', asn: 65001 }, ours)}]
kernel: { install: false }
`,
        { name: `${title}, host` },
      ),
      workshop.daemon(
        tor,
        `
asn: 65001
routerId: 10.0.1.1
peers: [${peer({ name: 'host', address: '10.0.1.11', asn: 65101 }, theirs)}]
kernel: { install: false }
`,
        { name: `${title}, tor` },
      ),
    ])
    const isKnown = async (): Promise<boolean> => words.test((await daemon.peer('tor')).reason)
    await until('it is known', isKnown, DEADLINE_MS)
    const shown = async (): Promise<boolean> => {
      const { stdout } = await linnet(host, ['show', 'peer', 'tor', '--socket', daemon.socket])
      return words.test(stdout.replaceAll(/\s+/g, ' '))
    }
    await until('show peer says it', shown, DEADLINE_MS)
    const line = await daemon.logged(event, (it) => words.test(it.text))
    expect(line).toMatchObject({ level: 'warn', peer: 'tor' })
    expect((await daemon.peer('tor')).state).not.toBe('Established')
  })
})
