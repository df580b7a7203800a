/**
 * TCP-AO (RFC 5925), of Linux 6.7 or newer: the master keys that a socket signs and checks with.
 *
 * A key goes by two ids, one in our segments and one in the far side's. With several keys each side says
 * which one it wants to hear next (RNextKeyID), and the other goes over to it: the first of a list is
 * what we ask for, and the far side picks what we sign with. So keys come and go on a live connection,
 * but one can't be changed under its ids.
 *
 * A kernel without TCP-AO does not know the options. Then there is no connection at all: one without
 * signatures is not what was configured.
 */
import type { Address } from '../net/address.ts'
import { factsOf } from '../net/family.ts'
import { encodeUtf8 } from '../net/utf8.ts'
import type { TcpAoKey } from '../session/transport.ts'
import { socketAddress } from './socket-address.ts'
import {
  AF_INET,
  close,
  EBUSY,
  EEXIST,
  EISCONN,
  ENOENT,
  ENOPROTOOPT,
  getOption,
  must,
  setOption,
  SOCK_CLOEXEC,
  SOCK_STREAM,
  socket,
  SystemError,
} from './sys.ts'

const SOL_TCP = 6
const TCP_AO_ADD_KEY = 38
const TCP_AO_DEL_KEY = 39
const TCP_AO_INFO = 40

const SET_CURRENT = 1
const SET_RNEXT = 2

/** Longest key, TCP_AO_MAXKEYLEN. */
const MAX_KEY_BYTES = 80

/** HMAC-SHA-1-96 and AES-128-CMAC-96 (RFC 5926 section 3.2); the kernel cuts SHA-256 likewise. */
const MAC_BYTES = 12

const KERNEL_NAMES: Readonly<Record<TcpAoKey['algorithm'], string>> = {
  'hmac-sha1': 'hmac(sha1)',
  'cmac-aes128': 'cmac(aes128)',
  'hmac-sha256': 'hmac(sha256)',
}

/** What a refusal says, and what is to be done. */
export const TCP_AO_MISSING =
  'this kernel has no TCP-AO (RFC 5925), and without signatures there is no session: run Linux 6.7 or newer with CONFIG_TCP_AO, or write password instead of tcpAo, on both sides'

