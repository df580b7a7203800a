import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  describeExit,
  exitCodeOf,
  isAlive,
  outputOf,
  ProcessError,
  runProcess,
  startProcess,
} from '../../../src/linux/process.ts'
import { until } from '../../support/until.ts'

const sh = (script: string): [string, string[]] => ['sh', ['-c', script]]

describe('a command run for its output', () => {
  test('returns what it wrote and how it ended', async () => {
    const result = await runProcess(...sh('echo out; echo err >&2; exit 3'))
    expect(result).toMatchObject({ stdout: 'out\n', stderr: 'err\n', code: 3, timedOut: false })
    expect(result.signal).toBeUndefined()
  })

  test('gets input and environment', async () => {
    const result = await runProcess(...sh('cat; echo $GREETING$HOME'), {
      input: 'in ',
      env: { GREETING: 'hi', HOME: undefined },
    })
    expect(result.stdout).toBe('in hi\n')
  })

  test('may end without reading its input', async () => {
    const result = await runProcess('true', [], { input: 'x'.repeat(1 << 20) })
    expect(result.code).toBe(0)
  })

  test('is killed at its deadline, though a grandchild holds the pipe', async () => {
    const result = await runProcess(...sh('sleep 7 & wait'), { deadlineMs: 100 })
    expect(result).toMatchObject({ timedOut: true, signal: 'SIGKILL' })
  })

  test('that fails is an error with its last words', async () => {
    await expect(outputOf(...sh('echo bad luck >&2; exit 2'))).rejects.toThrow(
      'sh -c echo bad luck >&2; exit 2 exited with code 2: bad luck',
    )
    await expect(outputOf('sleep', ['9'], { deadlineMs: 50 })).rejects.toThrow(
      'sleep 9 did not end within 0.05 s',
    )
    expect(await outputOf('echo', ['fine'])).toBe('fine\n')
  })

  test('that does not exist is named', async () => {
    const failed = runProcess('linnet-no-such-program').catch((error: unknown) => error)
    const error = await failed
    expect(error).toBeInstanceOf(ProcessError)
    expect(error).toMatchObject({
      missing: true,
      message: "can't start linnet-no-such-program: no such program",
    })
  })
})

describe('a child', () => {
  test('writes to its log, and its end is told', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'linnet-child-'))
    const log = join(folder, 'log')
    const child = await startProcess(...sh('echo one; echo two >&2'), { log })
    expect(await child.exited).toEqual({ code: 0, signal: undefined })
    expect(readFileSync(log, 'utf8')).toBe('one\ntwo\n')
    rmSync(folder, { recursive: true })
  })

  test('is heard line by line', async () => {
    const lines: string[] = []
    const child = await startProcess(...sh("printf 'a\\nb\\nc'; echo d >&2"), {
      onLine: (line, stream) => lines.push(`${stream} ${line}`),
    })
    await child.exited
    await until('all lines', () => lines.length === 4)
    expect(lines.toSorted()).toEqual(['stderr d', 'stdout a', 'stdout b', 'stdout c'])
  })

  test('stops at SIGTERM', async () => {
    const child = await startProcess('sleep', ['60'])
    expect(isAlive(child.pid)).toBe(true)
    expect(child.exit).toBeUndefined()
    expect(await child.stop()).toEqual({ code: undefined, signal: 'SIGTERM' })
    expect(child.exit).toEqual({ code: undefined, signal: 'SIGTERM' })
    expect(isAlive(child.pid)).toBe(false)
    child.kill() // harmless
  })

  test('that ignores SIGTERM is killed after the grace period', async () => {
    let ready = false
    const child = await startProcess(
      ...sh("trap '' TERM; echo ready; while :; do sleep 60; done"),
      {
        onLine: () => (ready = true),
        ownGroup: true,
      },
    )
    await until('the trap is set', () => ready)
    expect(describeExit(await child.stop(50))).toBe('was killed by SIGKILL')
  })

  test('with a group of its own takes its children along', async () => {
    let grandchild = 0
    const child = await startProcess(...sh('sleep 60 & echo $!; wait'), {
      onLine: (line) => (grandchild = Number(line)),
      ownGroup: true,
    })
    await until('the grandchild runs', () => grandchild > 0)
    await child.stop()
    // Init waits for it in its own time; until then it is a zombie, which is dead enough.
    await until('the grandchild is gone', () => !isAlive(grandchild) || isZombie(grandchild))
  })

  test('that does not exist is an error', async () => {
    await expect(startProcess('linnet-no-such-program')).rejects.toThrow('no such program')
  })
})

test('exit codes are those of a shell', () => {
  expect(exitCodeOf({ code: 3, signal: undefined })).toBe(3)
  expect(exitCodeOf({ code: undefined, signal: 'SIGTERM' })).toBe(143)
})

function isZombie(pid: number): boolean {
  try {
    return /^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return true
  }
}
