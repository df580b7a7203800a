/**
 * Is the way through the tunnel to one next hop open? `(path, event) -> (path, actions)`, of plain data.
 *
 * What is asked, by echoes: does the longest packet that the tunnel sends arrive, wrapped as all others; if not, does a
 * short one; if not, does a plain one? Only beside plain ones that are answered does the silence of wrapped ones mean
 * anything. Between a length that arrives and one that doesn't, the longest is looked for by halves.
 *
 * A way seems blocked also while the other end starts: it is said when a second look finds the same.
 */

/** What is known of the way; lengths are those of whole packets, with all that is around them. */
export type Finding =
  | { readonly kind: 'unknown' | 'open' | 'blocked' }
  /** The longest that arrives, and the longest that is sent. */
  | { readonly kind: 'narrow'; readonly passes: number; readonly most: number }

/** An echo request: to the next hop as it is, or wrapped. */
export interface Probe {
  readonly wrapped: boolean
  /** Of the whole packet. */
  readonly bytes: number
}

export interface Path {
  readonly finding: Finding
  readonly phase: 'resting' | 'asking' | 'searching'
  /** Times that the question of this phase has been asked. */
  readonly attempt: number
  /** The shortest packet that the tunnel sends, and the longest. */
  readonly least: number
  readonly most: number
  /** That arrives, or shall. */
  readonly low: number
  /** The shortest that is lost, or the longest. */
  readonly high: number
  readonly heard: { readonly short: boolean; readonly plain: boolean }
  /** The last look found it blocked, which is not told yet. */
  readonly suspected: boolean
}

export type Event =
  | { readonly type: 'LookDue'; readonly least: number; readonly most: number }
  | { readonly type: 'ProbeAnswered'; readonly probe: Probe }
  | { readonly type: 'WaitOver' }

export type Action =
  /** `again`: it was not answered before. */
  | { readonly type: 'SendProbe'; readonly probe: Probe; readonly again: boolean }
  /** Silence for this long is an event, in place of any that was awaited. */
  | { readonly type: 'Wait'; readonly milliseconds: number }
  /** Nothing is awaited; the next look is due then. */
  | { readonly type: 'Rest'; readonly milliseconds: number }
  | { readonly type: 'TellFinding'; readonly from: Finding; readonly to: Finding }

export interface Step {
  readonly path: Path
  readonly actions: readonly Action[]
}

const ATTEMPTS = 3
const WAIT_MS = 1_000
/** While searching, when it is known how things are. */
const SEARCH_ATTEMPTS = 2
const SEARCH_WAIT_MS = 500
const LOOK_EVERY_MS = 60_000
/** While something is wrong, or seems so. */
const LOOK_SOON_MS = 5_000

export const NEW_PATH: Path = {
  finding: { kind: 'unknown' },
  phase: 'resting',
  attempt: 0,
  least: 0,
  most: 0,
  low: 0,
  high: 0,
  heard: { short: false, plain: false },
  suspected: false,
}

const AT_FIRST = { phase: 'asking', attempt: 0, heard: NEW_PATH.heard } as const

export function step(path: Path, event: Event): Step {
  if (event.type === 'LookDue') {
    const { least, most } = event
    const { finding } = path
    const low = finding.kind === 'narrow' && finding.most === most ? finding.passes : least
    return ask({ ...path, ...AT_FIRST, least, most, low, high: most })
  }
  if (path.phase === 'resting') return { path, actions: [] }
  if (event.type === 'ProbeAnswered') return answered(path, event.probe)
  return path.phase === 'asking' ? silentWhileAsking(path) : silentWhileSearching(path)
}

/** The longest; and from the second time on all that explains why it is not answered. */
function ask(path: Path): Step {
  const { attempt, least, low, high, heard } = path
  const long = { wrapped: true, bytes: high }
  const others = [
    { is: heard.short, probe: { wrapped: true, bytes: low } },
    { is: heard.plain, probe: { wrapped: false, bytes: least } },
  ]
  const probes = [long, ...(attempt === 0 ? [] : others.flatMap((it) => (it.is ? [] : it.probe)))]
  return {
    path: { ...path, attempt: attempt + 1 },
    actions: [...probes.map((it) => send(it, attempt > 0)), wait(WAIT_MS)],
  }
}

function answered(path: Path, { wrapped, bytes }: Probe): Step {
  const { heard } = path
  if (!wrapped) return { path: { ...path, heard: { ...heard, plain: true } }, actions: [] }
  if (bytes >= path.most) return conclude(path, { kind: 'open' })
  if (path.phase === 'asking') {
    return { path: { ...path, heard: { ...heard, short: true } }, actions: [] }
  }
  return bytes > path.low ? search({ ...path, low: bytes, attempt: 0 }) : { path, actions: [] }
}

function silentWhileAsking(path: Path): Step {
  const { attempt, heard, low, least, most } = path
  if (attempt < ATTEMPTS) return ask(path)
  if (heard.short && low > least) return conclude(path, { kind: 'narrow', passes: low, most })
  if (heard.short) return search({ ...path, phase: 'searching', attempt: 0 })
  // Narrower than it was?
  if (heard.plain && low > least) return ask({ ...path, ...AT_FIRST, low: least })
  return conclude(path, { kind: heard.plain ? 'blocked' : 'unknown' })
}

function silentWhileSearching(path: Path): Step {
  if (path.attempt < SEARCH_ATTEMPTS) return search(path)
  return search({ ...path, high: middleOf(path), attempt: 0 })
}

function search(path: Path): Step {
  const { low, high, most, attempt } = path
  if (high - low <= 1) return conclude(path, { kind: 'narrow', passes: low, most })
  const probe = { wrapped: true, bytes: middleOf(path) }
  return {
    path: { ...path, attempt: attempt + 1 },
    actions: [send(probe, attempt > 0), wait(SEARCH_WAIT_MS)],
  }
}

function conclude(before: Path, found: Finding): Step {
  const { finding: known } = before
  const isNews = found.kind === 'blocked' && known.kind !== 'blocked'
  const suspected = isNews && !before.suspected
  // A host that is away says nothing of the way to it.
  const finding = suspected || found.kind === 'unknown' ? known : found
  const tells = !isSame(known, finding)
  const isWell = !suspected && (finding.kind === 'open' || finding.kind === 'unknown')
  return {
    path: { ...before, phase: 'resting', finding, suspected },
    actions: [
      ...(tells ? [{ type: 'TellFinding', from: known, to: finding } as const] : []),
      { type: 'Rest', milliseconds: isWell ? LOOK_EVERY_MS : LOOK_SOON_MS },
    ],
  }
}

function isSame(a: Finding, b: Finding): boolean {
  if (a.kind !== 'narrow' || b.kind !== 'narrow') return a.kind === b.kind
  return a.passes === b.passes && a.most === b.most
}

const middleOf = ({ low, high }: Path): number => (low + high) >> 1
const send = (probe: Probe, again: boolean): Action => ({ type: 'SendProbe', probe, again })
const wait = (milliseconds: number): Action => ({ type: 'Wait', milliseconds })
