import { defineConfig } from 'vitest/config'

/** One project a tier (what it needs decides where a test lives, see docs/testing.md). */
const tier = (
  name: string,
  options: {
    timeout: number
    serial?: boolean
    workers?: number
    sideBySide?: number
    isolate?: boolean
  },
) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.timeout,
    hookTimeout: options.timeout,
    isolate: options.isolate ?? true,
    ...(options.serial === true ? { fileParallelism: false } : {}),
    ...(options.workers === undefined ? {} : { maxWorkers: options.workers }),
    ...(options.sideBySide === undefined ? {} : { maxConcurrency: options.sideBySide }),
  },
})

export default defineConfig({
  test: {
    projects: [
      // Pure rooms keep nothing between tests, so that files may share what they load: half the time.
      tier('unit', { timeout: 30_000, isolate: false }),
      tier('fuzz', { timeout: 60_000 }),
      tier('replay', { timeout: 10_000 }),
      // Each file has namespaces of its own, and waits about as long as it computes.
      tier('kernel', { timeout: 120_000, workers: 2, sideBySide: 3 }),
      // The suites of a daemon wait for timers more than they compute.
      tier('interop', { timeout: 90_000, serial: true, sideBySide: 6 }),
      tier('lab', { timeout: 120_000, serial: true }),
      tier('alone', { timeout: 60_000, serial: true }),
      // A kernel that runs as a process keeps one core busy.
      tier('overlay', { timeout: 180_000, workers: 2 }),
      tier('docker', { timeout: 120_000, serial: true }),
    ],
  },
})
