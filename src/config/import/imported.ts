/** What an importer comes to. */
import type { Complaint } from '../complaint.ts'

export type Imported =
  | {
      /** The configuration. */
      readonly yaml: string
      /** What it does not hold, as warnings. */
      readonly told: readonly Complaint[]
    }
  /** What is wrong with the files. */
  | { readonly complaints: readonly Complaint[] }
