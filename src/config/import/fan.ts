/**
 * `linnet import fan`: /etc/network/fan, the file of Ubuntu's fanctl -> a configuration with the same mapping.
 *
 * A line of it is a slice: the overlay, the host's address in the underlay with the underlay's length (or the
 * link that has that address), and words: `dhcp`, `host-reserve N`, `bridge NAME`, `off`, `debug`. fanctl asks
 * nobody where the others are, it works it out; so what comes out says `learn: static`.
 */
import { parseAddress, type Address } from '../../net/address.ts'
import { bridgeNameOf, fanProblem, sliceOf, type FanMapping } from '../../net/fan.ts'
import { parseAddressAndLength, parsePrefix, prefixOf } from '../../net/prefix.ts'
import type { Complaint } from '../complaint.ts'
import type { Imported } from './imported.ts'
import { noted, writeYaml } from './noted.ts'

/** A word of the file, and where it stands: from 1. */
interface Word {
  readonly text: string
  readonly line: number
  readonly column: number
}

interface Slice {
  readonly mapping: FanMapping
  readonly host: Address
  /** What its bridge is called. */
  readonly bridge: string
  readonly at: Word
}

/** IPv4 addresses of a link of this host, each with its network's length: `172.16.3.4/16`. */
export type AddressesOn = (link: string) => readonly string[]

/** Of a speaker that has no peer yet (RFC 6996). */
const SOME_ASN = 64512

export function importFan(
  { name: file, text }: { readonly name: string; readonly text: string },
  addressesOn: AddressesOn,
): Imported {
  const told: Complaint[] = []
  const complaints: Complaint[] = []
  const say =
    (list: Complaint[], severity: Complaint['severity']) =>
    ({ text: path, line, column }: Word, message: string, remedy: string): void =>
      void list.push({ severity, file, line, column, path, message, remedy })
  const refuse = say(complaints, 'error')
  const warn = say(told, 'warning')
  const lines = linesOf(text)
  const slices = lines.flatMap((words) => readLine(words, addressesOn, refuse, warn) ?? [])
  if (complaints.length > 0) return { complaints }
  const [first, ...others] = slices
  if (first === undefined) {
    const place = { text: '', line: 0, column: 0 }
    refuse(place, 'there is no slice in it that is on', 'write 10.0.0.0/8 172.16.3.4/16')
    return { complaints }
  }
  for (const { at } of others) {
    warn(at, 'linnet has one overlay, and takes the first', 'run a second linnet for it')
  }
  return { yaml: configurationOf(first, file), told }
}

function configurationOf({ mapping, host, bridge }: Slice, file: string): string {
  const overlay = mapping.overlay.text
  const slice = sliceOf(mapping, host)
  const name = bridge === bridgeNameOf(slice) ? true : bridge
  const head = [
    `The slice ${slice.text} of ${overlay}, which is ${host.text}'s, from ${file}`,
    'by linnet import fan. What could not be carried over was told beside it.',
  ]
  const fan = { overlay, underlay: mapping.underlay.text, learn: 'static', bridge: name }
  return writeYaml(head.join('\n'), {
    asn: noted('Nobody hears it before there are peers.', SOME_ASN),
    overlay: noted(
      'Every host is where its slice says, as with fanctl. With peers, write learn: bgp.',
      { mode: 'fan', fan },
    ),
    nat: noted('From slice to slice with their own addresses.', { pools: [overlay] }),
  })
}

/** Lines with words; what a `#` begins is a comment. */
const linesOf = (text: string): Word[][] =>
  text
    .split('\n')
    .map((line, i) => [
      ...[...line.replace(/#.*/, '').matchAll(/\S+/g)].map((it) => ({
        text: it[0],
        line: i + 1,
        column: it.index + 1,
      })),
    ])
    .filter((words) => words.length > 0)

type Say = (at: Word, message: string, remedy: string) => void

/** Undefined for a slice that is off, or was refused. */
function readLine(
  [overlayWord, hostWord, ...words]: readonly Word[],
  addressesOn: AddressesOn,
  refuse: Say,
  warn: Say,
): Slice | undefined {
  if (overlayWord === undefined) return undefined
  const overlay = parsePrefix(overlayWord.text)
  if (overlay === undefined) {
    refuse(overlayWord, 'this is no overlay', 'write a prefix such as 10.0.0.0/8')
    return undefined
  }
  if (hostWord === undefined) {
    refuse(overlayWord, 'the underlay is missing', 'write it behind: 172.16.3.4/16')
    return undefined
  }
  const { off, bridge } = readWords(words, refuse, warn)
  // What is off may stand on a link that this host does not have.
  if (off) return undefined
  const found = hostOf(hostWord.text, addressesOn)
  if ('problem' in found) {
    refuse(hostWord, found.problem, 'write the address of this host there: 172.16.3.4/16')
    return undefined
  }
  const mapping = { overlay, underlay: prefixOf(found.address, found.length) }
  const problem = fanProblem(mapping)
  if (problem !== undefined) {
    const [message = '', remedy = 'write another'] = problem.split('; ')
    refuse(overlayWord, message, remedy)
    return undefined
  }
  const name = bridge ?? bridgeNameOf(sliceOf(mapping, found.address))
  return { mapping, host: found.address, bridge: name, at: overlayWord }
}

type Host = { readonly address: Address; readonly length: number } | { readonly problem: string }

/** `172.16.3.4/16`, or `eth0/16`: the address that the link has. */
function hostOf(text: string, addressesOn: AddressesOn): Host {
  if (text === 'default') return { problem: 'the link of the default route is not looked up here' }
  const written = parseAddressAndLength(text)
  if (written !== undefined) return written
  const [, link, digits] = /^(\S+)\/(\d{1,2})$/.exec(text) ?? []
  if (link === undefined || Number(digits) > 32) return { problem: 'this is no underlay' }
  const [first] = addressesOn(link)
  const address = first === undefined ? undefined : parseAddress(first.replace(/\/.*/, ''))
  if (address === undefined) return { problem: `there is no IPv4 address on ${link} here` }
  return { address, length: Number(digits) }
}

/** What fanctl does for a slice beside the mapping, and linnet does not. */
const LEFT_OUT: Readonly<Record<string, readonly [message: string, remedy: string]>> = {
  dhcp: ['linnet serves no DHCP', 'start dnsmasq on the bridge, or let Docker give the addresses'],
  debug: ['linnet has levels for its log', 'write log: { level: debug }'],
}

function readWords(
  words: readonly Word[],
  refuse: Say,
  warn: Say,
): { readonly off: boolean; readonly bridge: string | undefined } {
  let off = false
  let bridge: string | undefined
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    const left = LEFT_OUT[word.text]
    if (word.text === 'off') off = true
    else if (left !== undefined) warn(word, ...left)
    else if (word.text === 'bridge' || word.text === 'host-reserve') {
      const value = words[++i]
      if (value === undefined) refuse(word, 'its value is missing', 'write it behind')
      else if (word.text === 'bridge') bridge = value.text
      else if (value.text !== '1') {
        const message = 'linnet gives the bridge one address of the slice'
        warn(word, message, `keep the first ${value.text} from Docker with --ip-range`)
      }
    } else {
      refuse(word, 'fanctl knows no such word', 'remove it')
    }
  }
  return { off, bridge }
}
