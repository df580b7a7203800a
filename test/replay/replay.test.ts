import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { casesIn } from './cases.ts'
import { ReplayStage } from './stage.ts'

test('a folder without cases is a failure', () => {
  const empty = mkdtempSync(join(tmpdir(), 'linnet-replay-'))
  try {
    expect(() => casesIn(empty)).toThrow('no cases')
  } finally {
    rmdirSync(empty)
  }
})

describe('replayed', () => {
  for (const it of casesIn(import.meta.dirname)) {
    test(it.title, async () => {
      const stage = new ReplayStage(it.config, it.file)
      for (const happening of it.events) await stage.play(happening)
      expect(stage.messages).toEqual(it.expected('messages.jsonl', stage.messages))
      expect(stage.kernelChanges).toEqual(it.expected('kernel.jsonl', stage.kernelChanges))
      await stage.end()
    })
  }
})
