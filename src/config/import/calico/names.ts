/** Names for peers and policies that are made of Calico's: short enough, and each given once. */
export class Names {
  readonly #given = new Set<string>()

  unique(wanted: string): string {
    for (let count = 1; ; count++) {
      const suffix = count === 1 ? '' : `-${count}`
      const name = wanted.slice(0, LONGEST - suffix.length) + suffix
      if (this.#given.has(name)) continue
      this.#given.add(name)
      return name
    }
  }
}

const LONGEST = 63
