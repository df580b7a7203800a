/**
 * What a kernel's main table holds, read route by route and summed up like what receivers hear: so that it can be
 * compared with what was sent. Routes of the kernel itself (connected networks) don't count.
 */
import { NetlinkSocket } from '../src/linux/netlink-socket.ts'
import { Attributes, MessageBuilder, NLM_F_DUMP } from '../src/linux/netlink.ts'
import { inNamespace } from '../src/linux/netns.ts'
import {
  RTA_DST,
  RTPROT_KERNEL,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  RT_TABLE_MAIN,
  familyNumber,
} from '../src/linux/route-message.ts'
import { kernelRoutes, until } from './ground.ts'
import { addressBytes, type Routes } from './load/routes.ts'
import { hashOf, hashOfPrefix } from './load/tally.ts'
import { RouteLookup } from './route-lookup.ts'

/** The last of them, and so many others spread over all. */
const SAMPLES = 1_000
const LOOK_MS = 5

/**
 * Waits until the namespace `dut` has all of the routes beside its `own`; returns when that was. To count them the
 * kernel walks through its whole table, and who changes it must wait for that now and then: so a sample is looked up
 * first, a route after the other, and only once all of it is there they are counted.
 */
export async function untilHeld(
  pid: number,
  own: number,
  routes: Routes,
  deadlineSeconds: number,
): Promise<number> {
  const lookup = new RouteLookup('dut')
  const every = Math.max(1, Math.floor(routes.count / SAMPLES))
  let at = every - 1
  const isSampleThere = (): boolean => {
    for (; at < routes.count; at += every) {
      // Inside it may lie a longer one that begins alike.
      if (lookup.prefixLength(addressBytes(routes, at)) < routes.lengths[at]) return false
    }
    return true
  }
  try {
    await until(isSampleThere, deadlineSeconds, `route ${at} of ${routes.count}`, LOOK_MS)
    const now = performance.now()
    const isFull = (): boolean => kernelRoutes(pid, routes.family) >= own + routes.count
    if (isFull()) return now
    await until(isFull, deadlineSeconds, 'full kernel table', LOOK_MS)
    return performance.now()
  } finally {
    lookup.close()
  }
}

/** Throws unless the namespace's kernel has just these routes. */
export async function mustHold(namespace: string, routes: Routes): Promise<void> {
  const socket = inNamespace(namespace, () => NetlinkSocket.open())
  const attributes = new Attributes(32)
  const request = new MessageBuilder(64)
    .begin(RTM_GETROUTE, NLM_F_DUMP, 1)
    .u8(familyNumber(routes.family))
  for (let i = 1; i < 12; i++) request.u8(0)
  request.end()
  let count = 0
  let hash = 0
  const forget = (): void => {
    count = 0
    hash = 0
  }
  await socket.dump(
    request.bytes.subarray(0, request.length),
    (view, type, _flags, _sequence, from, to) => {
      if (type !== RTM_NEWROUTE || view.getUint8(from + 4) !== RT_TABLE_MAIN) return
      if (view.getUint8(from + 5) === RTPROT_KERNEL) return
      const bytes = attributes.scan(view, from + 12, to).bytes(view, RTA_DST)
      if (bytes === undefined) return
      count++
      hash = (hash + hashOfPrefix(view.getUint8(from + 1), bytes)) | 0
    },
    forget,
  )
  socket.close()
  if (count !== routes.count) throw new Error(`the kernel has ${count} of ${routes.count} routes`)
  if (hash !== hashOf(routes)) throw new Error('the kernel has other routes than were sent')
}
