import { defineConfig } from 'vitest/config'

/** One project a tier (what it needs decides where a test lives, see docs/testing.md). */
const tier = (
  name: string,
  options: { timeout: number; serial?: boolean; sideBySide?: number; isolate?: boolean },
) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: options.timeout,
    hookTimeout: options.timeout,
    isolate: options.isolate ?? true,
    ...(options.serial === true ? { fileParallelism: false } : {}),
    ...(options.sideBySide === undefined ? {} : { maxConcurrency: options.sideBySide }),
  },
})

export default defineConfig({
  test: {
    projects: [
      // Pure rooms keep nothing between tests, so that files may share what they load: half the time.
      tier('unit', { timeout: 10_000, isolate: false }),
      tier('fuzz', { timeout: 60_000 }),
      tier('replay', { timeout: 10_000 }),
      tier('kernel', { timeout: 60_000, serial: true }),
      // The suites of a daemon wait for timers more than they compute.
      tier('interop', { timeout: 90_000, serial: true, sideBySide: 12 }),
      tier('lab', { timeout: 120_000, serial: true }),
      tier('overlay', { timeout: 60_000, serial: true }),
      tier('docker', { timeout: 120_000, serial: true }),
    ],
  },
})
