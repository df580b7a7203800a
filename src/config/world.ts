/**
 * What checking needs to know beside the files' text. load.ts fills it from the host; tests from data.
 */
import type { Address } from '../net/address.ts'

export interface World {
  /** Reads `path`, relative to the file `beside`. */
  readText(path: string, beside: string): ReadText
  /** This host's addresses; absent when the check runs elsewhere, and nothing is said about them. */
  readonly ownAddresses?: readonly Address[]
  /** Names of this host's links; absent likewise. */
  readonly links?: readonly string[]
  /** This host's kernel can sign with TCP-AO; absent likewise. */
  readonly hasTcpAo?: () => boolean
  /** Routing tables by name. */
  readonly tables: ReadonlyMap<string, number>
}

export type ReadText =
  | { readonly text: string; readonly readableByAll: boolean }
  /** For people: `no such file`. */
  | { readonly problem: string }

/** True unless `address` is known to be nobody's here. Loopback and link-local are not looked up. */
export function mayBeOwn(world: World, address: Address): boolean {
  const first = address.bytes[0] ?? 0
  if (world.ownAddresses === undefined || address.zone !== undefined) return true
  return (address.family === 'ipv4' && first === 127) || isOwn(world, address)
}

export const isOwn = (world: World, address: Address): boolean =>
  world.ownAddresses?.some((own) => own.text === address.text) === true
