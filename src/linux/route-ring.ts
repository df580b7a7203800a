/**
 * The ring between the main thread, which puts routes, and the worker that writes them to the kernel.
 *
 * One SharedArrayBuffer: four control words, then records of six words. Positions count up for ever
 * (mod 2^32); the place of a record is its position modulo the capacity. `head` is written by the main
 * thread and `tail` by whoever wrote the routes: the worker, or the main thread itself while the
 * worker has nothing to do. The main thread moves `tail` before `head`, and the worker reads `head`
 * before `tail`, so the worker can at worst see an empty ring, never a record twice.
 *
 * | word | record                                             |
 * |------|----------------------------------------------------|
 * | 0    | operation, family index << 8, prefix length << 16  |
 * | 1    | nexthop id                                         |
 * | 2..5 | address, big-endian words                          |
 */
const HEAD = 0
const TAIL = 1
/** Counts up whenever the worker shall look again. */
const BELL = 2
const STOP = 3
const CONTROL_WORDS = 4
const RECORD_WORDS = 6

export class RouteRing {
  readonly memory: SharedArrayBuffer
  readonly capacity: number
  readonly #words: Int32Array
  readonly #mask: number

  constructor(memory: SharedArrayBuffer) {
    this.memory = memory
    this.#words = new Int32Array(memory)
    this.capacity = (this.#words.length - CONTROL_WORDS) / RECORD_WORDS
    this.#mask = this.capacity - 1
  }

  /** `capacity` must be a power of two. */
  static ofCapacity(capacity: number): RouteRing {
    return new RouteRing(new SharedArrayBuffer(4 * (CONTROL_WORDS + capacity * RECORD_WORDS)))
  }

  /** All the words: `at(position)` is an index into them. */
  get words(): Int32Array {
    return this.#words
  }

  /** Index of the first word of the record at `position`. */
  at(position: number): number {
    return CONTROL_WORDS + (position & this.#mask) * RECORD_WORDS
  }

  write(
    position: number,
    operation: number,
    familyIndex: number,
    length: number,
    id: number,
    words: Int32Array,
    from: number,
  ): void {
    const at = this.at(position)
    const out = this.#words
    out[at] = operation | (familyIndex << 8) | (length << 16)
    out[at + 1] = id
    out[at + 2] = words[from]
    if (familyIndex === 0) return
    out[at + 3] = words[from + 1]
    out[at + 4] = words[from + 2]
    out[at + 5] = words[from + 3]
  }

  get head(): number {
    return Atomics.load(this.#words, HEAD)
  }

  get tail(): number {
    return Atomics.load(this.#words, TAIL)
  }

  /** The records before `head` may be written. */
  publish(head: number): void {
    Atomics.store(this.#words, HEAD, head)
    this.ring()
  }

  /** The records before `tail` have been written. */
  consume(tail: number): void {
    Atomics.store(this.#words, TAIL, tail)
  }

  /** The main thread has written the records before `position` by itself. */
  skipTo(position: number): void {
    Atomics.store(this.#words, TAIL, position)
    Atomics.store(this.#words, HEAD, position)
  }

  /** Wakes the worker. */
  ring(): void {
    Atomics.add(this.#words, BELL, 1)
    Atomics.notify(this.#words, BELL)
  }

  get bell(): number {
    return Atomics.load(this.#words, BELL)
  }

  /** Blocks the thread until the bell has rung since it was `heard`. */
  wait(heard: number): void {
    Atomics.wait(this.#words, BELL, heard)
  }

  /** Asks the worker to end when the ring is empty. */
  stop(): void {
    Atomics.store(this.#words, STOP, 1)
    this.ring()
  }

  get stopped(): boolean {
    return Atomics.load(this.#words, STOP) === 1
  }
}
