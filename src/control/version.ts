/** linnet's version, as package.json beside `src/` or `dist/` says. */
import { readFileSync } from 'node:fs'

export function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  const manifest = JSON.parse(text) as { readonly version?: string }
  return manifest.version ?? 'unknown'
}
