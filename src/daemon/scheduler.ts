/**
 * Who works when, on the one event loop (DESIGN.md section 3): 2 ms of work a turn in all.
 *
 * Reading comes first in a turn, socket by socket, as the loop polls them. Once the turn's budget is spent,
 * the socket that spent it is paused and stands in line. Then, in a `setImmediate`, the stages (deciding,
 * announcing, the FIB) work for a budget of their own, taking turns at being first, and the sockets in line
 * read on. Without this a full table holds up keepalives for a second; with it for some 15 ms, at no
 * cost in throughput.
 */
export interface Stage {
  readonly name: string
  /** While sockets stand in line, it is worth a wait of so long: more that belongs together may come. */
  readonly patienceMs?: number
  /** True when `step` has something to do. */
  busy(): boolean
  /** Works until nothing is left or the clock reaches `deadline`. */
  step(deadline: number): void
}

/** A socket that can be told to wait. */
export interface Reader {
  pauseReading(): void
  resumeReading(): void
}

const BUDGET_MS = 2

export class Scheduler {
  /** Hears of each turn. */
  onTurn: () => void = () => {}
  readonly #now: () => number
  readonly #stages: Stage[] = []
  /** When each of them was last done with all that there was. */
  readonly #done = new Map<Stage, number>()
  readonly #paused: Reader[] = []
  #first = 0
  #scheduled = false
  #closed = false
  /** When the current turn's reading began; -1 before the first chunk. */
  #readingSince = -1
  #longestTurnMs = 0

  constructor(now: () => number) {
    this.#now = now
  }

  addStage(stage: Stage): void {
    this.#stages.push(stage)
  }

  /** There may be work for a stage. Cheap, and may be called at any time. */
  wake(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    setImmediate(() => this.#turn())
  }

  /** `reader` is about to deal with received bytes. */
  readingBegins(): void {
    if (this.#readingSince < 0) {
      this.#readingSince = this.#now()
      this.wake()
    }
  }

  /** `reader` has dealt with a chunk; it may have to wait for its next one. */
  readingEnds(reader: Reader): void {
    if (this.#readingSince < 0 || this.#now() - this.#readingSince < BUDGET_MS) return
    if (this.#paused.includes(reader)) return
    reader.pauseReading()
    this.#paused.push(reader)
    this.wake()
  }

  /** `reader` is gone. */
  forget(reader: Reader): void {
    const at = this.#paused.indexOf(reader)
    if (at >= 0) this.#paused.splice(at, 1)
  }

  /** The longest that stages and readers held the loop since the last look. */
  takeLongestTurnMs(): number {
    const longest = this.#longestTurnMs
    this.#longestTurnMs = 0
    return longest
  }

  close(): void {
    this.#closed = true
  }

  #turn(): void {
    this.#scheduled = false
    if (this.#closed) return
    this.onTurn()
    const begin = this.#now()
    if (this.#readingSince >= 0) this.#note(begin - this.#readingSince)
    this.#readingSince = -1
    const deadline = begin + BUDGET_MS
    const stages = this.#stages
    for (let i = 0; i < stages.length; i++) {
      const stage = stages[(this.#first + i) % stages.length]
      if (!stage.busy() || this.#mayWait(stage, begin)) continue
      // Each stage gets a share at least, so that none starves behind a busy one.
      stage.step(Math.max(deadline, this.#now() + BUDGET_MS / stages.length))
      if (!stage.busy()) this.#done.set(stage, this.#now())
    }
    this.#first = (this.#first + 1) % Math.max(1, stages.length)
    const end = this.#now()
    this.#note(end - begin)
    const next = this.#paused.shift()
    if (next !== undefined) {
      this.readingBegins()
      next.resumeReading()
    }
    if (this.#paused.length > 0 || stages.some((stage) => stage.busy())) this.wake()
  }

  #mayWait(stage: Stage, now: number): boolean {
    const { patienceMs = 0 } = stage
    return this.#paused.length > 0 && now - (this.#done.get(stage) ?? -Infinity) < patienceMs
  }

  #note(ms: number): void {
    if (ms > this.#longestTurnMs) this.#longestTurnMs = ms
  }
}
