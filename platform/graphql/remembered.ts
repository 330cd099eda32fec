import type { Clock } from '../clock.ts'

export interface RememberedOptions {
  readonly clock: Clock
  /** Beyond it the one remembered first is forgotten. */
  readonly sizeMax: number
  /** How old an answer may get. */
  readonly forMs: number
}

/** Answers of the store beside events: thousands of events a second are about the same few things. */
export class Remembered<T> {
  readonly #options: RememberedOptions
  readonly #values = new Map<string, { readonly value: T; readonly untilMs: number }>()

  constructor(options: RememberedOptions) {
    this.#options = options
  }

  get(key: string): T | undefined {
    const known = this.#values.get(key)
    return known && known.untilMs > this.#options.clock.now() ? known.value : undefined
  }

  /** Counts as asked of the store now. */
  set(key: string, value: T): void {
    this.#values.delete(key)
    this.#values.set(key, { value, untilMs: this.#options.clock.now() + this.#options.forMs })
    const [oldest] = this.#values.keys()
    if (this.#values.size > this.#options.sizeMax && oldest !== undefined) this.#values.delete(oldest)
  }

  /** In place of what is remembered, which gets no younger by it; nothing where nothing is. */
  replace(key: string, value: T): void {
    const known = this.#values.get(key)
    if (known) this.#values.set(key, { ...known, value })
  }
}
