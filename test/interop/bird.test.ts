import { bird } from '../support/daemons/bird.ts'
import { interoperates } from './matrix.ts'

interoperates(bird)
