import { describe, expect, test } from 'vitest'
import {
  explainMissing,
  missingCapabilities,
  parsePrivileges,
  readPrivileges,
} from '../../../src/linux/privileges.ts'

const machine = '         0          0 4294967295\n'
const status = (uid: number, effective: string): string =>
  `Name:\tnode\nUid:\t1000\t${uid}\t1000\t1000\nCapInh:\t0000000000000000\nCapEff:\t${effective}\n`

const processes = [
  {
    who: 'root',
    uid: 0,
    caps: '000001ffffffffff',
    map: machine,
    missing: [],
    userNamespace: false,
  },
  {
    who: 'an ordinary user',
    uid: 1000,
    caps: '0000000000000000',
    map: machine,
    missing: ['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_NET_BIND_SERVICE'],
    userNamespace: false,
  },
  {
    who: 'a service with CAP_NET_ADMIN and CAP_NET_BIND_SERVICE',
    uid: 998,
    caps: '0000000000001400',
    map: machine,
    missing: ['CAP_NET_RAW'],
    userNamespace: false,
  },
  {
    who: 'root of a user namespace',
    uid: 0,
    caps: '000001ffffffffff',
    map: '         0       1000          1\n',
    missing: [],
    userNamespace: true,
  },
  {
    who: 'root in a Docker container',
    uid: 0,
    caps: '00000000a80425fb',
    map: machine,
    missing: ['CAP_NET_ADMIN'],
    userNamespace: false,
  },
] as const

describe('what a process may do is read from /proc', () => {
  test.each(processes)('$who', ({ uid, caps, map, missing, userNamespace }) => {
    const privileges = parsePrivileges(status(uid, caps), map)
    expect(privileges.root).toBe(uid === 0)
    expect(privileges.userNamespace).toBe(userNamespace)
    expect(
      missingCapabilities(['CAP_NET_ADMIN', 'CAP_NET_RAW', 'CAP_NET_BIND_SERVICE'], privileges),
    ).toEqual(missing)
  })

  test('a text without the lines means nothing is allowed', () => {
    const privileges = parsePrivileges('', '')
    expect(privileges.root).toBe(false)
    expect(privileges.effective.size).toBe(0)
  })

  test('our own can be read', () => {
    expect(readPrivileges().root).toBe(process.geteuid?.() === 0)
  })
})

describe('the words for a missing capability', () => {
  const user = parsePrivileges(status(1000, '0'), machine)

  test('name it, say what it is for, and give three remedies', () => {
    expect(explainMissing(['CAP_NET_ADMIN'], user, '/usr/bin/node')).toBe(
      'missing CAP_NET_ADMIN (writing routes and TCP MD5 keys): run as root (sudo), or with ' +
        "systemd's `AmbientCapabilities=CAP_NET_ADMIN`, or allow it to this Node for everybody: " +
        '`sudo setcap cap_net_admin+ep /usr/bin/node`',
    )
  })

  test('tell root in a container what the container lacks', () => {
    const container = parsePrivileges(status(0, '00000000a80425fb'), machine)
    const words = explainMissing(['CAP_NET_ADMIN', 'CAP_SYS_ADMIN'], container)
    expect(words).toContain('--cap-add NET_ADMIN --cap-add SYS_ADMIN')
    expect(words).not.toContain('sudo')
  })

  test('are empty when nothing is missing', () => {
    expect(explainMissing([], user)).toBe('')
  })
})
