import { SessionError } from '../../../src/wire/errors.ts'

/** The SessionError that `decode` throws; undefined when it throws none. Anything else is thrown on. */
export function sessionErrorOf(decode: () => unknown): SessionError | undefined {
  try {
    decode()
    return undefined
  } catch (error) {
    if (error instanceof SessionError) return error
    throw error
  }
}
