/**
 * Sessions that have agreed on more than the base, or in which only one side has offered it: what their tables
 * of errors have in common.
 */
import type { RouteRow } from '../../../src/control/rows.ts'
import { fourOctetAs, IPV4_UNICAST, IPV6_UNICAST, ROUTE_REFRESH } from '../../support/raw-peer.ts'
import type { Cost } from './attribute-errors.ts'
import {
  asPath,
  NEXT_HOP,
  ORIGIN,
  reach,
  updateOf,
  type Scene,
  type UpdateFields,
} from './update-stage.ts'

export interface AgreedRow {
  readonly what: string
  /** An UPDATE, or whole messages. */
  readonly said: UpdateFields | readonly Uint8Array[]
  readonly cost: Cost
  /** What is left of the routes under test; irrelevant where the session ends. Default: all of them. */
  readonly left?: readonly string[]
  /** Of the first that is left. */
  readonly shown?: Partial<RouteRow>
}

export interface AgreedGroup {
  readonly rule: string
  readonly scene: Scene
  /** What is announced beforehand, as `show routes --received` names it. */
  readonly routes: readonly string[]
  readonly rows: readonly AgreedRow[]
}

export const AS_PATH = asPath('eBGP')
export const SOUND = `${ORIGIN} ${AS_PATH} ${NEXT_HOP}`
export const SOUND6 = `${ORIGIN} ${AS_PATH}`
export const BAD_MED = '80 04 03 000001'
export const bare = (text: string): string => text.replaceAll(' ', '')

export const V4 = '10 0a09'
export const V6 = '30 20010db80009'
export const TESTED4 = '10.9.0.0/16'
export const TESTED6 = '2001:db8:9::/48'
export const GLOBAL = `20010db8${'00'.repeat(11)}01`
export const LINK_LOCAL = `fe80${'00'.repeat(13)}01`

export interface Terms {
  readonly capabilities?: readonly number[]
  readonly config?: string
  readonly asn?: number
  /** Of the whole speaker. */
  readonly more?: string
  /** In front of each prefix. */
  readonly id?: string
  /** Attributes of what is announced beside the message under test, NEXT_HOP apart. */
  readonly attributes?: string
}

export const scene = (it: Terms): Scene => {
  const { asn = 65_001, id = '', attributes = SOUND6 } = it
  const usual = [...IPV4_UNICAST, ...IPV6_UNICAST, ...ROUTE_REFRESH, ...fourOctetAs(asn)]
  const plain = (nlri: string) =>
    updateOf({ section: `${attributes} ${NEXT_HOP}`, nlri: `${id} ${nlri}` })
  return {
    peer: {
      asn,
      capabilities: [...usual, ...(it.capabilities ?? [])],
      ...(it.config === undefined ? {} : { config: it.config }),
    },
    ...(it.more === undefined ? {} : { config: it.more }),
    before: [
      plain('10 0a01'),
      plain(V4),
      updateOf({ section: `${reach(`${id} ${V6}`)} ${attributes}` }),
    ],
    after: plain('10 0a02'),
  }
}

export const notIn9 = (whole: string): Cost => `3/9: ${bare(whole)}`
export const BOTH = [TESTED4, TESTED6]
