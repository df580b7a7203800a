import { expect, test } from 'vitest'
import { readMemoryRooms } from '../../../src/linux/memory.ts'

const MEMINFO = 'MemTotal:       16000 kB\nMemFree:          10 kB\nMemAvailable:    4000 kB\n'
const MACHINE = { of: 'the machine', limitBytes: 16_384_000, leftBytes: 4_096_000 }

const cases: { title: string; files: Record<string, string>; rooms: unknown[] }[] = [
  { title: 'nothing is known', files: {}, rooms: [] },
  { title: 'the machine alone', files: { '/proc/meminfo': MEMINFO }, rooms: [MACHINE] },
  {
    title: 'a service with a limit (version 2); files that were read do not count',
    files: {
      '/proc/meminfo': MEMINFO,
      '/proc/self/cgroup': '0::/system.slice/linnet.service\n',
      '/sys/fs/cgroup/system.slice/memory.max': 'max\n',
      '/sys/fs/cgroup/system.slice/memory.current': '900\n',
      '/sys/fs/cgroup/system.slice/linnet.service/memory.max': '1000\n',
      '/sys/fs/cgroup/system.slice/linnet.service/memory.current': '800\n',
      '/sys/fs/cgroup/system.slice/linnet.service/memory.stat':
        'anon 5\ninactive_file 200\nactive_file 100\n',
    },
    rooms: [
      MACHINE,
      { of: 'control group /system.slice/linnet.service', limitBytes: 1000, leftBytes: 500 },
    ],
  },
  {
    title: 'the tightest of nested groups',
    files: {
      '/proc/self/cgroup': '0::/a/b\n',
      '/sys/fs/cgroup/a/memory.max': '2000',
      '/sys/fs/cgroup/a/memory.current': '1900',
      '/sys/fs/cgroup/a/b/memory.max': '1000',
      '/sys/fs/cgroup/a/b/memory.current': '100',
    },
    rooms: [{ of: 'control group /a', limitBytes: 2000, leftBytes: 100 }],
  },
  {
    title: 'a container, whose files are at the root whatever its name',
    files: {
      '/proc/self/cgroup': '0::/docker/1234\n',
      '/sys/fs/cgroup/memory.max': '1000',
      '/sys/fs/cgroup/memory.current': '100',
    },
    rooms: [{ of: 'control group /', limitBytes: 1000, leftBytes: 900 }],
  },
  {
    title: 'version 1, and a group without a limit around it',
    files: {
      '/proc/self/cgroup': '5:devices:/x\n4:cpu,memory:/jobs/1\n0::/\n',
      '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712',
      '/sys/fs/cgroup/memory/memory.usage_in_bytes': '5000',
      '/sys/fs/cgroup/memory/jobs/1/memory.limit_in_bytes': '4000',
      '/sys/fs/cgroup/memory/jobs/1/memory.usage_in_bytes': '1000',
      '/sys/fs/cgroup/memory/jobs/1/memory.stat':
        'inactive_file 7\ntotal_inactive_file 400\ntotal_active_file 100\n',
    },
    rooms: [{ of: 'control group /jobs/1', limitBytes: 4000, leftBytes: 3500 }],
  },
]

test.each(cases)('$title', ({ files, rooms }) => {
  expect(readMemoryRooms((path) => files[path] ?? '')).toEqual(rooms)
})

test('this machine has some left', () => {
  const [machine] = readMemoryRooms()
  expect(machine.leftBytes).toBeGreaterThan(0)
  expect(machine.limitBytes).toBeGreaterThan(machine.leftBytes)
})
