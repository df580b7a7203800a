/** Looks at ways that let through what a function says. */
import { describe, expect, test } from 'vitest'
import {
  NEW_PATH,
  step,
  type Action,
  type Event,
  type Finding,
  type Path,
  type Probe,
} from '../../../src/fib/dataplanes/path-probe.ts'

const LEAST = 48
const MOST = 1500

/** Whether it arrives; `nth` counts the probes of a look from 1. */
type Network = (probe: Probe, nth: number) => boolean

const OPEN: Network = () => true
const BLOCKED: Network = ({ wrapped }) => !wrapped
const AWAY: Network = () => false
const upTo =
  (mtu: number): Network =>
  ({ bytes }) =>
    bytes <= mtu

/** One look, from its beginning to the rest after it. */
function look(before: Path, network: Network, most = MOST) {
  const told: string[] = []
  const sent: string[] = []
  let restMs = 0
  let waitedMs = 0
  let path = before
  const events: Event[] = [{ type: 'LookDue', least: LEAST, most }]
  while (restMs === 0) {
    const event = events.shift() ?? { type: 'WaitOver' }
    const result = step(path, event)
    path = result.path
    for (const action of result.actions) carryOut(action)
  }
  return { path, told, sent, restMs, waitedMs }

  function carryOut(action: Action): void {
    if (action.type === 'Rest') restMs = action.milliseconds
    if (action.type === 'Wait') waitedMs += action.milliseconds
    if (action.type === 'TellFinding') told.push(`${textOf(action.from)} -> ${textOf(action.to)}`)
    if (action.type !== 'SendProbe') return
    const { probe } = action
    sent.push(`${probe.wrapped ? 'wrapped' : 'plain'} ${probe.bytes}`)
    if (network(probe, sent.length)) events.push({ type: 'ProbeAnswered', probe })
  }
}

const textOf = (finding: Finding): string =>
  finding.kind === 'narrow' ? `narrow ${finding.passes} of ${finding.most}` : finding.kind

/** Several looks; what was told in all. */
function looks(...networks: Network[]): string[] {
  let path = NEW_PATH
  return networks.flatMap((network) => {
    const done = look(path, network)
    path = done.path
    return done.told
  })
}

test('an open way costs one probe, of the longest packet', () => {
  const { sent, told, restMs } = look(NEW_PATH, OPEN)
  expect(sent).toEqual(['wrapped 1500'])
  expect(told).toEqual(['unknown -> open'])
  expect(restMs).toBe(60_000)
})

test('what is not answered is asked three times, and why', () => {
  const others = ['wrapped 1500', 'wrapped 48', 'plain 48']
  const { sent, restMs } = look(NEW_PATH, AWAY)
  expect(sent).toEqual(['wrapped 1500', ...others, ...others])
  expect(restMs).toBe(60_000)
})

test('a suspicion is looked at again soon', () => {
  const { restMs, path } = look(NEW_PATH, BLOCKED)
  expect(restMs).toBe(5_000)
  expect(look(path, BLOCKED).told).toEqual(['unknown -> blocked'])
})

describe('what is told', () => {
  const FIRST_TWO_LOST: Network = (_, nth) => nth > 2
  test.each<[string, Network[], string[]]>([
    ['of an open way', [OPEN, OPEN], ['unknown -> open']],
    ['of one that loses a packet or two', [FIRST_TWO_LOST], ['unknown -> open']],
    ['of a host that is away', [AWAY, AWAY, AWAY], []],
    ['of a blocked way, once', [BLOCKED, BLOCKED, BLOCKED], ['unknown -> blocked']],
    ['of one that is blocked for a moment', [OPEN, BLOCKED, OPEN, BLOCKED], ['unknown -> open']],
    ['of one that opens', [BLOCKED, BLOCKED, OPEN], ['unknown -> blocked', 'blocked -> open']],
    [
      'of a blocked one whose host is away for a while',
      [BLOCKED, BLOCKED, AWAY, BLOCKED],
      ['unknown -> blocked'],
    ],
    ['of a narrow way, once', [upTo(1400), upTo(1400)], ['unknown -> narrow 1400 of 1500']],
    [
      'of one that gets narrower',
      [upTo(1400), upTo(1280)],
      ['unknown -> narrow 1400 of 1500', 'narrow 1400 of 1500 -> narrow 1280 of 1500'],
    ],
    [
      'of a narrow one that is blocked',
      [upTo(1400), BLOCKED, BLOCKED],
      ['unknown -> narrow 1400 of 1500', 'narrow 1400 of 1500 -> blocked'],
    ],
    [
      'of a narrow one that opens',
      [upTo(1400), OPEN],
      ['unknown -> narrow 1400 of 1500', 'narrow 1400 of 1500 -> open'],
    ],
  ])('%s', (_, networks, told) => {
    expect(looks(...networks)).toEqual(told)
  })
})

test('the longest packet that arrives is found, whatever it is', () => {
  for (let mtu = LEAST; mtu < MOST; mtu++) {
    const { path } = look(NEW_PATH, upTo(mtu))
    expect(path.finding).toEqual({ kind: 'narrow', passes: mtu, most: MOST })
  }
})

test('it is found within a quarter of a minute, and not looked for again while it stays so', () => {
  expect(look(NEW_PATH, upTo(LEAST)).waitedMs).toBeLessThanOrEqual(15_000)
  const { path } = look(NEW_PATH, upTo(1400))
  const others = ['wrapped 1400', 'plain 48']
  const { sent } = look(path, upTo(1400))
  expect(sent).toEqual(['wrapped 1500', 'wrapped 1500', ...others, 'wrapped 1500'])
})

test('with shorter packets the way is wide enough', () => {
  const { path } = look(NEW_PATH, upTo(1400))
  const { sent, told } = look(path, upTo(1400), 1400)
  expect(sent).toEqual(['wrapped 1400'])
  expect(told).toEqual(['narrow 1400 of 1500 -> open'])
})

test('an answer that comes late changes nothing', () => {
  const { path } = look(NEW_PATH, BLOCKED)
  const probe = { wrapped: true, bytes: MOST }
  expect(step(path, { type: 'ProbeAnswered', probe })).toEqual({ path, actions: [] })
})
