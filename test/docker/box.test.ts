/** Whatever happens to a test with Docker, nothing of it stays on the machine. */
import { describe, expect, test } from 'vitest'
import { isAlive } from '../../src/linux/process.ts'
import { cgroupsOf } from '../support/docker-box.ts'
import { openFabric, ROUTED } from '../support/docker-fabric.ts'

describe('two Docker hosts with containers', () => {
  test('leave nothing behind when the test ends', async () => {
    const fabric = await openFabric(ROUTED)
    console.log('up')
    console.log(
      await fabric.hosts[1].runContainer('web'),
      await fabric.hosts[2].runContainer('web'),
    )
    expect(cgroupsOf(fabric.box.cgroup)).not.toEqual([])
    await fabric.close()
    expect(isAlive(fabric.box.pid)).toBe(false)
    expect(cgroupsOf(fabric.box.cgroup)).toEqual([])
  })
})
