import type { Clock } from '../../platform/clock.ts'
import type { StreamLimits } from './stream-protocol.ts'

/** A connection that lived so long was a good one: the next failure is the first again. */
const STABLE_MS = 60_000

/**
 * When the next connection may be tried. The pause grows with decorrelated jitter, so that a vendor who comes back is not
 * met by everybody at once; the vendor's own limit on attempts and its word on when to come back are kept whatever the pause.
 */
export class Attempts {
  readonly #limits: Pick<StreamLimits, 'attempts' | 'backOffMsMin' | 'backOffMsMax'>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #triedMs: number[] = []
  #pauseMs = 0
  #notBeforeMs = 0

  constructor(
    limits: Pick<StreamLimits, 'attempts' | 'backOffMsMin' | 'backOffMsMax'>,
    clock: Clock,
    random: () => number = Math.random,
  ) {
    this.#limits = limits
    this.#clock = clock
    this.#random = random
  }

  /** Waits for the turn of the next attempt and counts it; ends early, uncounted, when the signal aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    for (let restMs = this.#restMs(); restMs > 0; restMs = this.#restMs()) {
      await this.#clock.sleep(restMs, signal)
      if (signal.aborted) return
    }
    this.#triedMs.push(this.#clock.now())
    if (this.#triedMs.length > this.#limits.attempts.count) this.#triedMs.shift()
  }

  /** An attempt failed, or what it brought has ended after `livedMs`. */
  ended(livedMs: number, retryAtMs: number | undefined): void {
    const { backOffMsMin, backOffMsMax } = this.#limits
    const beforeMs = livedMs >= STABLE_MS ? 0 : this.#pauseMs
    const spreadMs = Math.max(backOffMsMin, beforeMs * 3 - backOffMsMin)
    this.#pauseMs = Math.min(backOffMsMax, backOffMsMin + this.#random() * spreadMs)
    this.#notBeforeMs = Math.max(this.#clock.now() + this.#pauseMs, retryAtMs ?? 0)
  }

  #restMs(): number {
    const { count, perMs } = this.#limits.attempts
    const windowOpensMs = this.#triedMs.length < count ? 0 : this.#triedMs[0] + perMs
    return Math.max(this.#notBeforeMs, windowOpensMs) - this.#clock.now()
  }
}
