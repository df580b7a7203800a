import { gobgp } from '../support/daemons/gobgp.ts'
import { interoperates } from './matrix.ts'

interoperates(gobgp)
