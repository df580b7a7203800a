import { isUnspecified, parseAddress } from '../../net/address.ts'
import { SAFI_UNICAST } from '../../net/family.ts'
import { TELL_NEXT_HOP, TELL_SELF } from '../policy.ts'
import { single, type ActionSpec } from './action.ts'

const NEXT_HOP = 3
const MP_REACH = 14

function unicast(text: string): ReturnType<typeof parseAddress> {
  const address = parseAddress(text)
  const good = address !== undefined && address.zone === undefined && !isUnspecified(address)
  return good ? address : undefined
}

export const nextHop: ActionSpec = {
  name: 'nextHop',
  meaning:
    'The next hop: an address, or one of each family in a list (each for routes of its family); on export also `self`, our own address on the session.',
  example: 'self',
  fields: single(
    {
      noun: 'a next hop',
      write: 'self, or an address such as 10.0.1.1',
      good: (text) => text === 'self' || unicast(text) !== undefined,
    },
    true,
  ),
  compile({ '': texts = [] }) {
    if (texts.includes('self')) {
      return (draft) => {
        draft.marks = (draft.marks & ~TELL_NEXT_HOP) | TELL_SELF
      }
    }
    const addresses = texts.map(unicast).filter((it) => it !== undefined)
    return (draft, { family }) => {
      const address = addresses.find((it) => it.family === family.name)
      if (address === undefined) return
      draft.marks = (draft.marks & ~TELL_SELF) | TELL_NEXT_HOP
      if (address.family === 'ipv4') {
        draft.remove(MP_REACH)
        draft.put(NEXT_HOP, 0x40, address.bytes)
      } else {
        draft.remove(NEXT_HOP)
        const head = [0, family.afi, SAFI_UNICAST, address.bytes.length]
        draft.put(MP_REACH, 0x80, Uint8Array.of(...head, ...address.bytes, 0))
      }
    }
  },
}
