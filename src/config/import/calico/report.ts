/**
 * What the importer could not carry over: which resource, which field, why, and what to do instead. Nothing is
 * left out in silence.
 */
import { formatComplaint, type Complaint } from '../../complaint.ts'
import { placeOf, type Path } from '../../tree.ts'
import type { Found } from './found.ts'

export class Report {
  readonly told: Complaint[] = []
  readonly #lines = new Set<string>()

  /** `steps`: where it stands below the resource's `spec`; none for the whole resource. */
  tell(found: Found, steps: Path, why: string, instead: string): void {
    const { kind, name, root, path } = found
    const below = steps.length === 0 ? [] : ['spec', ...steps]
    const field = below.map((it) => (typeof it === 'number' ? `[${it}]` : `.${it}`)).join('')
    this.#add({
      severity: 'warning' as const,
      ...placeOf(root, [...path, ...below]),
      path: `${kind} ${name}${field === '' ? '' : ` ${field.slice(1)}`}`,
      message: why,
      remedy: instead,
    })
  }

  /** That something is not among the files at all. */
  miss(file: string, what: string, why: string, instead: string): void {
    const nowhere = { file, line: 0, column: 0 }
    this.#add({ severity: 'warning', ...nowhere, path: what, message: why, remedy: instead })
  }

  #add(it: Complaint): void {
    const line = formatComplaint(it)
    if (this.#lines.has(line)) return
    this.#lines.add(line)
    this.told.push(it)
  }
}
