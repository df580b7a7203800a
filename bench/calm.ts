/** When a daemon has done what it had to do: it uses next to no CPU any more. */
import { until } from './ground.ts'

/** Of a second, that a daemon uses between two looks which has nothing to do. */
const CALM = 0.02
const LOOK_MS = 250
const CALM_LOOKS = 4

/** Resolves once it has used next to nothing for a second; to the time when that second began. */
export async function untilCalm(
  cpuSeconds: () => number,
  deadlineSeconds: number,
): Promise<number> {
  let before = -1
  let times = 0
  const isCalm = (): boolean => {
    const now = cpuSeconds()
    times = before >= 0 && now - before <= CALM ? times + 1 : 0
    before = now
    return times >= CALM_LOOKS
  }
  await until(isCalm, deadlineSeconds, 'calm', LOOK_MS)
  return performance.now() - CALM_LOOKS * LOOK_MS
}
