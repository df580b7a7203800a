/** RFC 7911: prefixes behind path identifiers, where they were agreed on, and where they were not. */
import { SENDS_PATHS } from '../../support/raw-peer.ts'
import {
  AS_PATH,
  BAD_MED,
  GLOBAL,
  notIn9,
  scene,
  SOUND,
  SOUND6,
  TESTED4,
  TESTED6,
  V4,
  V6,
  type AgreedGroup,
  type AgreedRow,
} from './agreed-scene.ts'
import { NEXT_HOP, ORIGIN, reach, unreach, updateOf } from './update-stage.ts'

const paths = (): AgreedGroup['scene'] => {
  const one = scene({
    capabilities: SENDS_PATHS,
    config: 'addPath: { receive: true }',
    id: '00000001',
  })
  const second = updateOf({ section: SOUND, nlri: `00000002 ${V4}` })
  return { ...one, before: [...one.before, second] }
}
const PATHS = [`${TESTED4}#1`, `${TESTED4}#2`, `${TESTED6}#1`]
const [FIRST, SECOND, THIRD] = PATHS

const brokenReach = (nlri: string): AgreedRow['said'] => ({ section: `${reach(nlri)} ${SOUND6}` })

const ADD_PATH: AgreedGroup = {
  rule: 'RFC 7911 section 3: prefixes behind identifiers',
  scene: paths(),
  routes: PATHS,
  rows: [
    {
      what: 'two paths of a prefix in one message',
      said: { section: SOUND, nlri: `00000003 ${V4} 00000004 ${V4}` },
      cost: 'nothing',
      left: [...PATHS, `${TESTED4}#3`, `${TESTED4}#4`],
    },
    {
      what: 'the same path twice in one message',
      said: { section: SOUND, nlri: `00000003 ${V4} 00000003 ${V4}` },
      cost: 'nothing',
      left: [...PATHS, `${TESTED4}#3`],
    },
    {
      what: 'the least and the greatest identifier',
      said: { section: SOUND, nlri: `00000000 ${V4} ffffffff ${V4}` },
      cost: 'nothing',
      left: [...PATHS, `${TESTED4}#0`, `${TESTED4}#4294967295`],
    },
    {
      what: 'a prefix of no bit',
      said: { section: SOUND, nlri: '00000005 00' },
      cost: 'nothing',
      left: [...PATHS, '0.0.0.0/0#5'],
    },
    {
      what: 'one with other attributes: it replaces that with its identifier alone',
      said: {
        section: `${ORIGIN} ${AS_PATH} ${NEXT_HOP} 80 04 04 00000007`,
        nlri: `00000001 ${V4}`,
      },
      cost: 'nothing',
      shown: { med: 7 },
    },
    {
      what: 'one withdrawn',
      said: { withdrawn: `00000001 ${V4}`, section: '' },
      cost: 'nothing',
      left: [SECOND, THIRD],
    },
    {
      what: 'one withdrawn that is not there, of a prefix that is',
      said: { withdrawn: `00000009 ${V4}`, section: '' },
      cost: 'nothing',
    },
    {
      what: 'one withdrawn in MP_UNREACH_NLRI, another that is not there',
      said: { section: unreach(`00000001 ${V6} 00000002 ${V6}`) },
      cost: 'nothing',
      left: [FIRST, SECOND],
    },
    {
      what: 'one withdrawn, another announced',
      said: { withdrawn: `00000001 ${V4}`, section: SOUND, nlri: `00000003 ${V4}` },
      cost: 'nothing',
      left: [SECOND, `${TESTED4}#3`, THIRD],
    },
    {
      what: 'attributes to be treated as withdrawn: the path that is named goes, and no other',
      said: { section: `${SOUND} ${BAD_MED}`, nlri: `00000002 ${V4}` },
      cost: 'route',
      left: [FIRST, THIRD],
    },
    {
      what: 'the same in MP_REACH_NLRI',
      said: { section: `${reach(`00000001 ${V6}`)} ${SOUND6} ${BAD_MED}` },
      cost: 'route',
      left: [FIRST, SECOND],
    },
    { what: 'of 33 bits', said: { section: SOUND, nlri: '00000001 21 0a09000000' }, cost: '3/10' },
    {
      what: 'an identifier of three bytes',
      said: { section: SOUND, nlri: '000000' },
      cost: '3/10',
    },
    {
      what: 'an identifier without prefix',
      said: { section: SOUND, nlri: `00000001 ${V4} 00000002` },
      cost: '3/10',
    },
    {
      what: 'a prefix cut off behind its identifier',
      said: { section: SOUND, nlri: '00000001 18 0a09' },
      cost: '3/10',
    },
    { what: 'without identifiers', said: { section: SOUND, nlri: '18 0a0900' }, cost: '3/10' },
    {
      what: 'withdrawn, of 33 bits',
      said: { withdrawn: '00000001 21 0a09000000', section: '' },
      cost: '3/10',
    },
    { what: 'withdrawn, without identifiers', said: { withdrawn: V4, section: '' }, cost: '3/10' },
    {
      what: 'in MP_REACH_NLRI, of 129 bits',
      said: brokenReach(`00000001 81 ${GLOBAL}00`),
      cost: notIn9(reach(`00000001 81 ${GLOBAL}00`)),
    },
    {
      what: 'in MP_REACH_NLRI, an identifier of two bytes',
      said: brokenReach(`00000001 ${V6} 0000`),
      cost: notIn9(reach(`00000001 ${V6} 0000`)),
    },
    {
      what: 'in MP_UNREACH_NLRI, an identifier without prefix',
      said: { section: unreach('00000001') },
      cost: notIn9(unreach('00000001')),
    },
    {
      what: 'in MP_UNREACH_NLRI, cut off',
      said: { section: unreach('00000001 30 2001') },
      cost: notIn9(unreach('00000001 30 2001')),
    },
  ],
}

const UNSAID_PATHS: AgreedGroup = {
  rule: 'RFC 7911 section 4: identifiers that were not agreed on',
  // It may receive them, that is all.
  scene: scene({
    capabilities: [69, 4, 0, 1, 1, 1],
    config: 'addPath: { receive: true }',
  }),
  routes: [TESTED4, TESTED6],
  rows: [
    {
      what: 'are read as prefixes',
      said: { section: SOUND, nlri: `00000001 ${V4}` },
      cost: '3/10',
    },
    {
      what: 'are read as prefixes, also where that makes sense',
      said: { section: SOUND, nlri: `00000000 ${V4}` },
      cost: 'nothing',
      left: ['0.0.0.0/0', TESTED4, TESTED6],
    },
    { what: 'are not missed', said: { section: SOUND, nlri: V4 }, cost: 'nothing' },
  ],
}

export const ADD_PATH_ERRORS: readonly AgreedGroup[] = [ADD_PATH, UNSAID_PATHS]
