import { bird } from './bird.ts'
import { frr } from './frr.ts'
import { gobgp } from './gobgp.ts'
import { linnet } from './linnet.ts'
import { openbgpd } from './openbgpd.ts'
import type { Subject } from './subject.ts'

export const SUBJECTS: readonly Subject[] = [linnet, bird, frr, gobgp, openbgpd]
