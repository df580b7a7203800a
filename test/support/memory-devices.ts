/** Tunnels and bridges on a host of plain Maps. */
import { tunnelText, type TunnelDevices, type TunnelKind } from '../../src/fib/dataplanes/tunnel.ts'
import type { KernelError } from '../../src/fib/kernel.ts'
import type { Address } from '../../src/net/address.ts'
import type { Prefix } from '../../src/net/prefix.ts'
import type { MemoryHost } from './memory-host.ts'

export class MemoryDevices implements TunnelDevices {
  readonly host: MemoryHost
  refuses: KernelError | undefined
  guarded: readonly string[] = []
  asked = 0
  constructor(host: MemoryHost) {
    this.host = host
  }
  create(name: string, kind: TunnelKind, mtu: number): KernelError | undefined {
    this.asked++
    const tunnel = tunnelText(kind)
    if (this.refuses === undefined) this.host.link(name, { kind: kind.kind, mtu, tunnel })
    return this.refuses
  }
  adjust(link: number, mtu: number): undefined {
    for (const { index, name } of this.host.links())
      if (index === link) this.host.link(name, { mtu, up: true })
  }
  remove(link: number): undefined {
    for (const { index, name } of this.host.links()) if (index === link) this.host.unlink(name)
  }
  createBridge(name: string, mtu: number): undefined {
    this.host.link(name, { kind: 'bridge', mtu }).tell()
  }
  putAddress(link: number, { text }: Address, length: number): undefined {
    for (const { index, name } of this.host.links())
      if (index === link) this.host.address(name, `${text}/${length}`)
  }
  guard(prefixes: readonly Prefix[]): undefined {
    this.guarded = prefixes.map(({ text }) => text)
  }
  async unguard(prefixes: readonly Prefix[]): Promise<void> {
    this.guarded = this.guarded.filter((it) => prefixes.some(({ text }) => text === it))
  }
  close(): void {}
}
