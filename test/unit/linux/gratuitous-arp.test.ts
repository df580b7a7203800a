import { expect, test } from 'vitest'
import { gratuitousArp } from '../../../src/linux/gratuitous-arp.ts'
import { address } from '../../../src/net/address.ts'

test('a gratuitous ARP asks everybody for the address that it comes from', () => {
  const mac = Uint8Array.of(0x02, 0x42, 0x0a, 0x01, 0x00, 0x01)
  const hex = Buffer.from(gratuitousArp(mac, address('10.1.0.5'))).toString('hex')
  expect(hex.match(/^(.{28})(.{16})(.{20})(.{20})$/)?.slice(1)).toEqual([
    'ffffffffffff02420a0100010806', // to everybody, from us, ARP
    '0001080006040001', // Ethernet and IPv4, their lengths, request
    '02420a0100010a010005',
    '0000000000000a010005',
  ])
})
