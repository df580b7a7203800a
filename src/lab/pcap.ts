/**
 * Captured frames as a .pcap file, the classic format with nanoseconds (draft-ietf-opsawg-pcap), which
 * tcpdump and Wireshark read.
 */
import { Writer } from '../net/bytes.ts'

export interface PcapFrame {
  readonly bytes: Uint8Array
  readonly seconds: number
  readonly nanoseconds: number
}

const MAGIC_NANOSECONDS = 0xa1b23c4d
const LINKTYPE_ETHERNET = 1
const LONGEST = 65_535
const FILE_HEADER = 24
const FRAME_HEADER = 16

/** The whole file, frames in the order of their time. */
export function encodePcap(frames: readonly PcapFrame[]): Uint8Array {
  const sorted = frames.toSorted((a, b) => a.seconds - b.seconds || a.nanoseconds - b.nanoseconds)
  const size = sorted.reduce((sum, it) => sum + FRAME_HEADER + lengthOf(it), FILE_HEADER)
  const to = new Writer(size)
  to.u32(MAGIC_NANOSECONDS).u16(2).u16(4).u32(0).u32(0).u32(LONGEST).u32(LINKTYPE_ETHERNET)
  for (const frame of sorted) {
    const length = lengthOf(frame)
    to.u32(frame.seconds).u32(frame.nanoseconds).u32(length).u32(frame.bytes.length)
    to.bytes(frame.bytes.subarray(0, length))
  }
  return to.take()
}

const lengthOf = (frame: PcapFrame): number => Math.min(frame.bytes.length, LONGEST)
