/**
 * The page of figures, docs/performance.md: a table and a plot for each scenario, from the runs that were made last. Only
 * what stands between the two marks is written; the rest of the page is by hand, and stays.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { medianOf, spreadOf, type Series } from './series.ts'

const DOCS = join(import.meta.dirname, '../../../docs')
const PAGE = join(DOCS, 'performance.md')
const PLOTS = 'performance'
const BEGIN = '<!-- figures: written by npm run bench -- --report -->'
const END = '<!-- end of figures -->'

/** What was measured, and where: kept beside the page, so that scenarios can be measured one after the other. */
interface Measured extends Series {
  readonly on: string
}

/** Puts the series into the page; those of other scenarios stay as they are. `runs` says how they were made. */
export async function report(series: readonly Series[], runs: string): Promise<void> {
  mkdirSync(join(DOCS, PLOTS), { recursive: true })
  const path = join(DOCS, PLOTS, 'figures.json')
  const before = JSON.parse(readOr(path, '[]')) as readonly Measured[]
  const day = new Date().toISOString().slice(0, 10)
  const on = `${day}, ${cpus().length} cores, ${runs}`
  const now = series.map((it) => ({ ...it, on }))
  const kept = before.filter((old) => !now.some(({ name }) => name === old.name))
  const all = [...kept, ...now].toSorted((a, b) => place(a.name) - place(b.name))
  await write(path, JSON.stringify(all, undefined, 2))
  for (const it of all.filter(hasFigures)) {
    writeFileSync(join(DOCS, PLOTS, `${it.name}.svg`), plot(it))
  }
  const page = readFileSync(PAGE, 'utf8')
  const [from, to] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (from < 0 || to < from) throw new Error(`${PAGE} has no marks for the figures to go between`)
  const figures = `${BEGIN}\n\n${all.map(section).join('\n')}\n`
  await write(PAGE, `${page.slice(0, from)}${figures}${page.slice(to)}`)
}

/** As the repository's other files are laid out, or its checks would complain. */
async function write(path: string, text: string): Promise<void> {
  const layout = await resolveConfig(path)
  writeFileSync(path, await format(text, { ...layout, filepath: path }))
}

const hasFigures = ({ results }: Series): boolean => Object.keys(results).length > 0

/** S2 before S10, words behind numbers. */
const place = (name: string): number => {
  const number = /^S(\d+)([kp]?)$/.exec(name)
  return number === null ? 1000 : Number(number[1]) + (number[2] === '' ? 0 : 0.5)
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}

function section(it: Measured): string {
  const { name, title, failures, on } = it
  const broken = Object.entries(failures).map(([daemon, why]) => `- ${daemon}: ${why}`)
  return [
    `### ${name}: ${title}`,
    '',
    ...(hasFigures(it) ? [...rowsOf(it), '', `![${name}](${PLOTS}/${name}.svg)`, ''] : []),
    ...(broken.length === 0 ? [] : [...broken, '']),
    `${on}: median (least–most).`,
    '',
  ].join('\n')
}

function rowsOf({ aims, results }: Series): string[] {
  const own = medianOf(results['linnet'] ?? [])
  const all = Object.values(results).flat()
  const figures = [...new Set(all.flatMap((it) => Object.keys(it)))]
  const rows = Object.entries(results).map(([daemon, runs]) => {
    const cells = figures.map((figure) => {
      const values = runs.flatMap((it) => it[figure] ?? [])
      if (values.length === 0) return ''
      const { median, least, most } = spreadOf(values)
      return `${short(median)} (${short(least)}–${short(most)})`
    })
    const median = medianOf(runs)
    const isPeer = daemon !== 'linnet' && own !== undefined && median !== undefined
    const wanted = aims?.[daemon] === undefined ? '' : ` (wanted: ${aims[daemon]})`
    return `| ${[daemon, ...cells, isPeer ? `${ratio(own / median)}${wanted}` : ''].join(' | ')} |`
  })
  return [
    `| daemon | ${figures.join(' | ')} | linnet's ratio to it |`,
    `|---|${figures.map(() => '---').join('|')}|---|`,
    ...rows,
  ]
}

const ratio = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2)
const short = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(0))

const [WIDTH, ROW, LEFT, RIGHT] = [640, 26, 90, 90]

/** Bars of the first figure, with a line from the least to the most; marks in linnet's say what is wanted of it. */
function plot({ title, aims = {}, results }: Series): string {
  const rows = Object.entries(results).map(([daemon, runs]) => {
    const [figure = ''] = Object.keys(runs[0])
    return { daemon, figure, ...spreadOf(runs.map((it) => it[figure])) }
  })
  const longest = Math.max(...rows.map(({ most }) => most), Number.MIN_VALUE)
  const x = (value: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * value) / longest
  const wanted = rows.flatMap((it) => {
    const most = aims[it.daemon]
    return most === undefined ? [] : [most * it.median]
  })
  const bars = rows.map(({ daemon, figure, median, least, most }, i) => {
    const y = 6 + i * ROW
    const colour = daemon === 'linnet' ? '#2a7f62' : '#9aa5b1'
    return [
      `<text x="${LEFT - 8}" y="${y + 13}" text-anchor="end">${daemon}</text>`,
      `<rect x="${LEFT}" y="${y}" width="${(x(median) - LEFT).toFixed(1)}" height="18" fill="${colour}"/>`,
      `<line x1="${x(least).toFixed(1)}" x2="${x(most).toFixed(1)}" y1="${y + 9}" y2="${y + 9}" stroke="#222"/>`,
      ...(daemon === 'linnet' ? wanted.map((at) => markAt(Math.min(x(at), WIDTH), y)) : []),
      `<text x="${(x(most) + 6).toFixed(1)}" y="${y + 13}">${short(median)} ${figure}</text>`,
    ].join('\n')
  })
  const height = 12 + rows.length * ROW
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" font-family="sans-serif" font-size="12">
<title>${title}</title>
<rect width="${WIDTH}" height="${height}" fill="white"/>
${bars.join('\n')}
</svg>
`
}

const markAt = (x: number, y: number): string =>
  `<line x1="${x.toFixed(1)}" x2="${x.toFixed(1)}" y1="${y - 3}" y2="${y + 21}" stroke="#c0392b" stroke-dasharray="3 2"/>`
