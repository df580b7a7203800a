/**
 * The RIB file: now and then a snapshot of all accepted paths as MRT records (`mrt/table-dump.ts`).
 *
 * The tables are walked in slices while routes come and go: a snapshot of a living table is no photograph,
 * but each prefix in it is whole. The walk rests while the disk has enough to write.
 */
import type { MonitorRow } from '../control/rows.ts'
import { FAMILIES } from '../net/family.ts'
import type { Timer } from '../net/clock.ts'
import { RecordWriter } from '../mrt/record.ts'
import { RibRecords, writePeerIndex, type DumpedPeer } from '../mrt/table-dump.ts'
import type { FamilyRib } from '../rib/family-rib.ts'
import type { Paths } from '../rib/paths.ts'
import type { RibPeer } from '../rib/peer.ts'
import type { Rib } from '../rib/rib.ts'
import { MonitorRecord } from './monitor-record.ts'
import type { Monitor, Watched } from './monitors.ts'
import { SnapshotFile } from './snapshot-file.ts'

const WRITE_BYTES = 256 << 10
/** Handed to the disk and not yet written. */
const MOST_UNWRITTEN = 2 << 20
/** Prefixes between two looks at the clock. */
const SLICE = 64

export class RibDump implements Monitor {
  readonly key: string
  readonly #watched: Watched
  readonly #path: string
  readonly #everyMs: number
  readonly #record: MonitorRecord
  #timer: Timer | undefined
  #walk: RibWalk | undefined
  /** The snapshot under way, until its file is in place or given up. */
  #making: Promise<void> | undefined
  #closed = false

  constructor(key: string, watched: Watched, path: string, everySeconds: number) {
    this.key = key
    this.#watched = watched
    this.#path = path
    this.#everyMs = everySeconds * 1000
    const identity = { name: 'mrt rib', kind: 'mrtRib', target: path } as const
    this.#record = new MonitorRecord(watched, identity, 'waiting')
    this.#wait()
  }

  get busy(): boolean {
    return this.#walk?.busy === true
  }

  step(deadline: number): void {
    this.#walk?.step(this.#watched.clock.now, deadline)
  }

  reloaded(): void {}

  row(): MonitorRow {
    return this.#record.row(this.#walk?.unwritten ?? 0)
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#timer?.cancel()
    this.#walk?.giveUp()
    await this.#making
  }

  #wait(): void {
    this.#timer = this.#watched.clock.after(this.#everyMs, () => {
      this.#wait()
      // One that takes longer than the pause between two is left to finish.
      this.#making ??= this.#make().finally(() => (this.#making = undefined))
    })
  }

  async #make(): Promise<void> {
    this.#record.state = 'writing'
    try {
      const file = await SnapshotFile.create(this.#path, () => this.#watched.wake())
      if (this.#closed) return await file.discard()
      const { bytes, records } = await this.#dump(file)
      this.#record.bytes += bytes
      this.#record.messages += records
      this.#record.state = 'waiting'
      this.#record.worksAgain('MonitorRecovered', `${this.#path} is written again`)
    } catch (error) {
      if (this.#closed) return
      this.#record.state = 'failed'
      const why = error instanceof Error ? error.message : String(error)
      this.#record.failed('MonitorFailed', `can't write ${this.#path}: ${why}`)
    }
  }

  async #dump(file: SnapshotFile): Promise<{ bytes: number; records: number }> {
    try {
      const { rib, routerId, clock } = this.#watched
      const walk = await new Promise<RibWalk>((resolve) => {
        this.#walk = new RibWalk(rib, routerId, clock.wallNow(), file, resolve)
        this.#watched.wake()
      })
      if (walk.givenUp) throw new Error('given up')
      await file.commit()
      return walk
    } catch (error) {
      await file.discard()
      throw error
    } finally {
      this.#walk = undefined
    }
  }
}

/** One walk over both tables, into one file. */
class RibWalk {
  bytes = 0
  records = 0
  givenUp = false
  readonly #rib: Rib
  readonly #wallMs: number
  readonly #file: SnapshotFile
  readonly #over: (walk: RibWalk) => void
  readonly #writer = new RecordWriter()
  readonly #prefix = new RibRecords(this.#writer)
  /** Places in the peer index, by session. */
  readonly #places = new Map<RibPeer, number>()
  readonly #$words = new Int32Array(4)
  #family = 0
  #at = 1
  #isOver = false

  /** `over` is called once: all is handed to the file, or there is no point in going on. */
  constructor(
    rib: Rib,
    routerId: number,
    wallMs: number,
    file: SnapshotFile,
    over: (walk: RibWalk) => void,
  ) {
    this.#rib = rib
    this.#wallMs = wallMs
    this.#file = file
    this.#over = over
    const peers: DumpedPeer[] = []
    for (const peer of rib.peers) {
      if (!peer.up) continue
      this.#places.set(peer, peers.length)
      const { asn, address, routerId: identifier } = peer.options
      // We are a peer too: the one without an address, as BIRD writes it.
      peers.push({ asn, routerId: identifier, address: peer.local ? NOBODY : address.bytes })
    }
    writePeerIndex(this.#writer, wallMs, { routerId, view: '', peers })
    this.records++
  }

  get unwritten(): number {
    return this.#file.unwritten
  }

  get busy(): boolean {
    return !this.#isOver && (this.#file.failed || this.#file.unwritten < MOST_UNWRITTEN)
  }

  step(now: () => number, deadline: number): void {
    while (this.busy) {
      if (this.#file.failed) return this.#end()
      if (this.#family === FAMILIES.length) {
        this.#write()
        return this.#end()
      }
      this.#slice(this.#rib.families[this.#family])
      if (this.#writer.length >= WRITE_BYTES) this.#write()
      if (now() >= deadline) return
    }
  }

  giveUp(): void {
    this.givenUp = true
    this.#end()
  }

  #slice(rib: FamilyRib): void {
    const { prefixes } = rib
    const end = Math.min(this.#at + SLICE, prefixes.end)
    for (; this.#at < end; this.#at++) if (prefixes.exists(this.#at)) this.#dump(rib, this.#at)
    if (this.#at < prefixes.end) return
    this.#family++
    this.#at = 1
  }

  #dump({ family, prefixes, paths }: FamilyRib, prefix: number): void {
    const record = this.#prefix
    const words = this.#$words
    for (let i = 0; i < family.words; i++) words[i] = prefixes.word(prefix, i)
    const addPath = hasPathIds(paths, prefixes.paths(prefix))
    record.open(family, words, prefixes.length(prefix), this.#wallMs, addPath)
    let hasPaths = false
    for (let path = prefixes.paths(prefix); path !== 0; path = paths.next(path)) {
      const set = paths.accepted(path)
      const place = this.#places.get(this.#rib.peers.get(paths.peer(path)))
      // Sessions that began since are not in the index.
      if (set === 0 || place === undefined) continue
      record.add(place, paths.since(path), this.#rib.attributes.view(set), paths.id(path))
      hasPaths = true
    }
    record.close()
    if (hasPaths) this.records++
  }

  #write(): void {
    const bytes = this.#writer.take()
    this.bytes += bytes.length
    this.#file.write(bytes)
  }

  #end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#over(this)
  }
}

const NOBODY = new Uint8Array(4)

/** Some peer tells its paths apart (RFC 7911): then all paths of the prefix have an identifier in the dump. */
function hasPathIds(paths: Paths, first: number): boolean {
  for (let path = first; path !== 0; path = paths.next(path)) if (paths.id(path) !== 0) return true
  return false
}
