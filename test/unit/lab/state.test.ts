import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LabStates, startTimeOf, stateDirectory, type LabState } from '../../../src/lab/state.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'linnet-state-'))))
afterEach(() => rmSync(directory, { recursive: true }))

const state = (change: Partial<LabState> = {}): LabState => ({
  name: 'small',
  file: '/labs/small.yaml',
  pid: process.pid,
  startTime: startTimeOf(process.pid) ?? '',
  asRoot: false,
  since: '2026-01-01T00:00:00.000Z',
  namespaces: ['tor1', 'host1', 'host1.c1'],
  ...change,
})

const files = (): string[] => readdirSync(directory).filter((it) => it.endsWith('.json'))

test('a lab that was claimed is found, updated and released', () => {
  const states = new LabStates([directory])
  expect(states.claim(state())).toBeUndefined()
  states.update(state({ namespaces: [] }))
  expect(new LabStates([directory]).find('small')).toEqual(state({ namespaces: [] }))
  states.release('small')
  expect(states.list()).toEqual([])
})

test('a second lab of the same name is refused', () => {
  const states = new LabStates([directory])
  states.claim(state())
  expect(states.claim(state({ file: '/labs/other.yaml' }))).toEqual(state())
  expect(states.claim(state({ name: 'other' }))).toBeUndefined()
  expect(states.list().map((it) => it.name)).toEqual(['other', 'small'])
})

const stale: { title: string; change: Partial<LabState> }[] = [
  { title: 'whose process is gone', change: { pid: 2 ** 22 + 1 } },
  { title: 'whose pid belongs to another process now', change: { startTime: '1' } },
]

test.each(stale)('a lab $title is swept', ({ change }) => {
  const states = new LabStates([directory])
  states.claim(state(change))
  expect(files()).toEqual(['small.json'])
  expect(states.list()).toEqual([])
  expect(files()).toEqual([])
  expect(states.claim(state())).toBeUndefined()
})

test('a file that is no state is swept', () => {
  writeFileSync(join(directory, 'small.json'), '{"name":')
  expect(new LabStates([directory]).list()).toEqual([])
  expect(files()).toEqual([])
})

test('the first directory that can be written to is used', () => {
  const file = join(directory, 'no-directory')
  writeFileSync(file, '')
  const states = new LabStates([join(file, 'labs'), join(directory, 'labs')])
  expect(states.directory).toBe(join(directory, 'labs'))
  expect(() => new LabStates([join(file, 'labs')])).toThrow("can't write to")
})

const directories: { title: string; uid: number; env: NodeJS.ProcessEnv; first: string }[] = [
  { title: 'root', uid: 0, env: { XDG_RUNTIME_DIR: '/run/user/1000' }, first: '/run/linnet/labs' },
  {
    title: 'a user with a session',
    uid: 1000,
    env: { XDG_RUNTIME_DIR: '/run/user/1000' },
    first: '/run/user/1000/linnet/labs',
  },
  { title: 'a user without', uid: 1000, env: {}, first: join(tmpdir(), 'linnet-1000', 'labs') },
]

test.each(directories)('the runtime directory of $title', ({ uid, env, first }) => {
  expect(stateDirectory(uid, env)[0]).toBe(first)
})