/** True when this kernel can sign with TCP-AO. */
export function hasTcpAo(): boolean {
  const fd = must('make a socket', socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
  const result = getOption(fd, SOL_TCP, TCP_AO_INFO, new Uint8Array(INFO_BYTES))
  close(fd)
  return result !== -ENOPROTOOPT
}

/** Gives the keys to a socket that is about to connect. */
export function callWithKeys(fd: number, peer: Address, keys: readonly TcpAoKey[]): void {
  for (const [i, key] of keys.entries()) {
    const flags = i === 0 ? SET_CURRENT | SET_RNEXT : 0
    set(fd, TCP_AO_ADD_KEY, peer, addKey(peer, key, { flags }))
  }
}

/** Changes the keys that a listener has for a peer, or for all of a prefix of this length. */
export function listenWithKeys(
  fd: number,
  peer: Address,
  before: readonly TcpAoKey[],
  after: readonly TcpAoKey[],
  length?: number,
): void {
  for (const key of missingFrom(after, before)) {
    set(fd, TCP_AO_DEL_KEY, peer, deleteKey(peer, key, { length }), ENOENT)
  }
  for (const key of missingFrom(before, after)) {
    set(fd, TCP_AO_ADD_KEY, peer, addKey(peer, key, { length }))
  }
}

/**
 * Changes the keys of a connection that is up. One that came in has those of its listener already, and
 * none if it came in without a signature: then the kernel refuses to take any.
 */
export function goOnWithKeys(
  fd: number,
  peer: Address,
  before: readonly TcpAoKey[],
  after: readonly TcpAoKey[],
): void {
  const [first] = after
  if (first === undefined || isSame(before, after)) return
  for (const key of missingFrom(before, after)) {
    set(fd, TCP_AO_ADD_KEY, peer, addKey(peer, key), EEXIST)
  }
  set(fd, TCP_AO_INFO, peer, askFor(first))
  for (const key of missingFrom(after, before)) {
    const result = setOption(fd, SOL_TCP, TCP_AO_DEL_KEY, deleteKey(peer, key))
    // The far side has not gone over to another yet: then we do.
    if (result === -EBUSY) set(fd, TCP_AO_DEL_KEY, peer, deleteKey(peer, key, { successor: first }))
    else check(result, peer, ENOENT)
  }
}

const set = (fd: number, option: number, peer: Address, bytes: Uint8Array, fine?: number): void =>
  check(setOption(fd, SOL_TCP, option, bytes), peer, fine)

/** `fine`: the errno that says that things are as they should be. */
function check(result: number, peer: Address, fine?: number): void {
  if (result >= 0 || result === -(fine ?? 0)) return
  const doing =
    result === -ENOPROTOOPT
      ? TCP_AO_MISSING
      : result === -EISCONN
        ? `${peer.text} connected without TCP-AO, which it must sign with`
        : `set the TCP-AO keys for ${peer.text}`
  throw new SystemError(doing, -result)
}

const missingFrom = (there: readonly TcpAoKey[], wanted: readonly TcpAoKey[]): TcpAoKey[] =>
  wanted.filter((key) => !there.some((it) => isSame([it], [key])))

/** The same keys in the same order. */
const isSame = (some: readonly TcpAoKey[], others: readonly TcpAoKey[]): boolean =>
  some.length === others.length &&
  some.every((it, i) => {
    const { sendId, receiveId, algorithm, key } = others[i]
    return (
      it.sendId === sendId &&
      it.receiveId === receiveId &&
      it.algorithm === algorithm &&
      it.key === key
    )
  })

/** struct tcp_ao_add of linux/tcp.h: peer, algorithm, ifindex, flags, prefix length, ids, lengths, key. */
export function addKey(
  peer: Address,
  { sendId, receiveId, algorithm, key }: TcpAoKey,
  { flags = 0, length }: { readonly flags?: number; readonly length?: number | undefined } = {},
): Uint8Array {
  const secret = encodeUtf8(key)
  if (secret.length > MAX_KEY_BYTES)
    throw new RangeError(`a TCP-AO key has at most ${MAX_KEY_BYTES} bytes, not ${secret.length}`)
  const bytes = new Uint8Array(288)
  const view = new DataView(bytes.buffer)
  bytes.set(socketAddress(peer, 0))
  bytes.set(encodeUtf8(KERNEL_NAMES[algorithm]), 128)
  view.setUint32(196, flags, true)
  view.setUint8(202, length ?? factsOf(peer.family).bits)
  view.setUint8(203, sendId)
  view.setUint8(204, receiveId)
  view.setUint8(205, MAC_BYTES)
  view.setUint8(207, secret.length)
  bytes.set(secret, 208)
  return bytes
}

interface Deletion {
  readonly length?: number | undefined
  /** What a connection signs with, and asks for, from now on. */
  readonly successor?: TcpAoKey
}

/** struct tcp_ao_del: peer, ifindex, flags, prefix length, ids, and those of the successor. */
export function deleteKey(
  peer: Address,
  { sendId, receiveId }: TcpAoKey,
  { length, successor }: Deletion = {},
): Uint8Array {
  const bytes = new Uint8Array(144)
  const view = new DataView(bytes.buffer)
  bytes.set(socketAddress(peer, 0))
  view.setUint8(138, length ?? factsOf(peer.family).bits)
  view.setUint8(139, sendId)
  view.setUint8(140, receiveId)
  if (successor === undefined) return bytes
  view.setUint32(132, SET_CURRENT | SET_RNEXT, true)
  view.setUint8(141, successor.sendId)
  view.setUint8(142, successor.receiveId)
  return bytes
}

/** struct tcp_ao_info_opt: asks the far side to sign with this key from now on. */
export function askFor({ receiveId }: TcpAoKey): Uint8Array {
  const bytes = new Uint8Array(INFO_BYTES)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, SET_RNEXT, true)
  view.setUint8(7, receiveId)
  return bytes
}

const INFO_BYTES = 48
