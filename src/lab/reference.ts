/** The keys of a lab file as docs/lab.md lists them, printed from the schema. */
import { keyTable } from '../config/reference.ts'
import {
  containerSchema,
  defaultsSchema,
  expectSchema,
  labSchema,
  linkSchema,
  nodeSchema,
  proofSchema,
  spreadSchema,
  wrappedSchema,
} from './schema.ts'

/** Markdown: a table per map. */
export function labReference(): string {
  const sections = [
    ['The document', keyTable(labSchema)],
    ['nodes', 'A map of names and maps.', keyTable(nodeSchema)],
    ['containers of a node', 'A map of names and maps.', keyTable(containerSchema)],
    ['links', 'A list of maps.', keyTable(linkSchema)],
    ['expect', 'A list of maps.', keyTable(expectSchema)],
    ['proof', keyTable(proofSchema)],
    ['spread of the proof', 'A list of maps.', keyTable(spreadSchema)],
    ['wrapped of the proof', keyTable(wrappedSchema)],
    ['defaults', keyTable(defaultsSchema)],
  ]
  return sections.map(([title, ...text]) => [`### ${title}`, ...text].join('\n\n')).join('\n\n')
}
