/** vitest's asymmetric matchers, without the `any` that they are typed as. */
import { expect } from 'vitest'

export const containing = (text: string): unknown => expect.stringContaining(text)
export const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern)
export const having = (properties: object): unknown => expect.objectContaining(properties)
