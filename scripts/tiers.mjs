/**
 * The tiers of `npm test` and what each needs of the machine: one row a tier, in the order they run.
 * (docs/testing.md tells the same to people; vitest.config.ts has a project for each.)
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

const isRoot = process.getuid() === 0

/**
 * A tier runs when none of its `needs` returns a reason against it; `beside` another one when both wait for timers
 * more than they compute, and nothing in them is late because the machine is busy. What would be is `alone`.
 */
export const TIERS = [
  { name: 'unit', needs: [] },
  { name: 'fuzz', needs: [] },
  { name: 'replay', needs: [] },
  { name: 'kernel', needs: [namespaces], boxed: !isRoot },
  {
    name: 'interop',
    beside: 'kernel',
    needs: [
      root,
      ...commands('ip', 'bird', 'birdc', 'gobgpd', 'gobgp', 'bgpd', 'bgpctl', 'exabgp', 'bgpdump'),
      ...commands('/usr/lib/frr/bgpd', '/usr/lib/frr/zebra', 'vtysh'),
    ],
  },
  { name: 'lab', beside: 'kernel', needs: [namespaces, ...commands('ip', 'nft')] },
  { name: 'alone', needs: [namespaces], boxed: !isRoot },
  {
    name: 'overlay',
    needs: [root, ...commands('linux.uml', 'modprobe', 'gcc', 'ip', 'nft', 'bird', 'busybox')],
  },
  {
    name: 'docker',
    beside: 'overlay',
    needs: [root, ...commands('ip', 'docker', 'dockerd', 'busybox')],
  },
]

/** The disposable box of the kernel tests for an ordinary user; root needs none, its namespaces will do. */
export const BOX = ['unshare', '--user', '--map-root-user', '--net', '--mount', '--pid', '--fork']
const BOX_ENDS_WITH_US = ['--kill-child', '--mount-proc']

/** `command`, in the box. */
export const boxed = (command) => [...BOX, ...BOX_ENDS_WITH_US, ...command]

/** Why this machine can't run the tier: '' when it can. */
export const obstacle = (tier) =>
  tier.needs.map((need) => need()).find((reason) => reason !== '') ?? ''

/** Test files of a tier, however deep. */
export function testFiles(folder) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) =>
    entry.isDirectory()
      ? testFiles(join(folder, entry.name))
      : entry.name.endsWith('.test.ts')
        ? [join(folder, entry.name)]
        : [],
  )
}

function root() {
  return isRoot ? '' : 'needs root: sudo npm test'
}

function namespaces() {
  const [command = '', ...args] = isRoot
    ? ['unshare', '--net', '--mount', '--pid', '--fork', 'true']
    : boxed(['true'])
  const made = spawnSync(command, args, { encoding: 'utf8' })
  if (made.status === 0) return ''
  const words = (made.stderr ?? made.error?.message ?? '').trim().split('\n')[0]
  if (isRoot) return `needs namespaces, which this machine refuses (${words})`
  return (
    `needs user namespaces, which this machine refuses to ordinary users (${words}): sudo npm test, ` +
    'or see user.max_user_namespaces, kernel.unprivileged_userns_clone and kernel.apparmor_restrict_unprivileged_userns'
  )
}

/** One need for each program, by name or by path. */
function commands(...names) {
  return names.map((name) => () => {
    const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin']
    const found = name.startsWith('/')
      ? existsSync(name)
      : folders.some((folder) => existsSync(join(folder, name)))
    return found ? '' : `needs ${name}, which is not installed`
  })
}
