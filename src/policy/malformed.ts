/** What is wrong with a value of a policy, and what to write instead. */
export interface Malformed {
  readonly message: string
  readonly remedy: string
}
