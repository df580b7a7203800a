import { describe, expect, test } from 'vitest'
import { PreferredSource } from '../../../src/daemon/preferred-source.ts'
import { MemoryHost } from '../../support/memory-host.ts'
import { configOf } from '../config/loading.ts'

const DOCKER_HOST = `
asn: 65101
advertise: { interfaces: [docker0, 'br-*'] }
kernel: { preferredSource: `

/** A host as Docker leaves it, with an uplink that is not advertised. */
const dockerHost = (): MemoryHost =>
  new MemoryHost()
    .link('eth0')
    .address('eth0', '10.0.1.2/30')
    .link('br-1')
    .address('br-1', '10.78.1.1/28')
    .link('docker0')
    .address('docker0', '10.77.1.1/24')

function sourceOf(preferredSource: string, host: MemoryHost) {
  const source = new PreferredSource(configOf(`${DOCKER_HOST}${preferredSource} }`), host)
  const heard: string[] = []
  const forget = source.onChange((current) => heard.push(told(current)))
  return { source, forget, heard, now: () => told(source.current) }
}

const told = ({ ipv4, ipv6 }: PreferredSource['current']): string =>
  `${ipv4?.text ?? 'none'} ${ipv6?.text ?? 'none'}`

describe('at the start', () => {
  const cases: readonly { title: string; written: string; host: MemoryHost; is: string }[] = [
    {
      title: 'auto takes the link that is named first, not the one that is older',
      written: 'auto',
      host: dockerHost(),
      is: '10.77.1.1 none',
    },
    {
      title: 'auto takes an address of each family',
      written: 'auto',
      host: dockerHost().address('br-1', '2001:db8::1/64'),
      is: '10.77.1.1 2001:db8::1',
    },
    {
      title: 'auto leaves link-local addresses and those not usable yet alone',
      written: 'auto',
      host: new MemoryHost()
        .link('docker0')
        .address('docker0', '169.254.1.1/16', { scope: 253 })
        .address('docker0', '2001:db8::1/64', { tentative: true }),
      is: 'none none',
    },
    {
      title: 'auto takes no link that is not advertised',
      written: 'auto',
      host: new MemoryHost().link('eth0').address('eth0', '10.0.1.2/30'),
      is: 'none none',
    },
    { title: 'none is none', written: 'none', host: dockerHost(), is: 'none none' },
    { title: 'an address', written: '10.0.1.2', host: dockerHost(), is: '10.0.1.2 none' },
    {
      title: 'an address that the host does not have would make the kernel refuse every route',
      written: '10.9.9.9',
      host: dockerHost(),
      is: 'none none',
    },
  ]

  test.each(cases)('$title', ({ written, host, is }) => {
    expect(sourceOf(written, host).now()).toBe(is)
  })
})

describe('while the host changes', () => {
  test('the next link stands in when docker0 goes, and stays when it comes back', () => {
    const host = dockerHost()
    const { now, heard } = sourceOf('auto', host)
    host.unlink('docker0').tell()
    expect(now()).toBe('10.78.1.1 none')
    host.link('docker0').address('docker0', '10.77.1.1/24').tell()
    expect(now()).toBe('10.78.1.1 none')
    expect(heard).toEqual(['10.78.1.1 none'])
  })

  test('without another link there is none until docker0 is back', () => {
    const host = new MemoryHost().link('docker0').address('docker0', '10.77.1.1/24')
    const { heard } = sourceOf('auto', host)
    host.unlink('docker0').tell()
    host.link('docker0').tell()
    host.address('docker0', '10.77.1.1/24').tell()
    expect(heard).toEqual(['none none', '10.77.1.1 none'])
  })

  test('an address that is written in the configuration counts while the host has it', () => {
    const host = dockerHost()
    const { heard } = sourceOf('10.77.1.1', host)
    host.unaddress('docker0', '10.77.1.1/24').tell()
    host.address('docker0', '10.77.1.1/25').tell()
    expect(heard).toEqual(['none none', '10.77.1.1 none'])
  })

  test('changes of other links are not told, nor anything after the end', () => {
    const host = dockerHost()
    const { heard, forget } = sourceOf('auto', host)
    host.link('br-2').address('br-2', '10.78.1.17/28').tell()
    host.unlink('br-1').tell()
    forget()
    host.unlink('docker0').tell()
    expect(heard).toEqual([])
    expect(host.listeners).toBe(0)
  })
})

describe('of what Docker says', () => {
  /** Links of announced networks, as they come and go. */
  function dockerSays(...links: string[]) {
    const listeners = new Set<() => void>()
    return {
      links,
      onLinksChanged: (listener: () => void) => {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
      say: (...now: string[]) => {
        links.splice(0, links.length, ...now)
        for (const listener of listeners) listener()
      },
      get listeners() {
        return listeners.size
      },
    }
  }
  const config = configOf('asn: 65101\nadvertise: { docker: true }')

  test('the first link counts, from when it is announced', () => {
    const docker = dockerSays()
    const source = new PreferredSource(config, dockerHost(), docker)
    const heard: string[] = []
    const forget = source.onChange((current) => heard.push(told(current)))
    expect(told(source.current)).toBe('none none')
    docker.say('docker0', 'br-1')
    docker.say('br-1')
    expect(heard).toEqual(['10.77.1.1 none'])
    forget()
    expect(docker.listeners).toBe(0)
  })

  test('what was announced before the start counts at once', () => {
    const source = new PreferredSource(config, dockerHost(), dockerSays('docker0'))
    expect(told(source.current)).toBe('10.77.1.1 none')
  })

  test('links that are named in the configuration go before', () => {
    const both = configOf('asn: 65101\nadvertise: { docker: true, interfaces: [br-1] }')
    const source = new PreferredSource(both, dockerHost(), dockerSays('docker0'))
    expect(told(source.current)).toBe('10.78.1.1 none')
  })
})
