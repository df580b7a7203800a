/** Reads one section, peer, group or policy of a configuration by its schema. */
import type { z } from 'zod'
import { stepsOf, type Complaints } from './advice.ts'
import { nodeAt, plainOf, withAlternatives, type Path, type TreeNode } from './tree.ts'
import type { World } from './world.ts'

/** What every part of the check works with. */
export interface Section {
  readonly root: TreeNode
  readonly world: World
  readonly complaints: Complaints
}

/**
 * What stands at `path`, or the default. Complains when it is wrong, and gives what is left of a map
 * without its wrong keys, so that the rest is still checked; undefined when nothing useful is left.
 */
export function parse<T>(
  schema: z.ZodType<T>,
  path: Path,
  section: Pick<Section, 'root' | 'complaints'>,
): T | undefined {
  let node = nodeAt(section.root, path)
  let result = schema.safeParse(node === undefined ? undefined : plainOf(node))
  if (result.success) return result.data
  if (node === undefined) {
    section.complaints.issues(path, schema, result.error.issues)
    return undefined
  }
  node = withAlternatives(node, result.error.issues.map(stepsOf))
  result = schema.safeParse(plainOf(node))
  if (result.success) return result.data
  section.complaints.issues(path, schema, result.error.issues)
  if (node.kind !== 'map') return undefined
  const wrong = new Set(result.error.issues.flatMap(wrongKeys))
  const entries = new Map([...node.entries].filter(([key]) => !wrong.has(key)))
  return schema.safeParse(plainOf({ ...node, entries })).data
}

const wrongKeys = (issue: z.core.$ZodIssue): (string | number)[] =>
  issue.code === 'unrecognized_keys' && issue.path.length === 0
    ? issue.keys
    : stepsOf(issue).slice(0, 1)
