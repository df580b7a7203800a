import { playChains } from './chain-suites.ts'
import { POLICIES } from './policies.ts'

playChains(POLICIES)
