/** docs/calico.md: its tables are printed from the settings, its example from the command. UPDATE_GOLDEN=1 rewrites them. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { stringify } from 'yaml'
import { formatComplaint } from '../../../../src/config/complaint.ts'
import { importCalico } from '../../../../src/config/import/calico/calico.ts'
import type { Setting } from '../../../../src/config/import/calico/setting.ts'
import { SETTINGS } from '../../../../src/config/import/calico/settings.ts'
import { generatedDocument } from '../../../support/generated-document.ts'
import { linesOf, NOWHERE } from '../loading.ts'
import { loadText } from '../../../../src/config/load.ts'

const DOCUMENT = 'docs/calico.md'
const MARK = /<!-- What follows is printed from .*-->\n/

const code = (text: string): string => `\`${text.replaceAll('|', '\\|')}\``

/** On one line, as it would be written. */
function inline(value: unknown): string {
  const options = { collectionStyle: 'flow', lineWidth: 0, flowCollectionPadding: false } as const
  return stringify(value, options).trim()
}

function rowOf({ field, example, becomes, nothing, told }: Setting): string {
  const key = field.split('.').at(-1) ?? field
  const says = [
    ...(becomes === undefined ? [] : [becomes]),
    ...(nothing === undefined ? [] : [`nothing: ${nothing}`]),
    ...(told === undefined ? [] : [`told: ${told.why}; ${told.instead}`]),
  ]
  const shown = inline({ [key]: example }).slice(1, -1)
  return `| ${code(field.replace(/^rule\./, ''))} | ${says.join('. ')} | ${code(shown)} |`
}

function table(title: string, rows: readonly Setting[]): string {
  const head = `| setting | in linnet | for example |\n|---|---|---|`
  return `## ${title}\n\n${head}\n${rows.map(rowOf).join('\n')}\n`
}

const isOfRule = ({ field }: Setting): boolean => field.startsWith('rule.')

function tables(): string {
  return Object.entries(SETTINGS)
    .flatMap(([kind, rows]) => {
      const rules = rows.filter(isOfRule)
      const whole = table(
        kind,
        rows.filter((it) => !isOfRule(it)),
      )
      return rules.length === 0 ? [whole] : [whole, table(`A rule of a ${kind}`, rules)]
    })
    .join('\n')
}

/** The first block, and what comes of it. */
function example(prose: string): { yaml: string; told: string } {
  const text = /```yaml\n(apiVersion.*?)```/s.exec(prose)?.[1] ?? ''
  const imported = importCalico([{ name: 'calico.yaml', text }], 'node-1')
  if (!('yaml' in imported)) throw new Error(imported.complaints.map(formatComplaint).join('\n'))
  expect(linesOf(loadText(imported.yaml, 'c.yaml', NOWHERE))).toEqual([])
  return {
    yaml: imported.yaml,
    told: imported.told.map((it) => `${formatComplaint(it)}\n`).join(''),
  }
}

test('docs/calico.md has every setting, and its example is true', async () => {
  const written = readFileSync(DOCUMENT, 'utf8')
  const mark = MARK.exec(written)
  if (mark === null) throw new Error(`${DOCUMENT} has lost its mark`)
  const prose = written.slice(0, mark.index + mark[0].length)
  const { yaml, told } = example(prose)
  const shown = prose
    .replace(
      /(node-1` writes\n\n.*?\n```yaml\n).*?```/s,
      (_, before: string) => `${before}${yaml}\`\`\``,
    )
    .replace(/(and tells\n\n```\n).*?```/s, (_, before: string) => `${before}${told}\`\`\``)
  const { found, wanted } = await generatedDocument(DOCUMENT, `${shown}\n${tables()}`)
  expect(found).toBe(wanted)
})
