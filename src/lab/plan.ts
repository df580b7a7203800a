/**
 * A lab as a list of plain steps, in the order in which they are done: namespaces, cables, bridges,
 * addresses, kernel settings, configurations, daemons.
 *
 * The plan is data and knows nothing of processes; runner.ts does what it says. A step names the nodes
 * that it belongs to, so that a router that was removed is rebuilt by doing its steps again.
 */
import { stringify } from 'yaml'
import { containerSteps, engineSteps, isDockerHost } from './docker.ts'
import { birdConfig, frrConfig, linnetConfig, speakerOf } from './speaker.ts'
import type { Lab, LabNode } from './topology.ts'

interface StepBase {
  /** Nodes that this step is for. */
  readonly nodes: readonly string[]
}

/** `ip ARGS`, in the namespace `within` ('' = the box itself). */
export interface IpStep extends StepBase {
  readonly do: 'ip'
  readonly within: string
  readonly args: string
}

/** Writes a kernel setting of a namespace. */
export interface SysctlStep extends StepBase {
  readonly do: 'sysctl'
  readonly within: string
  readonly key: string
  readonly value: string
}

export interface WriteStep extends StepBase {
  readonly do: 'write'
  readonly path: string
  readonly text: string
}

/** Starts a process in a namespace; its output goes to `log`. */
export interface StartStep extends StepBase {
  readonly do: 'start'
  readonly within: string
  /** `tor1/bgpd`. */
  readonly title: string
  /** True for the one that speaks BGP: killed by the proof. */
  readonly speaker: boolean
  readonly command: readonly string[]
  readonly log: string
}

/** Waits until a file or socket is there: what comes next needs it at once. */
export interface AwaitStep extends StepBase {
  readonly do: 'await'
  readonly path: string
}

/** Packet filter rules, for sabotage. */
export interface NftStep extends StepBase {
  readonly do: 'nft'
  readonly within: string
  readonly rules: string
}

/** Runs a program to its end; anything but exit code 0 is a failure. */
export interface RunStep extends StepBase {
  readonly do: 'run'
  readonly within: string
  readonly command: readonly string[]
}

export type Step = IpStep | SysctlStep | WriteStep | StartStep | AwaitStep | NftStep | RunStep

export interface PlanOptions {
  /** Where configurations, sockets and logs are, inside the box. */
  readonly directory: string
  /** How to start linnet: node and the program. */
  readonly program: readonly string[]
  /** Parent of the control groups of Docker's containers. */
  readonly cgroup?: string
}

/** Kernel settings of routers: they forward, over unequal ways, and answer every probe. */
const ROUTER_SYSCTLS: readonly (readonly [string, string])[] = [
  ['net.ipv4.ip_forward', '1'],
  ['net.ipv6.conf.all.forwarding', '1'],
  ['net.ipv4.conf.all.rp_filter', '0'],
  ['net.ipv4.conf.default.rp_filter', '0'],
  // A route trace asks faster than the kernel would answer.
  ['net.ipv4.icmp_ratemask', '0'],
]

export function planLab(lab: Lab, options: PlanOptions): readonly Step[] {
  return [
    ...lab.nodes.flatMap(namespaceSteps),
    ...lab.links.flatMap((_, index) => linkSteps(lab, index)),
    ...engineSteps(lab, options),
    ...lab.nodes.flatMap((node) => bridgeSteps(node, options)),
    ...lab.nodes.flatMap(routeSteps),
    ...lab.nodes.flatMap((node) => daemonSteps(lab, node, options)),
  ]
}

/** The unix socket of a node's linnet. */
export const socketOf = (directory: string, node: string): string =>
  `${directory}/${node}/linnet.sock`

/** What `ip netns del` of a router takes with it, and what brings it back. */
export const stepsOf = (steps: readonly Step[], node: string): readonly Step[] =>
  steps.filter((step) => step.nodes.includes(node))

function namespaceSteps(node: LabNode): Step[] {
  const nodes = [node.name]
  return [
    { do: 'ip', nodes, within: '', args: `netns add ${node.name}` },
    { do: 'ip', nodes, within: node.name, args: 'link set lo up' },
    ...[...ROUTER_SYSCTLS, ...Object.entries(node.sysctls)].map(([key, value]): Step => {
      return { do: 'sysctl', nodes, within: node.name, key, value }
    }),
  ]
}

