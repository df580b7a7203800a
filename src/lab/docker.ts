/**
 * Docker on a node (`runtime: docker`): a dockerd of its own in the node's namespace, a network for each of
 * its bridges, and real containers with the addresses of the file.
 *
 * Docker is told to leave addresses alone, as docs/docker.md has it. Its data is on the box's memory. A
 * container's namespace gets the name that the rest of the lab knows it by, so the proof asks it like any other.
 * Control groups are all that could outlive the box: they have one parent, and are removed when it ends.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { cgroupsOf, removeCgroups, sweepCgroups } from '../linux/cgroups.ts'
import type { PlanOptions, Step } from './plan.ts'
import type { Lab, LabNode } from './topology.ts'

const GROUP = /^linnet-lab-(\d+)$/
const IMAGE = 'lab'

export const isDockerHost = (node: LabNode): boolean => node.runtime === 'docker'

export const hasDocker = (lab: Lab): boolean => lab.nodes.some(isDockerHost)

/** The engine's socket of a node. */
export const dockerSocketOf = (directory: string, node: string): string =>
  `${directory}/${node}/docker.sock`

/** Parent of the control groups in the box whose first process has this pid, seen from outside. */
export const cgroupOf = (pid: number): string => `linnet-lab-${pid}`

/** A root filesystem of busybox alone. A dynamic one would miss its libraries there. */
const IMAGE_TAR = `
  set -e
  busybox=$(command -v busybox)
  if ldd "$busybox" >/dev/null 2>&1; then echo "$busybox is not static; apt install busybox-static" >&2; exit 1; fi
  mkdir -p "$1/image/bin" && cd "$1/image"
  cp "$busybox" bin/busybox
  for name in sh ip ls ping sleep traceroute wget; do ln -sf busybox bin/$name; done
  tar -c -f "$1/image.tar" .
`

/** `$1` the engine, `$2` the container, `$3` the name that its namespace gets. */
const ATTACH = `ip netns attach "$3" "$(docker --host="$1" inspect --format='{{.State.Pid}}' "$2")"`

/** Starts the engines of all hosts, to be ready when they are needed. */
export function engineSteps(lab: Lab, options: PlanOptions): Step[] {
  const { directory, cgroup = '' } = options
  const hosts = lab.nodes.filter(isDockerHost)
  const image = ['sh', '-c', IMAGE_TAR, 'sh', directory]
  const shared: Step[] = [{ do: 'run', nodes: [], within: '', command: image }]
  const own = hosts.flatMap(({ name }): Step[] => {
    const at = `${directory}/${name}`
    const settings = { iptables: false, 'ip-masq': false, 'userland-proxy': false, bridge: 'none' }
    const file = `${at}/daemon.json`
    const command = [
      'dockerd',
      `--config-file=${file}`,
      `--host=unix://${dockerSocketOf(directory, name)}`,
      `--data-root=${at}/docker`,
      `--exec-root=${at}/docker-run`,
      `--pidfile=${at}/docker.pid`,
      `--cgroup-parent=/${cgroup}`,
      '--exec-opt=native.cgroupdriver=cgroupfs',
      '--storage-driver=overlay2',
    ]
    const log = `${at}/dockerd.log`
    const nodes = [name]
    return [
      { do: 'write', nodes, path: file, text: JSON.stringify(settings) },
      { do: 'start', nodes, within: name, title: `${name}/dockerd`, speaker: false, command, log },
    ]
  })
  return hosts.length === 0 ? [] : [...own, ...shared]
}

/** The networks and containers of a host. */
export function containerSteps(node: LabNode, { directory }: PlanOptions): Step[] {
  const nodes = [node.name]
  const engine = `unix://${dockerSocketOf(directory, node.name)}`
  const docker = (...words: readonly string[]): Step => {
    const command = ['docker', `--host=${engine}`, ...words]
    return { do: 'run', nodes, within: node.name, command }
  }
  return [
    // Who asks before it is there is turned away; afterwards the engine lets him wait.
    { do: 'await', nodes, path: dockerSocketOf(directory, node.name) },
    docker('import', `${directory}/image.tar`, IMAGE),
    ...node.bridges.map(({ name, address, prefix }) => {
      const bridge = `com.docker.network.bridge.name=${name}`
      const network = ['--driver=bridge', `--subnet=${prefix}`, `--gateway=${address}`]
      return docker('network', 'create', ...network, `--opt=${bridge}`, name)
    }),
    ...node.containers.flatMap(({ name, bridge, address }): Step[] => {
      const short = name.slice(node.name.length + 1)
      const place = [`--name=${short}`, `--network=${bridge}`, `--ip=${address}`]
      const attach = ['sh', '-c', ATTACH, 'sh', engine, short, name]
      return [
        docker('run', '--detach', ...place, IMAGE, 'sleep', '2000000000'),
        { do: 'run', nodes, within: '', command: attach },
      ]
    }),
  ]
}

/** To be called when a box is about to be made: removes what is left of those that were killed. */
export const sweepDockerLabs = (): void => sweepCgroups(GROUP)

const GONE_MS = 3_000

/** Removes the control groups of a box whose processes are ending. */
export async function forgetDockerLab(pid: number): Promise<void> {
  const name = cgroupOf(pid)
  for (let waited = 0; waited < GONE_MS; waited += 20) {
    try {
      return removeCgroups(name)
    } catch {
      await sleep(20) // somebody is still in there
    }
  }
}

/** Ends all other processes of the box that we are the first of, and removes its control groups. */
export function endDockerLab(pid: number): void {
  const cell = new Int32Array(new SharedArrayBuffer(4))
  try {
    process.kill(-1, 'SIGKILL')
  } catch {
    // There is nobody else.
  }
  for (let waited = 0; waited < GONE_MS && cgroupsOf(cgroupOf(pid)).length > 0; waited += 20) {
    try {
      removeCgroups(cgroupOf(pid))
    } catch {
      Atomics.wait(cell, 0, 0, 20)
    }
  }
}
