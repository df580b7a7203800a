/** What `linnet show` needs to know about one table. */
import type { EventRow, StatusRow } from '../../control/reports.ts'
import type { TableLayout } from '../table.ts'

export interface TableView<Row> extends TableLayout<Row> {
  /** Where the control API serves it. */
  readonly path: string
  /** Events of this topic change it. */
  readonly topic: EventRow['topic']
  /** Explains the marks; shown on a terminal only. */
  readonly legend?: string
  /** What to say when there is nothing: why that may be, and what to do. */
  readonly nothing: (status: StatusRow) => string
}
