import { playChains } from './chain-suites.ts'
import { PATHS } from './paths.ts'

playChains(PATHS)
