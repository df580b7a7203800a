import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { cniDirectory } from '../../../src/linux/cni-directory.ts'
import { until } from '../../support/until.ts'

let folder: string
const cleanUps: (() => void)[] = []
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linnet-cni-'))
})
afterEach(() => {
  for (const cleanUp of cleanUps.splice(0)) cleanUp()
  rmSync(folder, { recursive: true, force: true })
})

/** What a reader saw when it was told last. */
function watched(directory: string) {
  const view = cniDirectory(directory)
  const seen = { texts: [] as string[] }
  const look = (): void => {
    seen.texts = view.read().map((it) => ('text' in it ? it.text : it.problem))
  }
  look()
  cleanUps.push(view.watch(look))
  return seen
}

test('files that are configurations are read in the order of their names', () => {
  for (const name of ['20.json', '10.conflist', '30.conf', 'README', '40.conf.bak', '.conf']) {
    writeFileSync(join(folder, name), name)
  }
  expect(watched(folder).texts).toEqual(['.conf', '10.conflist', '20.json', '30.conf'])
})

test('changes are seen: a new file, another text, a removal', async () => {
  const seen = watched(folder)
  const file = join(folder, '10.conf')
  for (const text of ['one', 'two']) {
    writeFileSync(file, text)
    await until(text, () => seen.texts.join() === text)
  }
  rmSync(file)
  await until('it is gone', () => seen.texts.length === 0)
})

test('the folder may come later, go, and come back', async () => {
  const directory = join(folder, 'net.d')
  const seen = watched(directory)
  expect(seen.texts).toEqual(['it is not there (yet)'])
  for (const text of ['one', 'two']) {
    mkdirSync(directory)
    writeFileSync(join(directory, '10.conf'), text)
    await until(text, () => seen.texts.join() === text, 10_000)
    rmSync(directory, { recursive: true })
    await until('it is gone', () => seen.texts.join() === 'it is not there (yet)', 10_000)
  }
})

test('what can not be read says why', () => {
  mkdirSync(join(folder, '10.conf'))
  expect(watched(folder).texts).toEqual(['it is a directory'])
  expect(watched(join(folder, '10.conf', 'none')).texts).toEqual(['it is not there (yet)'])
})
