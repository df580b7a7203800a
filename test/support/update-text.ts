/** UPDATE bodies as text: what a peer was sent, in a form that people can read and files can hold. */
import { addressFromWords } from '../../src/net/address.ts'
import { FAMILIES, familyOfAfi, factsOf, type Family } from '../../src/net/family.ts'
import {
  describeAttributes,
  type AttributeDescription,
} from '../../src/wire/attributes/describe.ts'
import { normalizeAttributes } from '../../src/wire/attributes/normalize.ts'
import { NlriColumns } from '../../src/wire/nlri.ts'
import { UpdateView } from '../../src/wire/update.ts'

export interface UpdateAsText {
  readonly withdraw?: readonly string[]
  readonly announce?: readonly string[]
  /** Without what is empty or false. */
  readonly set?: Partial<AttributeDescription>
  readonly endOfRib?: Family
}

const $nlri = FAMILIES.map((family) => new NlriColumns(family))

/** Throws when a prefix is broken, or an attribute malformed. */
export function updateAsText(
  bytes: Uint8Array,
  start: number,
  end: number,
  session: { readonly external: boolean; readonly fourOctetAs: boolean },
): UpdateAsText {
  const view = new UpdateView()
  view.split(bytes, start, end, { ipv6NextHops: true, link: 0 })
  const withdraw = [
    ...prefixes(bytes, 'ipv4', view.withdrawnStart, view.withdrawnEnd),
    ...prefixes(bytes, familyOfAfi(view.unreachAfi), view.unreachStart, view.unreachEnd),
  ]
  const announce = [
    ...prefixes(bytes, 'ipv4', view.nlriStart, view.nlriEnd),
    ...prefixes(bytes, familyOfAfi(view.reachAfi), view.reachStart, view.reachEnd),
  ]
  if (withdraw.length + announce.length === 0) {
    return { endOfRib: familyOfAfi(view.unreachAfi) ?? 'ipv4' }
  }
  if (announce.length === 0) return { withdraw }
  const context = { ...session, ipv6NextHops: true }
  const read = normalizeAttributes(bytes, view.sectionStart, view.sectionEnd, context)
  if (read.problems.length > 0) throw new Error(JSON.stringify(read.problems))
  const set = Object.fromEntries(
    Object.entries(describeAttributes(read.canonical)).filter(([, value]) => isSomething(value)),
  )
  return { ...(withdraw.length === 0 ? {} : { withdraw }), announce, set }
}

function prefixes(
  bytes: Uint8Array,
  family: Family | undefined,
  start: number,
  end: number,
): string[] {
  if (family === undefined || start === end) return []
  const nlri = $nlri[factsOf(family).index]
  if (!nlri.decode(bytes, start, end)) throw new Error(`a broken ${family} prefix`)
  return Array.from({ length: nlri.count }, (_, i) => {
    const address = addressFromWords(family, nlri.words, i * nlri.stride)
    return `${address.text}/${nlri.lengths[i]}`
  })
}

const isSomething = (value: unknown): boolean =>
  value !== false && !(Array.isArray(value) && value.length === 0)
