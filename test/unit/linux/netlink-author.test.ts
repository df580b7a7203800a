import { expect, test } from 'vitest'
import { AuthorOfChanges, inodeInTable, portsInTable } from '../../../src/linux/netlink-author.ts'

const TABLE = `sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
0000000000000000 0   0          00000000 0        0        0     2        0        8
0000000000000000 0   812        00000440 0        0        0     2        0        5001
0000000000000000 0   4071246721 00000440 0        0        0     2        0        5002
0000000000000000 16  812        00000000 0        0        0     2        0        5003
`

test('a port leads to a socket about routes, and to no other', () => {
  expect(inodeInTable(TABLE, 812)).toBe(5001)
  expect(inodeInTable(TABLE, 4071246721)).toBe(5002)
  expect(inodeInTable(TABLE, 813)).toBeUndefined()
  expect(inodeInTable('', 812)).toBeUndefined()
  expect(portsInTable(TABLE)).toEqual([812, 4071246721])
})

test('the kernel, and who has ended, are told by what is known of them', () => {
  let now = 0
  const author = new AuthorOfChanges(() => now)
  expect(author.of(0)).toBe('the kernel')
  // Beyond all process ids.
  expect(author.of(4294963200)).toBe('an unknown process (netlink port 4294963200)')
  now = 60_000
  expect(author.of(0)).toBe('the kernel')
})
