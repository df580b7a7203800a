/** Showing a table: as it streams in, as JSON, or again and again. */
import { ControlClient, socketFrom, type Query } from '../../control/client.ts'
import type { StatusRow } from '../../control/reports.ts'
import type { ShowOptions } from '../options.ts'
import type { Shell } from '../shell.ts'
import { formatTable, type Look } from '../table.ts'
import { watchAnswer } from './one.ts'
import type { TableView } from './view.ts'

export async function showTable<Row>(
  shell: Shell,
  view: TableView<Row>,
  options: ShowOptions,
  query: Query,
): Promise<void> {
  const { terminal, clock } = shell
  const client = new ControlClient(socketFrom(options.socket, shell.env))
  const look = (): Look => ({ colour: terminal.colour, now: clock.wallNow() })
  const nothing = async (): Promise<string> =>
    `${view.nothing(await client.get<StatusRow>('/v1/status'))}\n`

  if (options.watch === true) {
    // What is below the edge of the screen need not be asked for.
    const most = terminal.interactive ? { limit: terminal.size().rows } : {}
    const asked = { ...most, ...definedIn(query) }
    const draw = async (): Promise<string> => {
      const rows: Row[] = []
      for await (const row of client.rows<Row>(view.path, asked)) rows.push(row)
      if (options.json === true) return `${JSON.stringify(rows)}\n`
      return rows.length === 0 ? nothing() : textOf(formatTable(rows, view, look()))
    }
    return watchAnswer(shell, client, { topic: view.topic, path: view.path, draw })
  }

  if (options.json === true) {
    for await (const piece of client.text(view.path, query)) await terminal.print(piece)
    return
  }
  let shown = false
  for await (const piece of formatTable(client.rows<Row>(view.path, query), view, look())) {
    if (!shown && terminal.interactive && view.legend !== undefined) {
      await terminal.print(`${view.legend}\n`)
    }
    shown = true
    await terminal.print(piece)
  }
  if (!shown) terminal.complain(await nothing())
}

const definedIn = (query: Query): Query =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined))

async function textOf(pieces: AsyncIterable<string>): Promise<string> {
  let text = ''
  for await (const piece of pieces) text += piece
  return text
}
