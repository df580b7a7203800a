import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { labReference } from '../../../src/lab/reference.ts'
import { generatedDocument } from '../../support/generated-document.ts'

const MARK = '## Every key\n'

test('docs/lab.md lists the keys that the schema has (UPDATE_GOLDEN=1 rewrites it)', async () => {
  const text = readFileSync(join(import.meta.dirname, '../../../docs/lab.md'), 'utf8')
  const [prose, listed] = text.split(MARK)
  expect(listed).toBeDefined()
  const { found, wanted } = await generatedDocument(
    'docs/lab.md',
    `${prose}${MARK}\n${labReference()}`,
  )
  expect(found).toBe(wanted)
})
