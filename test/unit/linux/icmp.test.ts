import { expect, test } from 'vitest'
import {
  encodeEcho,
  internetChecksum,
  parseAnswer,
  type IcmpAnswer,
} from '../../../src/linux/icmp.ts'
import { echo, echoReply, icmpError, ipv4 } from '../lab/frames.ts'

test('an echo request has the bytes of RFC 792', () => {
  const bytes = encodeEcho({
    identifier: 0x1234,
    sequence: 2,
    payload: Uint8Array.of(0xab, 0xcd, 0xef),
  })
  expect([...bytes]).toEqual([8, 0, 0x4a, 0xfb, 0x12, 0x34, 0, 2, 0xab, 0xcd, 0xef])
  expect(internetChecksum(bytes)).toBe(0)
})

const ROUTER = { from: '10.1.1.1', to: '172.18.1.2', ttl: 63 }
const probe = ipv4({ from: '172.18.1.2', to: '172.18.2.2', ttl: 1 }, echo(4))

const packets: { title: string; packet: Uint8Array; says: Partial<IcmpAnswer> | undefined }[] = [
  {
    title: 'a reply',
    packet: ipv4({ from: '172.18.2.2', to: '172.18.1.2', ttl: 61 }, echoReply(4)),
    says: { kind: 'reply', identifier: 5, sequence: 1, ttl: 61 },
  },
  {
    title: 'time exceeded',
    packet: ipv4(ROUTER, icmpError(11, 0, probe)),
    says: { kind: 'timeExceeded', identifier: 5, sequence: 1, ttl: 63 },
  },
  {
    title: 'unreachable',
    packet: ipv4(ROUTER, icmpError(3, 1, probe)),
    says: { kind: 'unreachable', code: 1, identifier: 5 },
  },
  { title: "somebody's request", packet: probe, says: undefined },
  {
    title: 'an error about something else',
    packet: ipv4(
      ROUTER,
      icmpError(11, 0, ipv4({ from: '1.1.1.1', to: '2.2.2.2', protocol: 17 }, probe)),
    ),
    says: undefined,
  },
  {
    title: 'an error that quotes too little',
    packet: ipv4(ROUTER, icmpError(11, 0, probe)).subarray(0, 40),
    says: undefined,
  },
  {
    title: 'a packet that is no ICMP',
    packet: ipv4({ ...ROUTER, protocol: 6 }, echoReply(4)),
    says: undefined,
  },
  { title: 'three bytes', packet: Uint8Array.of(0x45, 0, 0), says: undefined },
  { title: 'nothing', packet: new Uint8Array(0), says: undefined },
]

test.each(packets)('$title', ({ packet, says }) => {
  const answer = parseAnswer(packet)
  if (says === undefined) expect(answer).toBeUndefined()
  else expect(answer).toMatchObject(says)
})
