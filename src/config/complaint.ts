/**
 * What is wrong with a configuration, where, and what to write instead.
 */
export type Severity = 'error' | 'warning'

export interface Complaint {
  readonly severity: Severity
  readonly file: string
  /** From 1; 0 when the complaint is about the file as a whole (it can't be read). */
  readonly line: number
  readonly column: number
  /** `peers[2].asn`; empty for the document itself. Indexes count within `file`. */
  readonly path: string
  readonly message: string
  readonly remedy: string
}

/** `node.yaml:9:12: peers[2].asn: 0 is not an AS number; write 1..4294967295` */
export function formatComplaint(it: Complaint): string {
  const place = it.line === 0 ? it.file : `${it.file}:${it.line}:${it.column}`
  const severity = it.severity === 'warning' ? 'warning: ' : ''
  const path = it.path === '' ? '' : `${it.path}: `
  const line = `${place}: ${severity}${path}${it.message}; ${it.remedy}`
  return line.replaceAll(/\p{Cc}+/gu, ' ') // what a file holds must not move the cursor
}

export const isError = (it: Complaint): boolean => it.severity === 'error'
