import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Scheduler, type Reader, type Stage } from '../../../src/daemon/scheduler.ts'

/** Turns run when the test says so, on a clock that only the work itself moves. */
class Loop {
  nowMs = 0
  readonly log: string[] = []
  readonly scheduler = new Scheduler(() => this.nowMs)

  /** A stage with so much work, of which it does what fits, 0.5 ms at a time. */
  stage(name: string, workMs: number, patienceMs = 0): { leftMs: number } {
    const state = { leftMs: workMs }
    const stage: Stage = {
      name,
      patienceMs,
      busy: () => state.leftMs > 0,
      step: (deadline) => {
        this.log.push(name)
        while (state.leftMs > 0 && this.nowMs < deadline) {
          state.leftMs -= 0.5
          this.nowMs += 0.5
        }
      },
    }
    this.scheduler.addStage(stage)
    return state
  }

  reader(name: string): Reader & { paused: boolean } {
    const reader = {
      paused: false,
      pauseReading: () => {
        reader.paused = true
        this.log.push(`${name} paused`)
      },
      resumeReading: () => {
        reader.paused = false
        this.log.push(`${name} resumed`)
      },
    }
    return reader
  }

  /** A chunk that takes so long to deal with. */
  read(reader: Reader, ms: number): void {
    this.scheduler.readingBegins()
    this.nowMs += ms
    this.scheduler.readingEnds(reader)
  }
}

/** setImmediate by hand: one call of `run` is one turn of the event loop. */
const immediates: (() => void)[] = []
const run = (): void => {
  for (const fire of immediates.splice(0)) fire()
}

beforeEach(() => {
  immediates.length = 0
  vi.stubGlobal('setImmediate', (fire: () => void) => void immediates.push(fire))
})
afterEach(() => {
  vi.unstubAllGlobals()
})

describe('stages', () => {
  test('work in turns until nothing is left, and then nobody turns', () => {
    const loop = new Loop()
    const work = loop.stage('decide', 5)
    loop.scheduler.wake()
    const turns: number[] = []
    while (immediates.length > 0) {
      run()
      turns.push(work.leftMs)
    }
    expect(turns).toEqual([3, 1, 0])
  })

  test('are not woken twice for one turn', () => {
    const loop = new Loop()
    loop.scheduler.wake()
    loop.scheduler.wake()
    expect(immediates).toHaveLength(1)
  })

  test('that have nothing to do are left alone', () => {
    const loop = new Loop()
    loop.stage('idle', 0)
    loop.scheduler.wake()
    run()
    expect(loop.log).toEqual([])
    expect(immediates).toHaveLength(0)
  })

  test('take turns at being first, and each gets a share behind a busy one', () => {
    const loop = new Loop()
    const stages = ['a', 'b', 'c'].map((name) => loop.stage(name, 100))
    loop.scheduler.wake()
    for (let i = 0; i < 3; i++) run()
    expect(loop.log.join('')).toBe('abcbcacab')
    for (const { leftMs } of stages) expect(leftMs).toBeLessThan(97)
    expect(loop.nowMs).toBeLessThan(3 * 5)
  })
})

