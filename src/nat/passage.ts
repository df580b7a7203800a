/**
 * Whether a connection comes about: its first packet, and the answers, each sent through the rules of this host. An answer
 * may be dropped where the question was not, and where the asker is hidden it comes back to the host's own address first.
 */
import type { Address } from '../net/address.ts'
import { walk, type Decider } from './packet-walk.ts'
import type { Packet, RuleSet } from './rule-set.ts'

export interface Flow {
  readonly from: Address
  readonly to: Address
  /** The links by which its first packet comes in and goes out. */
  readonly input: string
  readonly output: string
}

export interface Passage {
  /** `hidden`: it comes about, but the other end sees another source. */
  readonly answer: 'yes' | 'no' | 'hidden' | 'unclear'
  /** Which packet is stopped, or changed. */
  readonly leg: 'question' | 'reply'
  readonly packet: Packet
  /** Undefined when nobody has anything to say. */
  readonly by?: Decider
}

/** A port that nobody publishes, and one of those that the kernel gives to whoever asks. */
const UNPUBLISHED_PORT = 50_999
const OWN_PORT = 40_999

export function passage(
  rules: RuleSet,
  { from, to, input, output }: Flow,
  ownAddresses: ReadonlySet<string>,
  hiddenAs: Address | undefined,
): Passage {
  const question: Packet = {
    family: to.family,
    source: from,
    destination: to,
    input,
    output,
    protocol: 'tcp',
    sourcePort: OWN_PORT,
    destinationPort: UNPUBLISHED_PORT,
    state: 'new',
    mark: 0,
    ownAddresses,
  }
  const there = walk(rules, question)
  if (there.kind !== 'passes') {
    const answer = there.kind === 'unclear' ? 'unclear' : 'no'
    return { answer, leg: 'question', packet: question, by: there.by }
  }
  const reply: Packet = {
    ...question,
    source: to,
    destination: from,
    input: output,
    output: input,
    sourcePort: UNPUBLISHED_PORT,
    destinationPort: OWN_PORT,
    state: 'established',
  }
  const isHidden = there.source === 'changed'
  const arrivesAs = isHidden && hiddenAs !== undefined ? { ...reply, destination: hiddenAs } : reply
  const back = walk(rules, reply, arrivesAs)
  if (back.kind !== 'passes') {
    const answer = back.kind === 'unclear' ? 'unclear' : 'no'
    return { answer, leg: 'reply', packet: reply, by: back.by }
  }
  return {
    answer: isHidden ? 'hidden' : 'yes',
    leg: 'question',
    packet: question,
    ...(there.by === undefined ? {} : { by: there.by }),
  }
}
