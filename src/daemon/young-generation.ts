/**
 * Keeps V8's young generation small.
 *
 * Left alone it grows to three times 16 MiB, for objects that die at once: by loading the program already. That
 * is memory for nothing, and what they hold on to outside of the heap waits the longer to be freed. A quarter of it
 * costs no time; an eighth does.
 *
 * The limit itself can only be given to `node` on its command line, which is not ours to write. But
 * the generation doubles its size step by step, and the factor can be set while it runs.
 */
import { PerformanceObserver } from 'node:perf_hooks'
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Both halves. */
const ENOUGH_BYTES = 2 * (4 << 20)

/** From the first collection that finds it large enough, the young generation grows no more. */
export function boundYoungGeneration(): void {
  const observer = new PerformanceObserver(() => {
    if (youngBytes() < ENOUGH_BYTES) return
    setFlagsFromString('--semi-space-growth-factor=1')
    observer.disconnect()
  })
  observer.observe({ entryTypes: ['gc'] })
}

const youngBytes = (): number =>
  getHeapSpaceStatistics().find((it) => it.space_name === 'new_space')?.space_size ?? 0
