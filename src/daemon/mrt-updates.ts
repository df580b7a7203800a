/**
 * The updates file: every UPDATE as it came and every change of state, appended as MRT records
 * (`mrt/bgp4mp.ts`). Records gather for a moment before they are written: one write for a burst.
 */
import { writeMessage, writeStateChange, type DumpedSession } from '../mrt/bgp4mp.ts'
import { RecordWriter } from '../mrt/record.ts'
import type { MonitorRow } from '../control/rows.ts'
import type { Timer } from '../net/clock.ts'
import type { State } from '../session/fsm.ts'
import { HEADER_LENGTH } from '../wire/constants.ts'
import { AppendFile } from './append-file.ts'
import { MonitorRecord } from './monitor-record.ts'
import type { Monitor, Watched } from './monitors.ts'
import type { Neighbor } from './neighbor.ts'

const WRITE_BYTES = 256 << 10
const WRITE_MS = 100

export class UpdatesFile implements Monitor {
  readonly key: string
  readonly busy = false
  readonly #watched: Watched
  readonly #record: MonitorRecord
  readonly #file: AppendFile
  readonly #writer = new RecordWriter()
  /** Records in the writer. */
  #gathered = 0
  #timer: Timer | undefined
  /** As its messages are dumped, since its session began. */
  readonly #sessions = new Map<Neighbor, DumpedSession>()

  constructor(key: string, watched: Watched, path: string) {
    this.key = key
    this.#watched = watched
    this.#record = new MonitorRecord(
      watched,
      { name: 'mrt updates', kind: 'mrtUpdates', target: path },
      'writing',
    )
    this.#file = new AppendFile(path, watched.clock, {
      wrote: (bytes) => this.#wrote(bytes),
      lost: (bytes, why) => this.#lost(bytes, why),
    })
    for (const neighbor of watched.neighbors) this.sessionBegan(neighbor)
    // A wrong name shall be told at once, not with the first message.
    this.#file.reopen()
  }

  step(): void {}

  reloaded(): void {
    this.#flush()
    this.#file.reopen()
  }

  row(): MonitorRow {
    return this.#record.row(this.#writer.length + this.#file.waiting)
  }

  async close(): Promise<void> {
    this.#flush()
    await this.#file.close()
  }

  sessionBegan(neighbor: Neighbor): void {
    if (neighbor.session === undefined) return
    const { negotiated } = neighbor.session
    const remote = neighbor.config.address
    const local = neighbor.snapshot().connection?.local?.address.bytes
    this.#sessions.set(neighbor, {
      peerAsn: negotiated.peerAsn,
      localAsn: neighbor.config.localAsn,
      interfaceIndex: 0,
      peerAddress: remote.bytes,
      localAddress: local?.length === remote.bytes.length ? local : UNKNOWN[remote.family],
      fourOctetAs: negotiated.fourOctetAs,
      addPath: negotiated.addPath.receive.length > 0,
    })
  }

  stateChanged(neighbor: Neighbor, from: State, to: State): void {
    const session = this.#sessions.get(neighbor) ?? strangerOf(neighbor)
    writeStateChange(this.#writer, session, this.#watched.clock.wallNow(), from, to)
    this.#gather()
    if (to === 'Idle' && from === 'Established') this.#sessions.delete(neighbor)
  }

  update(neighbor: Neighbor, buffer: Uint8Array, start: number, end: number): void {
    const session = this.#sessions.get(neighbor)
    if (session === undefined) return
    const wall = this.#watched.clock.wallNow()
    writeMessage(this.#writer, session, wall, buffer, start - HEADER_LENGTH, end)
    this.#gather()
  }

  #gather(): void {
    this.#gathered++
    if (this.#writer.length >= WRITE_BYTES) return this.#flush()
    this.#timer ??= this.#watched.clock.after(WRITE_MS, () => this.#flush())
  }

  #flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#gathered === 0) return
    this.#record.messages += this.#gathered
    this.#gathered = 0
    this.#file.append(this.#writer.take())
  }

  #wrote(bytes: number): void {
    this.#record.bytes += bytes
    this.#record.state = 'writing'
    this.#record.worksAgain('MonitorRecovered', `${this.#file.path} is written again`)
  }

  #lost(bytes: number, why: string): void {
    this.#record.lost += bytes
    this.#record.state = 'failed'
    this.#record.failed('MonitorFailed', `can't write ${this.#file.path}: ${why}`)
  }
}

const UNKNOWN = { ipv4: new Uint8Array(4), ipv6: new Uint8Array(16) } as const

/** Before a session, all that is known of a peer is what is configured. */
function strangerOf({ config }: Neighbor): DumpedSession {
  return {
    peerAsn: typeof config.asn === 'number' ? config.asn : 0,
    localAsn: config.localAsn,
    interfaceIndex: 0,
    peerAddress: config.address.bytes,
    localAddress: UNKNOWN[config.address.family],
    fourOctetAs: true,
    addPath: false,
  }
}