describe('readers', () => {
  test('go on without a patient stage for a while, and it works at once when none is left', () => {
    const loop = new Loop()
    const reader = loop.reader('peer')
    const work = loop.stage('decide', 0, 10)
    const decided: number[] = []
    for (let turn = 0; turn < 14; turn++) {
      work.leftMs += 0.5
      loop.read(reader, 2)
      run()
      if (loop.log.splice(0).includes('decide')) decided.push(turn)
    }
    // What has come meanwhile is more than a turn's work: it goes on with it until all is done.
    expect(decided).toEqual([0, 5, 6, 11, 12])
    expect(work.leftMs).toBe(0.5)
    loop.read(reader, 1)
    run()
    expect([loop.log, work.leftMs]).toEqual([['decide'], 0])
  })

  test('within the budget are left alone', () => {
    const loop = new Loop()
    const reader = loop.reader('a')
    loop.read(reader, 0.5)
    loop.read(reader, 1)
    expect(reader.paused).toBe(false)
    run()
    loop.read(reader, 1.5)
    expect(loop.log).toEqual([])
  })

  test('share one budget: who spends the last of it waits, also when others began', () => {
    const loop = new Loop()
    const [a, b] = ['a', 'b'].map((name) => loop.reader(name))
    loop.read(a, 1.5)
    loop.read(b, 1)
    expect(loop.log).toEqual(['b paused'])
    run()
    expect(loop.log).toEqual(['b paused', 'b resumed'])
  })

  test('that wait read on one after the other, in the order in which they were paused', () => {
    const loop = new Loop()
    const readers = ['a', 'b', 'c'].map((name) => loop.reader(name))
    for (const reader of readers) loop.read(reader, 2)
    loop.log.length = 0
    const resumed: string[] = []
    for (let i = 0; i < 20 && immediates.length > 0; i++) {
      run()
      resumed.push(...loop.log.splice(0))
    }
    expect(resumed).toEqual(['a resumed', 'b resumed', 'c resumed'])
    expect(immediates).toHaveLength(0)
  })

  test('none starves: each gets its turn however much all of them have to say', () => {
    const loop = new Loop()
    const turns = new Map(['a', 'b', 'c'].map((name) => [name, 0]))
    const readers = [...turns.keys()].map((name): Reader => {
      const reader: Reader = {
        pauseReading: () => {},
        resumeReading: () => {
          turns.set(name, (turns.get(name) ?? 0) + 1)
          loop.read(reader, 3)
        },
      }
      return reader
    })
    loop.stage('busy', 1000)
    for (const reader of readers) loop.read(reader, 3)
    for (let i = 0; i < 30; i++) run()
    expect([...turns.values()]).toEqual([10, 10, 10])
  })

  test('are resumed although no stage has anything to do', () => {
    const loop = new Loop()
    const reader = loop.reader('a')
    loop.read(reader, 5)
    run()
    expect(reader.paused).toBe(false)
  })

  test('that are gone are not resumed, and block nobody', () => {
    const loop = new Loop()
    const [a, b] = ['a', 'b'].map((name) => loop.reader(name))
    for (const reader of [a, b]) loop.read(reader, 2)
    loop.scheduler.forget(a)
    loop.scheduler.forget(a)
    run()
    expect(loop.log).toEqual(['a paused', 'b paused', 'b resumed'])
  })

  test('whose session ended while it was paused and began anew are paused and resumed again', () => {
    const loop = new Loop()
    const reader = loop.reader('a')
    loop.read(reader, 2)
    loop.scheduler.forget(reader)
    reader.paused = false
    loop.read(reader, 2)
    expect(reader.paused).toBe(true)
    while (immediates.length > 0) run()
    expect(reader.paused).toBe(false)
    expect(loop.log).toEqual(['a paused', 'a paused', 'a resumed'])
  })

  test('a chunk without UPDATEs costs nobody anything', () => {
    const loop = new Loop()
    const reader = loop.reader('a')
    loop.nowMs = 100
    loop.scheduler.readingEnds(reader)
    expect(loop.log).toEqual([])
  })
})

describe('the longest turn', () => {
  test('is that of stages or of readers, and begins anew when it was asked for', () => {
    const loop = new Loop()
    loop.stage('decide', 1)
    loop.read(loop.reader('a'), 7)
    run()
    expect(loop.scheduler.takeLongestTurnMs()).toBe(7)
    expect(loop.scheduler.takeLongestTurnMs()).toBe(0)
  })
})

test('closed, nothing happens any more', () => {
  const loop = new Loop()
  loop.stage('decide', 10)
  loop.scheduler.wake()
  loop.scheduler.close()
  run()
  loop.scheduler.wake()
  expect(loop.log).toEqual([])
  expect(immediates).toHaveLength(0)
})
