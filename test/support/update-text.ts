/** UPDATE bodies as text: what a peer was sent, in a form that people can read and files can hold. */
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

export interface ReadingSession {
  readonly external: boolean
  readonly fourOctetAs: boolean
  /** Families whose prefixes have identifiers (RFC 7911): `10.0.0.0/8#7`. */
  readonly addPath: readonly Family[]
}

/** Throws when a prefix is broken, or an attribute malformed. */
export function updateAsText(
  bytes: Uint8Array,
  start: number,
  end: number,
  session: ReadingSession,
): UpdateAsText {
  const view = new UpdateView()
  view.split(bytes, start, end, { ipv6NextHops: true, link: 0 })
  const prefixes = (family: Family | undefined, from: number, to: number): string[] =>
    family === undefined || from === to
      ? []
      : prefixesIn(bytes, family, from, to, session.addPath.includes(family))
  const withdraw = [
    ...prefixes('ipv4', view.withdrawnStart, view.withdrawnEnd),
    ...prefixes(familyOfAfi(view.unreachAfi), view.unreachStart, view.unreachEnd),
  ]
  const announce = [
    ...prefixes('ipv4', view.nlriStart, view.nlriEnd),
    ...prefixes(familyOfAfi(view.reachAfi), view.reachStart, view.reachEnd),
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

function prefixesIn(
  bytes: Uint8Array,
  family: Family,
  start: number,
  end: number,
  addPath: boolean,
): string[] {
  const nlri = $nlri[factsOf(family).index]
  const isGood = addPath
    ? nlri.decodeWithPathIds(bytes, start, end)
    : nlri.decode(bytes, start, end)
  if (!isGood) throw new Error(`a broken ${family} prefix`)
  return Array.from({ length: nlri.count }, (_, i) =>
    addPath ? `${nlri.text(i)}#${nlri.pathIds[i] >>> 0}` : nlri.text(i),
  )
}

const isSomething = (value: unknown): boolean =>
  value !== false && !(Array.isArray(value) && value.length === 0)
