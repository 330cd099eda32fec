/** Where the time comes from. Only `platform/` and sources read it; processors know event time alone. */
export interface Clock {
  /** Milliseconds since 1970 UTC. */
  now(): number
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /**
   * How long to wait by the wall for what keeps no clock of ours, such as an answer from a network. Left out: as long as it
   * says. A clock that runs faster than the wall, as in tests, may say less.
   */
  readonly wallMs?: (ms: number) => number
}

export const systemClock: Clock = {
  now: Date.now,
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** For tests: time stands still until `advance`. */
export class ManualClock implements Clock {
  #nowMs: number
  #sleepers: { dueMs: number; wake: () => void }[] = []

  constructor(nowMs = 0) {
    this.#nowMs = nowMs
  }

  now = (): number => this.#nowMs

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const wake = () => {
        signal?.removeEventListener('abort', wake)
        this.#sleepers = this.#sleepers.filter((sleeper) => sleeper.wake !== wake)
        resolve()
      }
      this.#sleepers.push({ dueMs: this.#nowMs + ms, wake })
      signal?.addEventListener('abort', wake, { once: true })
    })
  }

  /** How many wait: a test can be sure that what it drives has come to rest. */
  get sleeping(): number {
    return this.#sleepers.length
  }

  /** Wakes the sleepers in the order they are due, letting each run before the next one's time comes. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms
    for (;;) {
      this.#sleepers.sort((a, b) => a.dueMs - b.dueMs)
      const next = this.#sleepers[0]
      if (!next || next.dueMs > untilMs) break
      this.#nowMs = next.dueMs
      next.wake()
      await new Promise(setImmediate)
    }
    this.#nowMs = untilMs
  }
}
