/**
 * What the rules of a host do among its own containers: told as notes, for Docker keeps networks apart on purpose, and
 * containers of one network too, where it is told to (`icc`).
 */
import { ruleText, type Finding, type Kernel } from './finding.ts'
import type { Host, Local } from './docker-reach.ts'
import { passage, type Passage } from './passage.ts'
import { addressIn } from './address-choice.ts'
import { hostPrefix, prefixOf } from '../net/prefix.ts'

export function localFindings(host: Host, locals: readonly Local[], kernel: Kernel): Finding[] {
  return [...apart(host, locals), ...bridged(host, locals, kernel)]
}

/** Of so many networks, every two are asked about: more would be the same again. */
const MOST_ASKED = 12

/** Networks that don't let each other in, told once for all of them, with the first rule that shows. */
function apart(host: Host, locals: readonly Local[]): Finding[] {
  const asked = locals.slice(0, MOST_ASKED)
  const stopped = asked.flatMap((one) =>
    asked
      .filter(({ bridge }) => bridge !== one.bridge)
      .filter(({ address: { family } }) => family === one.address.family)
      .flatMap((other) => {
        const { answer, by } = pass(host, one, other)
        return answer === 'no' && by !== undefined ? [{ one, rule: ruleText(by) }] : []
      }),
  )
  const [first] = stopped
  if (first === undefined) return []
  const networks = [...new Set(stopped.map(({ one: { network } }) => network))]
  const text = 'networks of this host are kept apart'
  return [{ severity: 'note', networks, rules: [first.rule], text }]
}

const BRIDGED = {
  ipv4: 'net.bridge.bridge-nf-call-iptables',
  ipv6: 'net.bridge.bridge-nf-call-ip6tables',
} as const

/** Within a network: rules are asked about what a bridge passes on by itself, if the kernel is told to. */
function bridged(host: Host, locals: readonly Local[], { sysctl }: Kernel): Finding[] {
  return locals.flatMap((one): Finding[] => {
    const { family } = one.address
    if (sysctl(BRIDGED[family]) !== '1') return []
    const around = prefixOf(one.address, hostPrefix(one.address).length - 2)
    const address = addressIn(around, (it) => it.text === one.address.text)
    if (address === undefined) return []
    const tried = pass(host, one, { ...one, address })
    if (tried.answer === 'yes' || tried.by === undefined) return []
    const text =
      tried.answer === 'hidden'
        ? 'its own containers see each other by another address'
        : `its own containers don't reach each other (${BRIDGED[family]} is 1)`
    return [{ severity: 'note', networks: [one.network], rules: [ruleText(tried.by)], text }]
  })
}

function pass(host: Host, from: Local, to: Local): Passage {
  const flow = { from: from.address, to: to.address, input: from.bridge, output: to.bridge }
  const own = new Set(host.ownAddresses.map(({ text }) => text))
  const hiddenAs = host.ownAddresses.find(({ family }) => family === from.address.family)
  return passage(host.rules, flow, own, hiddenAs)
}
