/**
 * The system calls that Node does not offer, through koffi: the only file that imports it.
 *
 * The convention is the kernel's own: a call returns a number >= 0, or minus the errno, read right
 * after the call before anything else can overwrite it. `must` turns a refusal into a SystemError
 * for callers that have no better idea. Constants are Linux's, the same on x86-64 and arm64.
 */
import koffi from 'koffi'
import { constants } from 'node:os'

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const AF_PACKET = 17

export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_NONBLOCK = 0o4000
export const SOCK_CLOEXEC = 0o2000000

export const SOL_SOCKET = 1
export const SO_RCVBUF = 8
export const SO_ATTACH_FILTER = 26
export const SO_RCVBUFFORCE = 33
export const SO_MEMINFO = 55

export const MSG_DONTWAIT = 0x40

export const CLONE_NEWNET = 0x40000000

export const {
  EADDRINUSE,
  EPERM,
  EAGAIN,
  EINTR,
  ENODEV,
  EINVAL,
  ESRCH,
  EEXIST,
  ENOENT,
  EOPNOTSUPP,
  ENOBUFS,
  ENOMEM,
  EBUSY,
  EISCONN,
  ENOPROTOOPT,
} = constants.errno

const libc = koffi.load(null)

koffi.struct('sock_fprog', { len: 'uint16_t', filter: 'void *' })
const FPROG_BYTES = koffi.sizeof('sock_fprog')

// Buffers are passed as `void *`: koffi hands the address of a typed array straight to the call.
const c: {
  readonly socket: (domain: number, type: number, protocol: number) => number
  readonly bind: (fd: number, address: Uint8Array, length: number) => number
  readonly listen: (fd: number, backlog: number) => number
  readonly setsockopt: (
    fd: number,
    level: number,
    name: number,
    value: Uint8Array | Int32Array,
    length: number,
  ) => number
  readonly attach: (
    fd: number,
    level: number,
    name: number,
    program: { readonly len: number; readonly filter: Uint8Array },
    length: number,
  ) => number
  readonly connect: (fd: number, address: Uint8Array, length: number) => number
  readonly getsockopt: (
    fd: number,
    level: number,
    name: number,
    value: Uint8Array,
    length: Uint32Array,
  ) => number
  readonly getsockname: (fd: number, address: Uint8Array, length: Uint32Array) => number
  readonly send: (fd: number, bytes: Uint8Array, length: number, flags: number) => number
  readonly recv: (fd: number, bytes: Uint8Array, length: number, flags: number) => number
  readonly sendto: (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: number,
  ) => number
  readonly recvfrom: (
    fd: number,
    bytes: Uint8Array,
    length: number,
    flags: number,
    address: Uint8Array,
    addressLength: Uint32Array,
  ) => number
  readonly close: (fd: number) => number
  readonly fcntl: (fd: number, command: number, argument: number) => number
  readonly setns: (fd: number, kind: number) => number
  readonly unshare: (flags: number) => number
  readonly flock: (fd: number, operation: number) => number
  readonly if_nametoindex: (name: string) => number
  readonly ioctl: (fd: number, request: number, argument: Uint8Array) => number
} = {
  socket: libc.func('int socket(int, int, int)'),
  bind: libc.func('int bind(int, void *, uint32_t)'),
  listen: libc.func('int listen(int, int)'),
  connect: libc.func('int connect(int, void *, uint32_t)'),
  setsockopt: libc.func('int setsockopt(int, int, int, void *, uint32_t)'),
  attach: libc.func('int setsockopt(int, int, int, sock_fprog *, uint32_t)'),
  getsockopt: libc.func('int getsockopt(int, int, int, void *, void *)'),
  getsockname: libc.func('int getsockname(int, void *, void *)'),
  send: libc.func('intptr_t send(int, void *, size_t, int)'),
  recv: libc.func('intptr_t recv(int, void *, size_t, int)'),
  sendto: libc.func('intptr_t sendto(int, void *, size_t, int, void *, uint32_t)'),
  recvfrom: libc.func('intptr_t recvfrom(int, void *, size_t, int, void *, void *)'),
  close: libc.func('int close(int)'),
  fcntl: libc.func('int fcntl(int, int, int)'),
  setns: libc.func('int setns(int, int)'),
  unshare: libc.func('int unshare(int)'),
  flock: libc.func('int flock(int, int)'),
  if_nametoindex: libc.func('uint32_t if_nametoindex(const char *)'),
  ioctl: libc.func('int ioctl(int, unsigned long, void *)'),
}

/** A system call refused by the kernel. */
export class SystemError extends Error {
  readonly errno: number
  /** `EADDRINUSE`. */
  readonly code: string
  constructor(doing: string, errno: number) {
    super(`${doing}: ${describeErrno(errno)}`)
    this.name = 'SystemError'
    this.errno = errno
    this.code = errnoName(errno)
  }
}

/** Passes a good result on, throws a SystemError for a negative one. */
export function must(doing: string, result: number): number {
  if (result < 0) throw new SystemError(doing, -result)
  return result
}

const NAMES = new Map(Object.entries(constants.errno).map(([name, errno]) => [errno, name]))

/** `ENETUNREACH` for 101. */
export const errnoName = (errno: number): string => NAMES.get(errno) ?? `errno ${errno}`

