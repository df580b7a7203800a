/**
 * The cases of the replay tier: a folder each, with
 *
 *   linnet.yaml              the configuration
 *   events.jsonl             what happens, one event a line (`Happening`)
 *   expected/messages.jsonl  what each peer was sent, after which event (lines of events.jsonl)
 *   expected/kernel.jsonl    what became of the kernel's routes, likewise
 *
 * `UPDATE_GOLDEN=1` writes what is expected anew: look at the difference before you commit it.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AttributeValues } from '../support/update-builder.ts'

/** One line of events.jsonl; `note` may stand in any of them. */
export type Happening = { readonly note?: string } & (
  | { readonly link: string; readonly address: string }
  | { readonly start: true }
  | {
      /** This neighbour comes up and has a session. */
      readonly connect: string
      readonly address: string
      readonly asn: number
      readonly routerId: string
    }
  /** `10.0.0.0/8#7` is the path with identifier 7, from a peer that was asked for several (RFC 7911). */
  | {
      readonly from: string
      readonly announce?: readonly string[]
      readonly withdraw?: readonly string[]
      readonly set?: AttributeValues
      readonly nextHop6?: string
    }
  /** The session ends with a Cease. */
  | { readonly close: string }
  /** Nothing is heard of it any more; the hold timer ends the session. */
  | { readonly silence: string }
  | { readonly refresh: string; readonly family: 'ipv4' | 'ipv6' }
  /** It marks the beginning or the end of its own routes, told once more (RFC 7313). */
  | { readonly mark: 'begin' | 'end'; readonly by: string; readonly family: 'ipv4' | 'ipv6' }
  | { readonly nextHop: string; readonly reachable: boolean }
  /** So many seconds pass. */
  | { readonly wait: number }
  /** `linnet startup`, for a peer that was held down. */
  | { readonly startup: string }
  /** The cache of the configuration knows these from now on: `10.0.0.0/8-24 65001`. */
  | { readonly vrps: readonly string[] }
  /** The configuration is replaced by that of another file of the case. */
  | { readonly reload: string }
  /** `linnet drain`, or its undoing. */
  | { readonly drain: boolean }
  /** A change of the peer's configuration that is carried out in the running session. */
  | {
      readonly reconfigure: string
      readonly export?: 'accept' | 'local'
      readonly import?: 'accept' | 'reject'
    }
)

export interface Case {
  readonly title: string
  readonly config: string
  /** The text of another configuration of the case. */
  file(name: string): string
  readonly events: readonly Happening[]
  /** Lines of `expected/<name>`, or writes them when golden files are updated. */
  expected(name: string, lines: readonly string[]): readonly string[]
}

export function casesIn(folder: string, update = process.env['UPDATE_GOLDEN'] === '1'): Case[] {
  const titles = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  if (titles.length === 0) throw new Error(`no cases in ${folder}`)
  return titles.map((title) => readCase(join(folder, title), title, update))
}

function readCase(folder: string, title: string, update: boolean): Case {
  const events = linesOf(join(folder, 'events.jsonl')).map((line) => JSON.parse(line) as Happening)
  if (events.length === 0) throw new Error(`nothing happens in ${title}`)
  return {
    title,
    config: readFileSync(join(folder, 'linnet.yaml'), 'utf8'),
    events,
    file: (name) => readFileSync(join(folder, name), 'utf8'),
    expected(name, lines) {
      const file = join(folder, 'expected', name)
      if (!update) return linesOf(file)
      mkdirSync(join(folder, 'expected'), { recursive: true })
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
      return lines
    },
  }
}

function linesOf(file: string): string[] {
  if (!existsSync(file))
    throw new Error(`${file} is missing (UPDATE_GOLDEN=1 writes expected files)`)
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '')
}
