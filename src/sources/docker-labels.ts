/**
 * Labels of networks and containers that say how they are announced:
 *
 *   bgp.advertise=true|false   announce it, or don't, whatever the configuration says of all
 *   bgp.containers=true|false  of a network: likewise for each of its containers
 *   bgp.community=65101:7,no-export,65101:1:2
 *   bgp.med=10
 *
 * Who may write labels is not who reads our log, so a bad value harms only itself: it is complained of
 * and ignored.
 */

export interface BgpLabels {
  readonly advertise?: boolean
  readonly containers?: boolean
  readonly communities?: readonly string[]
  readonly largeCommunities?: readonly string[]
  readonly med?: number
}

/** A community in its usual writing, and whether it is one of RFC 8092; undefined when it is none. */
export type ReadCommunity = (
  text: string,
) => { readonly text: string; readonly large: boolean } | undefined

type Draft = { -readonly [K in keyof BgpLabels]: BgpLabels[K] }
type LabelOwner = 'network' | 'container'

interface LabelRow {
  readonly owners: readonly LabelOwner[]
  /** Completes `write ...`. */
  readonly write: string
  /** False when `value` is nonsense. */
  readonly read: (value: string, draft: Draft, readCommunity: ReadCommunity) => boolean
}

const flag =
  (key: 'advertise' | 'containers'): LabelRow['read'] =>
  (value, draft) => {
    if (value !== 'true' && value !== 'false') return false
    draft[key] = value === 'true'
    return true
  }

const ROWS: Readonly<Record<string, LabelRow>> = {
  'bgp.advertise': {
    owners: ['network', 'container'],
    write: 'true or false',
    read: flag('advertise'),
  },
  'bgp.containers': { owners: ['network'], write: 'true or false', read: flag('containers') },
  'bgp.community': {
    owners: ['network', 'container'],
    write: '65101:7, or several with commas: 65101:7,no-export,65101:1:2',
    read: (value, draft, readCommunity) => {
      const read = value.split(',').map((it) => readCommunity(it.trim()))
      const good = read.filter((it) => it !== undefined)
      if (good.length < read.length) return false
      draft.communities = good.filter(({ large }) => !large).map(({ text }) => text)
      draft.largeCommunities = good.filter(({ large }) => large).map(({ text }) => text)
      return true
    },
  },
  'bgp.med': {
    owners: ['network', 'container'],
    write: '0..4294967295',
    read: (value, draft) => {
      if (!/^\d{1,10}$/.test(value) || Number(value) > 0xffffffff) return false
      draft.med = Number(value)
      return true
    },
  },
}

const PREFIX = 'bgp.'

/** What `labels` say, and what is wrong with them, in a sentence each. */
export function readLabels(
  owner: LabelOwner,
  labels: Readonly<Record<string, string>>,
  readCommunity: ReadCommunity,
): { readonly said: BgpLabels; readonly complaints: readonly string[] } {
  const said: Draft = {}
  const complaints: string[] = []
  for (const [label, value] of Object.entries(labels)) {
    if (!label.startsWith(PREFIX)) continue
    const row = Object.hasOwn(ROWS, label) ? ROWS[label] : undefined
    if (row === undefined || !row.owners.includes(owner)) {
      const known = Object.entries(ROWS).filter(([, { owners }]) => owners.includes(owner))
      const names = known.map(([name]) => name).join(', ')
      complaints.push(`the label ${label} means nothing here; there are ${names}`)
    } else if (!row.read(value, said, readCommunity)) {
      complaints.push(`the label ${label}=${value} is ignored; write ${row.write}`)
    }
  }
  return { said, complaints }
}
