import type { Rate } from './stream-protocol.ts'

/** Sends in order, never more in any window than the vendor reads from one connection; the rest waits for `flush`. */
export class PacedSender {
  readonly #rate: Rate
  readonly #send: (frame: string) => void
  readonly #sentMs: number[] = []
  readonly #waiting: string[] = []

  constructor(rate: Rate, send: (frame: string) => void) {
    this.#rate = rate
    this.#send = send
  }

  push(frame: string, nowMs: number): void {
    this.#waiting.push(frame)
    this.flush(nowMs)
  }

  /** What may go by now. */
  flush(nowMs: number): void {
    const { count, perMs } = this.#rate
    while (this.#waiting.length > 0) {
      if (this.#sentMs.length >= count) {
        if (nowMs - this.#sentMs[0] < perMs) return
        this.#sentMs.shift()
      }
      this.#sentMs.push(nowMs)
      const [frame] = this.#waiting.splice(0, 1)
      this.#send(frame)
    }
  }
}