/** What the errnos that people meet in routing mean; the others are told by name. */
const MEANINGS: Readonly<Record<string, string>> = {
  EPERM: 'not permitted',
  EACCES: 'permission denied',
  ENODEV: 'no such device',
  EEXIST: 'exists already',
  ENOENT: 'does not exist',
  ESRCH: 'no such route',
  EINVAL: 'invalid argument',
  ENOSPC: 'no space left',
  ENOMEM: 'out of memory',
  ENETDOWN: 'network is down',
  ENETUNREACH: 'network is unreachable',
  EHOSTUNREACH: 'host is unreachable',
  EADDRINUSE: 'address in use',
  EADDRNOTAVAIL: 'not an address of this host',
  ENOPROTOOPT: 'option not known to this kernel',
}

/** `ENETUNREACH: network is unreachable`. */
export function describeErrno(errno: number): string {
  const name = errnoName(errno)
  const meaning = MEANINGS[name]
  return meaning === undefined ? name : `${name}: ${meaning}`
}

export const socket = (domain: number, type: number, protocol: number): number =>
  outcome(c.socket(domain, type, protocol))

export const bind = (fd: number, address: Uint8Array): number =>
  outcome(c.bind(fd, address, address.length))

export const connect = (fd: number, address: Uint8Array): number =>
  outcome(c.connect(fd, address, address.length))

export const listen = (fd: number, backlog: number): number => outcome(c.listen(fd, backlog))

/** setsockopt(2) with an int, or with a structure's bytes. */
export function setOption(
  fd: number,
  level: number,
  name: number,
  value: number | Uint8Array,
): number {
  const bytes = typeof value === 'number' ? Int32Array.of(value) : value
  return outcome(c.setsockopt(fd, level, name, bytes, bytes.byteLength))
}

/** One instruction of a classic BPF program (bpf(4)): code, jump if true, jump if false, operand. */
export type FilterInstruction = readonly [code: number, jt: number, jf: number, k: number]

/** Lets the kernel drop, before we see it, what the program returns 0 for (SO_ATTACH_FILTER). */
export function attachFilter(fd: number, program: readonly FilterInstruction[]): number {
  const filter = new Uint8Array(8 * program.length)
  const view = new DataView(filter.buffer)
  for (const [i, [code, jt, jf, k]] of program.entries()) {
    view.setUint16(8 * i, code, true)
    view.setUint8(8 * i + 2, jt)
    view.setUint8(8 * i + 3, jf)
    view.setUint32(8 * i + 4, k, true)
  }
  const fprog = { len: program.length, filter }
  return outcome(c.attach(fd, SOL_SOCKET, SO_ATTACH_FILTER, fprog, FPROG_BYTES))
}

/** getsockopt(2) into `into`; returns the number of bytes written. */
export function getOption(fd: number, level: number, name: number, into: Uint8Array): number {
  const length = Uint32Array.of(into.length)
  const result = outcome(c.getsockopt(fd, level, name, into, length))
  return result < 0 ? result : length[0]
}

/** The address the socket is bound to, as sockaddr bytes, into `into`; returns their number. */
export function socketName(fd: number, into: Uint8Array): number {
  const length = Uint32Array.of(into.length)
  const result = outcome(c.getsockname(fd, into, length))
  return result < 0 ? result : length[0]
}

export const send = (fd: number, bytes: Uint8Array, length: number, flags = 0): number =>
  outcome(c.send(fd, bytes, length, flags))

export const receive = (fd: number, into: Uint8Array, flags = 0): number =>
  outcome(c.recv(fd, into, into.length, flags))

export const sendTo = (
  fd: number,
  bytes: Uint8Array,
  length: number,
  address: Uint8Array,
  flags = 0,
): number => outcome(c.sendto(fd, bytes, length, flags, address, address.length))

/** recvfrom(2); the sender's sockaddr is written to `from`. */
export const receiveFrom = (fd: number, into: Uint8Array, from: Uint8Array, flags = 0): number =>
  outcome(c.recvfrom(fd, into, into.length, flags, from, Uint32Array.of(from.length)))

export const close = (fd: number): number => outcome(c.close(fd))

/** Another descriptor of the same file, closed on exec. */
export const duplicate = (fd: number): number => outcome(c.fcntl(fd, F_DUPFD_CLOEXEC, 0))
const F_DUPFD_CLOEXEC = 1030

/** Moves the calling thread into the namespace that `fd` refers to (setns(2)). */
export const setNamespace = (fd: number, kind: number): number => outcome(c.setns(fd, kind))

/** Gives the calling thread fresh namespaces (unshare(2)). */
export const unshare = (flags: number): number => outcome(c.unshare(flags))

/** Locks a whole file; `operation` as in flock(2). */
export const flock = (fd: number, operation: number): number => outcome(c.flock(fd, operation))

/** ioctl(2) with a structure's bytes, which the kernel reads or writes. */
export const control = (fd: number, request: number, argument: Uint8Array): number =>
  outcome(c.ioctl(fd, request, argument))

/** Index of the interface of this name in the calling thread's network namespace, or minus the errno. */
export function interfaceIndex(name: string): number {
  const index = c.if_nametoindex(name)
  return index === 0 ? -koffi.errno() : index
}

function outcome(result: number): number {
  return result < 0 ? -koffi.errno() : result
}

/** Of the GNU C library; musl has none, and needs none. */
const mallocTrim = ((): ((pad: number) => number) | undefined => {
  try {
    return libc.func('int malloc_trim(size_t)')
  } catch {
    return undefined
  }
})()

/** Gives memory that was freed, and that malloc keeps for the next time, back to the kernel. */
export function trimMemory(): void {
  mallocTrim?.(0)
}
