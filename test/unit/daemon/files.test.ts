/** Files that monitors write: whole records or none, whatever the disk does. `/dev/full` is a full one. */
import {
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { AppendFile } from '../../../src/daemon/append-file.ts'
import { SnapshotFile } from '../../../src/daemon/snapshot-file.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { until } from '../../support/until.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'linnet-files-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
const text = (name: string): string => readFileSync(join(folder, name), 'utf8')

describe('a file that grows', () => {
  const clock = new FakeClock()
  const noted: string[] = []
  beforeEach(() => noted.splice(0))
  const file = (name: string): AppendFile =>
    new AppendFile(join(folder, name), clock, {
      wrote: (count) => noted.push(`wrote ${count}`),
      lost: (count, why) => noted.push(`lost ${count}: ${why.replace(/,.*/, '')}`),
    })

  test('is put behind what is there', async () => {
    writeFileSync(join(folder, 'log'), 'old.')
    const log = file('log')
    log.append(bytes('one.'))
    log.append(bytes('two.'))
    await log.close()
    expect(text('log')).toBe('old.one.two.')
    expect(log.waiting).toBe(0)
  })

  test('moved away and reopened, it goes on under its name', async () => {
    const log = file('log')
    log.append(bytes('one.'))
    await until('it is written', () => noted.length === 1)
    renameSync(join(folder, 'log'), join(folder, 'log.1'))
    log.append(bytes('two.'))
    await until('it is written', () => noted.length === 2)
    log.reopen()
    log.append(bytes('three.'))
    await log.close()
    expect([text('log.1'), text('log')]).toEqual(['one.two.', 'three.'])
  })

  test('on a full disk records are lost and counted; a second later it is tried again', async () => {
    symlinkSync('/dev/full', join(folder, 'log'))
    const log = file('log')
    log.append(bytes('one.'))
    await until('it has failed', () => noted.length === 1)
    // Left alone: the disk isn't asked for each record.
    log.append(bytes('two.'))
    expect(noted).toEqual([
      'lost 4: ENOSPC: no space left on device',
      'lost 4: ENOSPC: no space left on device',
    ])
    rmSync(join(folder, 'log'))
    clock.advance(1000)
    log.append(bytes('three.'))
    await log.close()
    expect(noted.at(-1)).toBe('wrote 6')
    expect(text('log')).toBe('three.')
  })

  test('a folder that is not there is told at once', async () => {
    const log = file('missing/log')
    log.reopen()
    await log.close()
    expect(noted).toEqual(['lost 0: ENOENT: no such file or directory'])
  })
})

describe('a file that is there as a whole', () => {
  const nobody = (): void => {}

  test('has its name at the end only', async () => {
    writeFileSync(join(folder, 'rib'), 'before')
    const rib = await SnapshotFile.create(join(folder, 'rib'), nobody)
    rib.write(bytes('one.'))
    rib.write(bytes('two.'))
    expect(rib.unwritten).toBe(8)
    expect(text('rib')).toBe('before')
    await rib.commit()
    expect(text('rib')).toBe('one.two.')
    expect(readdirSync(folder)).toEqual(['rib'])
  })

  test('given up, it leaves nothing behind', async () => {
    writeFileSync(join(folder, 'rib'), 'before')
    const rib = await SnapshotFile.create(join(folder, 'rib'), nobody)
    rib.write(bytes('one.'))
    await rib.discard()
    expect([readdirSync(folder), text('rib')]).toEqual([['rib'], 'before'])
  })

  test('on a full disk it says so, and what was there stays', async () => {
    writeFileSync(join(folder, 'rib'), 'before')
    symlinkSync('/dev/full', join(folder, 'rib.new'))
    const rib = await SnapshotFile.create(join(folder, 'rib'), nobody)
    rib.write(bytes('one.'))
    await until('it has failed', () => rib.failed)
    await expect(rib.commit()).rejects.toThrow('ENOSPC')
    await rib.discard()
    expect([readdirSync(folder), text('rib')]).toEqual([['rib'], 'before'])
  })
})
