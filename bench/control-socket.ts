/** Questions to linnet's control API while it works. */
import { request } from 'node:http'
import { join } from 'node:path'
import { z } from 'zod'

/** The path of the socket, in the daemon's folder. */
export const socketIn = (folder: string): string => join(folder, 'sock')

/** Resolves to the whole answer. */
export const ask = (socketPath: string, method: string, path: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const asking = request({ socketPath, method, path }, (answer) => {
      if (answer.statusCode !== 200) reject(new Error(`${path}: ${answer.statusCode}`))
      let text = ''
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      answer.once('end', () => resolve(text))
    })
    asking.once('error', reject).end()
  })

const vitalSigns = z.object({
  eventLoopLagMs: z.number(),
  queues: z.record(z.string(), z.number()),
})
const EVERY_MS = 100

export interface Vigil {
  end(): Promise<{ readonly lagsMs: readonly number[]; readonly mostQueued: number }>
}

/** Looks at its vital signs ten times a second: the longest lag of its timers since the last look, and its queues. */
export function watchVitalSigns(socket: string): Vigil {
  const lagsMs: number[] = []
  let mostQueued = 0
  let ended = false
  const look = async (): Promise<void> => {
    while (!ended) {
      const { eventLoopLagMs, queues } = vitalSigns.parse(
        JSON.parse(await ask(socket, 'GET', '/v1/status')),
      )
      lagsMs.push(eventLoopLagMs)
      const queued = Object.values(queues).reduce((sum, it) => sum + it, 0)
      mostQueued = Math.max(mostQueued, queued)
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
    }
  }
  const looking = look()
  return {
    end: async () => {
      ended = true
      await looking
      return { lagsMs, mostQueued }
    },
  }
}
