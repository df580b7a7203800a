/**
 * The main thread's side of BFD's worker (`bfd-worker.ts`), which is started by the first session. One that
 * breaks is started anew with all sessions: their peers have noticed by then.
 */
import { Worker } from 'node:worker_threads'
import type { BfdSpec } from '../bfd/sessions.ts'
import { workerUrl } from '../linux/worker-url.ts'
import type { BfdNews, BfdOrder } from './bfd-worker.ts'

/** Whoever runs BFD sessions; news come from the event loop, never from within a call. */
export interface BfdService {
  /** Who hears of them: one. */
  listen(heard: (news: BfdNews) => void, broken: (why: string) => void): void
  set(name: string, spec: BfdSpec): void
  remove(name: string): void
  /** Says good-bye to all peers. */
  close(): Promise<void>
}

const START_AGAIN_MS = 1000

export function bfdThread(): BfdService {
  const specs = new Map<string, BfdSpec>()
  let heard: (news: BfdNews) => void = () => {}
  let broken: (why: string) => void = () => {}
  let worker: Worker | undefined
  let again: NodeJS.Timeout | undefined

  const order = (it: BfdOrder): void => worker?.postMessage(it)
  const start = (): Worker => {
    const started = new Worker(workerUrl(import.meta.url, 'bfd-worker'), { name: 'bfd' })
    started.unref() // it ends with us
    started.on('message', (news: BfdNews) => {
      if (started === worker) heard(news)
    })
    started.on('error', (error) => lost(started, error.message))
    started.on('exit', (code) => lost(started, `it ended with code ${code}`))
    return started
  }
  const lost = (it: Worker, why: string): void => {
    if (it !== worker) return
    worker = undefined
    broken(why)
    again = setTimeout(() => {
      again = undefined
      if (specs.size === 0) return
      worker = start()
      for (const [name, spec] of specs) order({ type: 'Set', name, spec })
    }, START_AGAIN_MS)
    again.unref()
  }
  return {
    listen: (...listeners) => void ([heard, broken] = listeners),
    set(name, spec) {
      specs.set(name, spec)
      if (worker === undefined && again === undefined) worker = start()
      order({ type: 'Set', name, spec })
    },
    remove(name) {
      specs.delete(name)
      order({ type: 'Remove', name })
    },
    async close() {
      clearTimeout(again)
      specs.clear()
      const closing = worker
      worker = undefined
      if (closing === undefined) return
      const ended = new Promise((resolve) => void closing.once('exit', resolve))
      closing.ref()
      closing.postMessage({ type: 'Close' } satisfies BfdOrder)
      await ended
    },
  }
}
