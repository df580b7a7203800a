import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { spawn } from 'node:child_process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { LockedError, takeLock } from '../../../src/linux/lock.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linnet-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

function refusal(path: string): LockedError {
  try {
    takeLock(path).release()
  } catch (error) {
    if (error instanceof LockedError) return error
    throw error
  }
  throw new Error('the lock was given')
}

test('a lock holds our pid and goes with its release', () => {
  const path = join(folder, 'made', 'linnet.lock')
  const lock = takeLock(path)
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
  lock.release()
  lock.release()
  expect(existsSync(path)).toBe(false)
})

test('a lock that is held is refused, naming the holder', () => {
  const path = join(folder, 'linnet.lock')
  const lock = takeLock(path)
  const error = refusal(path)
  expect(error.pid).toBe(process.pid)
  expect(error.message).toContain(`locked by pid ${process.pid} (`)
  lock.release()
  takeLock(path).release()
})

test('the file of a process that is gone is no lock', () => {
  const path = join(folder, 'linnet.lock')
  writeFileSync(path, '999999999\n')
  const lock = takeLock(path)
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`)
  lock.release()
})

test('a lock is free as soon as its holder is killed', async () => {
  const path = join(folder, 'linnet.lock')
  const script = `exec 9>>"${path}"; flock 9; echo $$ >"${path}"; echo locked; exec sleep 60`
  const holder = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  expect(refusal(path)).toMatchObject({ pid: holder.pid })
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  takeLock(path).release()
})
