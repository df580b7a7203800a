import { expect, test } from 'vitest'
import { dropCountsOf } from '../../../src/linux/drop-counts.ts'

const NONE = {
  ...{ TCPMD5NotFound: 0, TCPMD5Unexpected: 0, TCPMD5Failure: 0, TCPMinTTLDrop: 0 },
  ...{ TCPAOBad: 0, TCPAORequired: 0, TCPAOKeyNotFound: 0 },
}

test('the counters stand below their names', () => {
  const netstat = `TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure TCPMinTTLDrop TCPAORequired TCPAOBad TCPAOKeyNotFound TCPAOGood
TcpExt: 9 1 2 3 4 5 6 7 8
IpExt: InNoRoutes TCPMD5Failure
IpExt: 7 8
`
  expect(dropCountsOf(netstat)).toEqual({
    ...{ TCPMD5NotFound: 1, TCPMD5Unexpected: 2, TCPMD5Failure: 3, TCPMinTTLDrop: 4 },
    ...{ TCPAORequired: 5, TCPAOBad: 6, TCPAOKeyNotFound: 7 },
  })
})

test.each([
  ['a kernel that lacks one', 'TcpExt: TCPMD5Failure\nTcpExt: 3\n', { ...NONE, TCPMD5Failure: 3 }],
  ['no file', '', NONE],
  ['names without values', 'TcpExt: TCPMD5Failure\n', NONE],
])('what is not there is 0: %s', (_, netstat, counts) => {
  expect(dropCountsOf(netstat)).toEqual(counts)
})
