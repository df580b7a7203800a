/** RFC 5065: AS_PATHs of peers inside and outside of a confederation, and where there is none. */
import { SPEAKER_ASN } from '../../support/speaker-stage.ts'
import { attribute, toHex } from '../wire/hex.ts'
import { BOTH, scene, TESTED6, V4, type AgreedGroup, type AgreedRow } from './agreed-scene.ts'
import { NEXT_HOP, ORIGIN, type UpdateFields } from './update-stage.ts'

/** The speaker is member AS 65000, beside 65001, of confederation 64999. */
const WITHIN = 'confederation: { asn: 64999, members: [65001] }'
const LOCAL_PREF = '40 05 04 00000064'
const NUMBERS = { sequence: '02', set: '01', confedSequence: '03', confedSet: '04' } as const
const segment = (kind: keyof typeof NUMBERS, ...asns: readonly number[]): string =>
  `${NUMBERS[kind]} ${toHex(Uint8Array.of(asns.length))} ${asns
    .map((asn) => asn.toString(16).padStart(8, '0'))
    .join(' ')}`
const through = (...segments: readonly string[]): UpdateFields => ({
  section: `${ORIGIN} ${attribute(0x40, 2, segments.join(' '))} ${NEXT_HOP} ${LOCAL_PREF}`,
  nlri: V4,
})
const MEMBER = segment('confedSequence', 65_001)

const MALFORMED_PATHS: readonly AgreedRow[] = (
  [
    ['a confederation segment of no AS', through(MEMBER, '03 00')],
    ['a confederation set of no AS', through(MEMBER, '04 00')],
    ['a confederation segment that overruns', through(MEMBER, '03 02 0000fdea')],
    ['AS 0 in a confederation segment', through(segment('confedSequence', 65_001, 0))],
    ['AS 0 in a confederation set', through(MEMBER, segment('confedSet', 0))],
    ['segment type 5', through(MEMBER, '05 01 0000fdea')],
  ] as const
).map(([what, said]) => ({ what, said, cost: 'route', left: [TESTED6] }))

const FROM_MEMBER: AgreedGroup = {
  rule: 'RFC 5065 section 5: paths from another member of the confederation',
  scene: scene({
    more: WITHIN,
    attributes: `${ORIGIN} ${attribute(0x40, 2, MEMBER)} ${LOCAL_PREF}`,
  }),
  routes: BOTH,
  rows: [
    {
      what: 'its number, then what is outside',
      said: through(MEMBER, segment('sequence', 65_009)),
      cost: 'nothing',
      shown: { asPath: '(65001) 65009', valid: true },
    },
    {
      what: 'a confederation set behind its number',
      said: through(MEMBER, segment('confedSet', 65_010, 65_011)),
      cost: 'nothing',
      shown: { asPath: '(65001) ({65010,65011})', valid: true },
    },
    {
      what: 'its LOCAL_PREF counts',
      said: {
        section: `${ORIGIN} ${attribute(0x40, 2, MEMBER)} ${NEXT_HOP} 40 05 04 00000fff`,
        nlri: V4,
      },
      cost: 'nothing',
      shown: { localPref: 0xfff, valid: true },
    },
    {
      what: 'without LOCAL_PREF',
      said: { section: `${ORIGIN} ${attribute(0x40, 2, MEMBER)} ${NEXT_HOP}`, nlri: V4 },
      cost: 'nothing',
      shown: { localPref: 100, valid: true },
    },
    {
      what: 'no confederation segment in front: kept, never used',
      said: through(segment('sequence', 65_001)),
      cost: 'nothing',
      shown: { valid: false, reason: "its AS_PATH does not begin with the peer's AS" },
    },
    {
      what: 'another member in front: kept, never used',
      said: through(segment('confedSequence', 65_010, 65_001)),
      cost: 'nothing',
      shown: { valid: false, reason: "its AS_PATH does not begin with the peer's AS" },
    },
    {
      what: 'our own member AS further on: a loop',
      said: through(segment('confedSequence', 65_001, SPEAKER_ASN)),
      cost: 'nothing',
      shown: { valid: false, reason: 'loop: our own AS is in its AS_PATH' },
    },
    {
      what: 'our confederation further on: a loop',
      said: through(MEMBER, segment('sequence', 64_999)),
      cost: 'nothing',
      shown: { valid: false, reason: 'loop: our own AS is in its AS_PATH' },
    },
    ...MALFORMED_PATHS,
  ],
}

const FROM_OUTSIDE: AgreedGroup = {
  rule: 'RFC 5065 section 4: paths from outside to a member of a confederation',
  scene: scene({ more: 'confederation: { asn: 64999, members: [65010] }' }),
  routes: BOTH,
  rows: [
    ...[
      ['a confederation sequence', through(segment('confedSequence', 65_001))],
      ['one behind the others', through(segment('sequence', 65_001), MEMBER)],
      ['a confederation set', through(segment('sequence', 65_001), segment('confedSet', 65_010))],
    ].map(([what, said]) => ({
      ...{ what: what as string, said: said as UpdateFields },
      ...{ cost: 'route' as const, left: [TESTED6] },
    })),
    {
      what: 'a path as ever; its LOCAL_PREF does not count',
      said: through(segment('sequence', 65_001)),
      cost: 'attribute',
      shown: { asPath: '65001', localPref: 100, valid: true },
    },
  ],
}

const internalTerms = {
  asn: SPEAKER_ASN,
  attributes: `${ORIGIN} ${attribute(0x40, 2, segment('sequence', 65_009))} ${LOCAL_PREF}`,
}

const FROM_WITHIN: AgreedGroup = {
  rule: 'RFC 5065 section 4: paths from our own member AS',
  scene: scene({ ...internalTerms, more: WITHIN }),
  routes: BOTH,
  rows: [
    {
      what: 'through another member',
      said: through(MEMBER, segment('sequence', 65_009)),
      cost: 'nothing',
      shown: { asPath: '(65001) 65009', valid: true },
    },
    ...MALFORMED_PATHS,
  ],
}

const NO_CONFEDERATION: AgreedGroup = {
  rule: 'RFC 5065 section 4: confederation segments from an internal peer where there is no confederation',
  scene: scene(internalTerms),
  routes: BOTH,
  rows: [
    {
      what: 'a confederation sequence',
      said: through(MEMBER, segment('sequence', 65_009)),
      cost: 'route',
      left: [TESTED6],
    },
  ],
}

export const CONFEDERATION_ERRORS: readonly AgreedGroup[] = [
  FROM_MEMBER,
  FROM_OUTSIDE,
  FROM_WITHIN,
  NO_CONFEDERATION,
]
