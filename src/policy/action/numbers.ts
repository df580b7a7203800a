import { TELL_MED } from '../policy.ts'
import type { AttributeDraft } from '../attribute-draft.ts'
import { MOST_U32 } from '../span.ts'
import { single, type ActionSpec } from './action.ts'

const MED = 4
const LOCAL_PREF = 5
const DEFAULT_LOCAL_PREF = 100

/** `200`, `+10`, `-10`: the number that comes of `before`. */
function changed(text: string, before: number): number {
  const relative = text.startsWith('+') || text.startsWith('-')
  return Math.min(MOST_U32, Math.max(0, relative ? before + Number(text) : Number(text)))
}

const isNumber = (text: string): boolean =>
  /^[+-]?\d{1,10}$/.test(text) && Math.abs(Number(text)) <= MOST_U32

function numberOf(draft: AttributeDraft, code: number): number | undefined {
  const value = draft.get(code)
  return value === undefined ? undefined : new DataView(value.buffer, value.byteOffset).getUint32(0)
}

const bytesOf = (value: number): Uint8Array =>
  Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)

export const localPref: ActionSpec = {
  name: 'localPref',
  meaning: 'LOCAL_PREF: a number, or `+10` and `-10` to what it is (100 when the route has none).',
  example: 200,
  fields: single({ noun: 'a local preference', write: '200, "+10" or "-10"', good: isNumber }),
  compile({ '': [text = ''] = [] }) {
    return (draft) => {
      const before = numberOf(draft, LOCAL_PREF) ?? DEFAULT_LOCAL_PREF
      draft.put(LOCAL_PREF, 0x40, bytesOf(changed(text, before)))
    }
  },
}

export const med: ActionSpec = {
  name: 'med',
  meaning:
    'MULTI_EXIT_DISC: a number, `+10` and `-10` to what it is, or `none`. Set on export, it goes to external peers too.',
  example: 10,
  fields: single({
    noun: 'a MED',
    write: '10, "+10", "-10" or none',
    good: (text) => text === 'none' || isNumber(text),
  }),
  compile({ '': [text = ''] = [] }) {
    return (draft) => {
      draft.marks |= TELL_MED
      if (text === 'none') draft.remove(MED)
      else draft.put(MED, 0x80, bytesOf(changed(text, numberOf(draft, MED) ?? 0)))
    }
  },
}
