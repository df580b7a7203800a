/** The few colours of the command line (ECMA-48 SGR), and how times and sizes are written. */
export type Style = 'plain' | 'bold' | 'dim' | 'good' | 'bad' | 'warning'

const CODES: Readonly<Record<Style, string>> = {
  plain: '',
  bold: '1',
  dim: '2',
  good: '32',
  bad: '31',
  warning: '33',
}

export const paint = (text: string, style: Style, colour: boolean): string =>
  colour && style !== 'plain' && text !== '' ? `\u001b[${CODES[style]}m${text}\u001b[0m` : text

const UNITS: readonly (readonly [string, number])[] = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
]

/** `45s`, `12m30s`, `3h12m`, `2d4h`: the two largest units. */
export function formatDuration(milliseconds: number): string {
  let seconds = Math.max(0, Math.floor(milliseconds / 1000))
  const first = UNITS.findIndex(([, size]) => seconds >= size)
  if (first < 0) return '0s'
  let text = ''
  for (const [unit, size] of UNITS.slice(first, first + 2)) {
    const count = Math.floor(seconds / size)
    seconds -= count * size
    if (count > 0) text += `${count}${unit}`
  }
  return text
}

/** How long ago the ISO 8601 time `since` was. */
export const formatAge = (since: string, now: number): string =>
  formatDuration(now - Date.parse(since))

/** `64 MiB`. */
export const formatBytes = (bytes: number): string =>
  bytes < 1024 * 1024 ? `${Math.round(bytes / 1024)} KiB` : `${Math.round(bytes / 1048576)} MiB`
