import type { Complaints } from '../../advice.ts'
import type { Path, TreeNode } from '../../tree.ts'

/** A resource of any kind, and where it is written. */
export interface Found {
  readonly kind: string
  readonly apiVersion: string
  readonly name: string
  /** Of the document that it stands in. */
  readonly root: TreeNode
  readonly path: Path
  readonly complaints: Complaints
}
