/** Which line of the configuration has set what of a peer: for `show peer --config`. */
import type { PeerSetting } from './config.ts'
import { groupSchema, SESSION_DEFAULTS } from './peer-schema.ts'
import type { PeerDraft } from './peers.ts'
import { keyRows } from './reference.ts'
import { nodeAt, plainOf, type Path, type TreeNode } from './tree.ts'

/** Never shown, whoever asks. */
const SECRETS: readonly string[] = ['password', 'key']

/** All settings of a peer, in the order of the documentation. */
export function settingsOf({ path, group }: PeerDraft, root: TreeNode): PeerSetting[] {
  const levels: readonly { readonly path: Path; readonly group?: string }[] = [
    { path },
    ...(group === undefined ? [] : [{ path: ['peerGroups', group], group }]),
  ]
  return keyRows(groupSchema, SESSION_DEFAULTS).map(({ key, otherwise }) => {
    for (const level of levels) {
      const node = nodeAt(root, [...level.path, key])
      if (node === undefined) continue
      const { file, line, column } = node.place
      return {
        ...{ key, value: shown(key, node), place: `${file}:${line}:${column}` },
        ...(level.group === undefined ? {} : { group: level.group }),
      }
    }
    return { key, value: otherwise.replaceAll('`', '') }
  })
}

function shown(key: string, node: TreeNode): string {
  if (SECRETS.includes(key)) return '***'
  if (node.kind === 'scalar') return node.shown
  const hidden = (name: string, value: unknown): unknown => (SECRETS.includes(name) ? '***' : value)
  return JSON.stringify(plainOf(node), hidden)
}
