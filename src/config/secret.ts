/**
 * A value that must reach the kernel and nobody's eyes: it prints and serialises as `***`, in logs,
 * JSON, string concatenation and the inspector alike. Only `reveal` gives it out.
 */
export class Secret {
  readonly #value: string

  constructor(value: string) {
    this.#value = value
  }

  reveal(): string {
    return this.#value
  }

  /** True when both hide the same value: a reload must notice a new password. */
  equals(other: Secret): boolean {
    return this.#value === other.#value
  }

  toString(): string {
    return '***'
  }

  toJSON(): string {
    return '***'
  }

  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return '***'
  }
}
