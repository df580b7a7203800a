import type { AfiSafi, CapabilitySpec } from './capability.ts'

export interface AddPathFamily extends AfiSafi {
  /** What the sender is able to do. */
  readonly receive: boolean
  readonly send: boolean
}

/** Several paths of a prefix may be announced at once. */
export interface AddPath {
  readonly name: 'add-path'
  readonly families: readonly AddPathFamily[]
}

const RECEIVE = 1
const SEND = 2

export const addPath: CapabilitySpec<AddPath> = {
  code: 69,
  name: 'add-path',
  rfc: 'RFC 7911 section 4',
  onMalformed: 'ignore',
  decode(from) {
    const families: AddPathFamily[] = []
    while (from.left > 0) {
      const family = { afi: from.u16(), safi: from.u8() }
      const mode = from.u8()
      // "If any other value is received, then the capability SHOULD be treated as not understood."
      if (mode === 0 || mode > (RECEIVE | SEND)) return undefined
      families.push({ ...family, receive: (mode & RECEIVE) !== 0, send: (mode & SEND) !== 0 })
    }
    return { name: 'add-path', families }
  },
  encode({ families }, to) {
    for (const { afi, safi, receive, send } of families) {
      to.u16(afi)
        .u8(safi)
        .u8((receive ? RECEIVE : 0) | (send ? SEND : 0))
    }
  },
}
