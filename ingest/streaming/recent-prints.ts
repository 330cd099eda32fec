const DAY_MS = 86_400_000

/**
 * Which prints of one symbol were told lately. What is older than those counts as told. Vendors' names for a trade are those of
 * its day: they come again the day after.
 */
export class RecentPrints {
  readonly #max: number
  /** Oldest first, with their times. */
  readonly #timeMsOf = new Map<string, number>()
  #beginMs: number

  /** `beginMs`: what is older was told, or nobody can say any more. -1: it begins with the first one. */
  constructor(max: number, beginMs: number) {
    this.#max = max
    this.#beginMs = beginMs
  }

  has(key: string, timeMs: number): boolean {
    return this.#timeMsOf.has(nameOf(key, timeMs))
  }

  isBefore(timeMs: number): boolean {
    return timeMs < this.#beginMs
  }

  add(key: string, timeMs: number): void {
    if (this.#beginMs < 0) this.#beginMs = timeMs
    this.#timeMsOf.set(nameOf(key, timeMs), timeMs)
    if (this.#timeMsOf.size <= this.#max) return
    for (const [oldest, oldestMs] of this.#timeMsOf) {
      this.#timeMsOf.delete(oldest)
      this.#beginMs = Math.max(this.#beginMs, oldestMs)
      return
    }
  }
}

const nameOf = (key: string, timeMs: number) => `${Math.floor(timeMs / DAY_MS)} ${key}`
