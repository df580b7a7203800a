import { expect, test } from 'vitest'
import {
  boxCommand,
  enterCommand,
  explainRefusal,
  type BoxReadings,
} from '../../../src/linux/box.ts'

const ALLOWED: BoxReadings = {
  apparmorRestrict: undefined,
  usernsClone: undefined,
  maxUserNamespaces: '96365',
}

const refusals: {
  title: string
  readings: Partial<BoxReadings>
  reason: string
  setting?: string
}[] = [
  {
    title: "Ubuntu's AppArmor",
    readings: { apparmorRestrict: '1' },
    reason:
      'AppArmor takes away the rights in user namespaces here (kernel.apparmor_restrict_unprivileged_userns = 1)',
    setting: 'sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  },
  {
    title: 'no user namespaces at all',
    readings: { maxUserNamespaces: '0' },
    reason: 'this system allows no user namespaces (user.max_user_namespaces = 0)',
    setting: 'sysctl -w user.max_user_namespaces=15000',
  },
  {
    title: "Debian's older kernels",
    readings: { usernsClone: '0' },
    reason: 'only root may make user namespaces here (kernel.unprivileged_userns_clone = 0)',
    setting: 'sysctl -w kernel.unprivileged_userns_clone=1',
  },
  {
    title: 'something that we do not know',
    readings: { usernsClone: '1' },
    reason:
      'this system does not let us make namespaces (unshare: unshare failed: Operation not permitted)',
  },
]

test.each(refusals)('a box refused by $title', ({ readings, reason, setting }) => {
  const words = 'unshare: unshare failed: Operation not permitted\n'
  expect(explainRefusal({ ...ALLOWED, ...readings }, words)).toEqual({ reason, setting })
})

test('only an ordinary user needs a user namespace', () => {
  const all = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--', 'node', 'main.js']
  expect(boxCommand(true, ['node', 'main.js'])).toEqual(['unshare', ...all])
  expect(boxCommand(false, ['node', 'main.js'])).toEqual([
    'unshare',
    '--user',
    '--map-root-user',
    ...all,
  ])
})

test('a box is entered first, then the namespace that has its name inside', () => {
  expect(enterCommand(42, false, 'host1', ['ip', 'route']).join(' ')).toBe(
    'nsenter --target=42 --user --preserve-credentials --mount --net --pid -- nsenter --net=/run/netns/host1 -- ip route',
  )
  expect(enterCommand(42, true, '', ['ps']).join(' ')).toBe(
    'nsenter --target=42 --mount --net --pid -- ps',
  )
})
