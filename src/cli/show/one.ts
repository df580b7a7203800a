/** Showing one thing with many properties, and watching an answer. */
import { ControlClient, socketFrom } from '../../control/client.ts'
import type { EventRow, StatusRow } from '../../control/reports.ts'
import type { PeerDetail } from '../../control/rows.ts'
import type { ShowOptions } from '../options.ts'
import type { Shell } from '../shell.ts'
import type { Look } from '../table.ts'

interface ObjectView<Answer> {
  readonly path: string
  /** Events of this topic change it; undefined: all of them may. */
  readonly topic: EventRow['topic'] | undefined
  readonly format: (answer: Answer, look: Look) => string | Promise<string>
}

export async function showStatus(shell: Shell, options: ShowOptions): Promise<void> {
  const { formatStatus } = await import('./status.ts')
  await showObject<StatusRow>(shell, options, {
    path: '/v1/status',
    topic: undefined,
    format: formatStatus,
  })
}

export interface PeerOptions extends ShowOptions {
  readonly config?: true
}

export async function showPeer(shell: Shell, name: string, options: PeerOptions): Promise<void> {
  const { formatPeer, formatSettings } = await import('./peer.ts')
  await showObject<PeerDetail>(shell, options, {
    path: `/v1/peers/${encodeURIComponent(name)}`,
    topic: 'peers',
    format: options.config === true ? formatSettings : formatPeer,
  })
}

async function showObject<Answer>(
  shell: Shell,
  options: ShowOptions,
  view: ObjectView<Answer>,
): Promise<void> {
  const { terminal, clock } = shell
  const client = new ControlClient(socketFrom(options.socket, shell.env))
  const draw = async (): Promise<string> => {
    const answer = await client.get<Answer>(view.path)
    if (options.json === true)
      return `${JSON.stringify(answer, undefined, options.watch ? 0 : 2)}\n`
    return view.format(answer, { colour: terminal.colour, now: clock.wallNow() })
  }
  if (options.watch !== true) return terminal.print(await draw())
  return watchAnswer(shell, client, { topic: view.topic, path: view.path, draw })
}

export interface WatchedAnswer {
  readonly topic: EventRow['topic'] | undefined
  readonly path: string
  readonly draw: () => Promise<string>
}

/** Draws again and again until Ctrl-C, or until the daemon is gone. */
export async function watchAnswer(
  shell: Shell,
  client: ControlClient,
  { topic, path, draw }: WatchedAnswer,
): Promise<void> {
  const { watch } = await import('../watch.ts')
  await shell.interruptible(async (interrupted) => {
    const finished = new AbortController()
    const events = client.events(topic, AbortSignal.any([interrupted, finished.signal]))
    const title = `linnet show ${path.replace('/v1/', '').replace('peers/', 'peer ')}`
    const { terminal, clock } = shell
    try {
      await watch({ terminal, clock, title, draw, events, interrupted })
    } finally {
      finished.abort()
    }
  })
}
