import { exabgp } from '../support/daemons/exabgp.ts'
import { interoperates } from './matrix.ts'

interoperates(exabgp)
