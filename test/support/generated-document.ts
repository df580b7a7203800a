/** Documents that are made from the code: a test holds the file to it, UPDATE_GOLDEN=1 rewrites it. */
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { format, resolveConfig } from 'prettier'

/** The file's text now, and what it should be, in prettier's form. `path` is from the repository's top. */
export async function generatedDocument(
  path: string,
  markdown: string,
): Promise<{ readonly found: string; readonly wanted: string }> {
  const file = fileURLToPath(new URL(`../../${path}`, import.meta.url))
  const wanted = await format(markdown, { ...(await resolveConfig(file)), parser: 'markdown' })
  if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(file, wanted)
  return { found: readFileSync(file, 'utf8'), wanted }
}
