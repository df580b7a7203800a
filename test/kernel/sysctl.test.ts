import { beforeAll, describe, expect, test } from 'vitest'
import {
  SysctlError,
  checkForwarding,
  enableForwarding,
  readSysctl,
  writeSysctl,
} from '../../src/linux/sysctl.ts'
import { enterBox, ip } from '../support/box.ts'

beforeAll(() => {
  enterBox()
  ip('link add one type veth peer name two')
  ip('link add one.7 type veth peer name three')
})

const allWell = (): void => {
  writeSysctl('net.ipv4.ip_forward', 1)
  writeSysctl('net.ipv6.conf.all.forwarding', 1)
  for (const name of ['all', 'default', 'lo', 'one', 'two', 'one/7', 'three']) {
    writeSysctl(`net.ipv4.conf.${name}.rp_filter`, 0)
  }
}

describe('forwarding', () => {
  const cases: readonly {
    readonly title: string
    readonly set: readonly (readonly [string, number])[]
    readonly found: readonly (readonly [severity: string, sysctl: string])[]
  }[] = [
    { title: 'all is well', set: [], found: [] },
    {
      title: 'IPv4 is off',
      set: [['net.ipv4.ip_forward', 0]],
      found: [['error', 'net.ipv4.ip_forward']],
    },
    {
      title: 'both are off',
      set: [
        ['net.ipv4.ip_forward', 0],
        ['net.ipv6.conf.all.forwarding', 0],
      ],
      found: [
        ['error', 'net.ipv4.ip_forward'],
        ['error', 'net.ipv6.conf.all.forwarding'],
      ],
    },
    {
      title: 'an interface filters strictly',
      set: [['net.ipv4.conf.two.rp_filter', 1]],
      found: [['warning', 'net.ipv4.conf.two.rp_filter']],
    },
    {
      title: 'an interface with a dot in its name filters strictly',
      set: [['net.ipv4.conf.one/7.rp_filter', 1]],
      found: [['warning', 'net.ipv4.conf.one/7.rp_filter']],
    },
    {
      title: 'loose everywhere wins over strict on one',
      set: [
        ['net.ipv4.conf.all.rp_filter', 2],
        ['net.ipv4.conf.two.rp_filter', 1],
      ],
      found: [],
    },
  ]

  test.each(cases)('$title', ({ set, found }) => {
    allWell()
    for (const [name, value] of set) writeSysctl(name, value)
    expect(checkForwarding().map(({ severity, sysctl }) => [severity, sysctl])).toEqual(found)
    expect(checkForwarding().every(({ text }) => text.length > 20)).toBe(true)
  })

  test('strict for all is told for each interface', () => {
    allWell()
    writeSysctl('net.ipv4.conf.all.rp_filter', 1)
    const warnings = checkForwarding()
    expect(warnings.length).toBe(4)
    expect(new Set(warnings.map(({ sysctl }) => sysctl))).toEqual(
      new Set(['net.ipv4.conf.all.rp_filter']),
    )
  })

  test('is switched on when asked', () => {
    allWell()
    writeSysctl('net.ipv4.ip_forward', 0)
    writeSysctl('net.ipv6.conf.all.forwarding', 0)
    expect(enableForwarding()).toEqual([])
    expect(readSysctl('net.ipv4.ip_forward')).toBe('1')
    expect(readSysctl('net.ipv6.conf.all.forwarding')).toBe('1')
  })
})

describe('errors say what is wrong', () => {
  test('a parameter that is not there', () => {
    expect(() => readSysctl('net.ipv4.no_such_thing')).toThrow(SysctlError)
    expect(() => readSysctl('net.ipv4.no_such_thing')).toThrow(
      "can't read net.ipv4.no_such_thing: this kernel does not have it",
    )
  })

  test('a value that is refused', () => {
    expect(() => writeSysctl('net.ipv4.ip_forward', 'many')).toThrow(
      "can't set many in net.ipv4.ip_forward: the kernel refuses the value",
    )
  })
})
