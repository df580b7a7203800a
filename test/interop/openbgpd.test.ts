import { openbgpd } from '../support/daemons/openbgpd.ts'
import { interoperates } from './matrix.ts'

interoperates(openbgpd)