function linkSteps(lab: Lab, index: number): Step[] {
  const ends = lab.links[index]?.ends ?? []
  const [a, b] = ends
  const steps: Step[] = []
  const between = ends.map((end) => end.node)
  if (ends.length === 2 && a !== undefined && b !== undefined) {
    const peer = `peer name ${b.interface} netns ${b.node}`
    const args = `link add ${a.interface} netns ${a.node} type veth ${peer}`
    steps.push({ do: 'ip', nodes: between, within: '', args })
  } else {
    // A segment: a switch in the box's own namespace, with a port per end.
    const bridge = `segment${index}`
    steps.push({ do: 'ip', nodes: [], within: '', args: `link add ${bridge} type bridge` })
    steps.push({ do: 'ip', nodes: [], within: '', args: `link set ${bridge} up` })
    for (const [port, end] of ends.entries()) {
      const name = `s${index}p${port}`
      const nodes = [end.node]
      const peer = `peer name ${end.interface} netns ${end.node}`
      steps.push({ do: 'ip', nodes, within: '', args: `link add ${name} type veth ${peer}` })
      steps.push({ do: 'ip', nodes, within: '', args: `link set ${name} master ${bridge} up` })
    }
  }
  for (const end of ends) {
    const node = lab.nodes.find((it) => it.name === end.node)
    const it = node?.interfaces.find((candidate) => candidate.name === end.interface)
    if (it === undefined) continue
    // A cable that goes with one end must get its address again at both.
    const nodes = ends.length === 2 ? between : [end.node]
    const address = `addr add ${it.address}/${it.length} dev ${it.name}`
    steps.push({ do: 'ip', nodes, within: end.node, args: address })
    steps.push({ do: 'ip', nodes, within: end.node, args: `link set ${it.name} up` })
  }
  return steps
}

function bridgeSteps(node: LabNode, options: PlanOptions): Step[] {
  const made = isDockerHost(node) ? containerSteps(node, options) : plainSteps(node)
  const nodes = [node.name]
  const ip = (within: string, args: string): Step => ({ do: 'ip', nodes, within, args })
  const more = node.containers.flatMap((it): Step[] => [
    ...it.anycast.flatMap((address) => [
      ip(it.name, `addr add ${address} dev lo`),
      ip(node.name, `route add ${address} via ${it.address}`),
    ]),
    { do: 'sysctl', nodes, within: it.name, key: 'net.ipv4.icmp_ratemask', value: '0' },
  ])
  return [...made, ...more]
}

/** Bridges, and a namespace for each container. */
function plainSteps(node: LabNode): Step[] {
  const nodes = [node.name]
  const ip = (within: string, args: string): Step => ({ do: 'ip', nodes, within, args })
  const steps: Step[] = []
  for (const bridge of node.bridges) {
    steps.push(
      ip(node.name, `link add ${bridge.name} type bridge`),
      ip(node.name, `addr add ${bridge.address}/${bridge.length} dev ${bridge.name}`),
      ip(node.name, `link set ${bridge.name} up`),
    )
  }
  for (const [index, it] of node.containers.entries()) {
    const port = `veth${index}`
    const peer = `peer name eth0 netns ${it.name}`
    steps.push(
      ip('', `netns add ${it.name}`),
      ip('', `link add ${port} netns ${node.name} type veth ${peer}`),
      ip(node.name, `link set ${port} master ${it.bridge} up`),
      ip(it.name, 'link set lo up'),
      ip(it.name, `addr add ${it.address}/${it.length} dev eth0`),
      ip(it.name, 'link set eth0 up'),
      ip(it.name, `route add default via ${it.gateway}`),
    )
  }
  return steps
}

const routeSteps = ({ name, routes }: LabNode): Step[] =>
  Object.entries(routes).map(([prefix, via]): Step => {
    return { do: 'ip', nodes: [name], within: name, args: `route add ${prefix} via ${via}` }
  })

function daemonSteps(lab: Lab, node: LabNode, options: PlanOptions): Step[] {
  if (node.kind === 'host') return []
  const at = `${options.directory}/${node.name}`
  const nodes = [node.name]
  const write = (file: string, text: string): Step => {
    return { do: 'write', nodes, path: `${at}/${file}`, text }
  }
  const start = (name: string, speaker: boolean, ...command: readonly string[]): Step => {
    const title = `${node.name}/${name}`
    const log = `${at}/${name}.log`
    return { do: 'start', nodes, within: node.name, title, speaker, command, log }
  }
  const speaker = speakerOf(lab, node)
  const text = typeof node.config === 'string' ? node.config : undefined
  if (node.kind === 'linnet') {
    const config = typeof node.config === 'object' ? node.config : linnetConfig(speaker)
    const file = `${at}/linnet.yaml`
    const socket = socketOf(options.directory, node.name)
    return [
      write('linnet.yaml', stringify(config)),
      start('linnet', true, ...options.program, 'run', '-c', file, '--socket', socket),
    ]
  }
  if (node.kind === 'bird') {
    return [
      write('bird.conf', text ?? birdConfig(speaker)),
      start('bird', true, 'bird', '-f', '-c', `${at}/bird.conf`, '-s', `${at}/bird.ctl`),
    ]
  }
  // The user and the group that exist in a user namespace are root's; the rest keeps nodes apart.
  const common = ['-u', 'root', '-g', 'root', '-z', `${at}/zserv.api`, '--vty_socket', at]
  const files = (name: string): string[] => ['-f', `${at}/frr.conf`, '-i', `${at}/${name}.pid`]
  return [
    write('frr.conf', text ?? frrConfig(speaker)),
    start('zebra', false, 'zebra', ...common, ...files('zebra'), '--log', 'stdout'),
    // bgpd that finds no zebra tries again only ten seconds later.
    { do: 'await', nodes, path: `${at}/zserv.api` },
    start('bgpd', true, 'bgpd', ...common, ...files('bgpd'), '--log', 'stdout'),
  ]
}
