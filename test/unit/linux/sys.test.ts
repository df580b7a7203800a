import { expect, test } from 'vitest'
import {
  AF_INET,
  EINVAL,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_RCVBUF,
  SystemError,
  close,
  describeErrno,
  errnoName,
  getOption,
  must,
  setOption,
  socket,
} from '../../../src/linux/sys.ts'

test('a socket takes an option and tells it back', () => {
  const fd = must('socket', socket(AF_INET, SOCK_DGRAM, 0))
  must('setsockopt', setOption(fd, SOL_SOCKET, SO_RCVBUF, 20_000))
  const value = new Uint8Array(4)
  expect(getOption(fd, SOL_SOCKET, SO_RCVBUF, value)).toBe(4)
  expect(new DataView(value.buffer).getInt32(0, true)).toBe(40_000) // socket(7): doubled
  expect(close(fd)).toBe(0)
})

test('a refused call returns minus its errno', () => {
  expect(close(99_999)).toBe(-9)
  expect(socket(AF_INET, 77, 0)).toBe(-EINVAL)
})

test('must throws what was refused, with name and number', () => {
  const refused = (): number => must('open the lock', -13)
  expect(refused).toThrow(SystemError)
  expect(refused).toThrow('open the lock: EACCES: permission denied')
})

test.each([
  [101, 'ENETUNREACH', 'ENETUNREACH: network is unreachable'],
  [95, 'EOPNOTSUPP', 'EOPNOTSUPP'],
  [4242, 'errno 4242', 'errno 4242'],
])('errno %i is %s', (errno, name, text) => {
  expect(errnoName(errno)).toBe(name)
  expect(describeErrno(errno)).toBe(text)
})
