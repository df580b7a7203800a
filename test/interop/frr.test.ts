import { frr } from '../support/daemons/frr.ts'
import { interoperates } from './matrix.ts'

interoperates(frr)
