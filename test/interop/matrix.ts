/** Makes the tests of one daemon from the matrix. */
import { afterAll, beforeAll, describe, onTestFailed, test } from 'vitest'
import type { Daemon } from '../support/daemons/daemon.ts'
import { SUITES, type Case, type Suite } from './cases.ts'
import { Scene } from './scene.ts'

export function interoperates(daemon: Daemon): void {
  for (const suite of SUITES) {
    if (obstacle(daemon, suite) !== undefined) continue
    describe.concurrent(`${daemon.title}: ${suite.title}`, () => {
      let scene: Scene | undefined
      beforeAll(async () => {
        scene = await Scene.open({ ...suite.scene(daemon), daemon })
      })
      afterAll(() => scene?.close())
      for (const row of suite.cases) {
        if (obstacle(daemon, row) !== undefined) continue
        test.sequential(row.title, async () => {
          const here = scene
          if (here === undefined) throw new Error('no scene')
          onTestFailed(() => {
            process.stderr.write(`${daemon.title}: ${row.title}
${here.lastWords()}
`)
          })
          await row.run(here)
        })
      }
    })
  }
}

/** Why this daemon is spared a row or a suite; undefined when it isn't. */
export const obstacle = (daemon: Daemon, { needs = [] }: Suite | Case): string | undefined =>
  needs.map((need) => daemon.cannot[need]).find((reason) => reason !== undefined)
