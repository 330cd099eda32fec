/**
 * Keeps the gaps of the tape, divided by the speed. Its zero is the first row of this run, so a pause of the bus is made
 * up for afterwards, and a row that goes back in time is told at once.
 */
export class Pace {
  readonly #speed: number | 'max'
  #zero: { readonly wallMs: number; readonly eventMs: number } | undefined

  constructor(speed: number | 'max') {
    this.#speed = speed
  }

  get keepsTime(): boolean {
    return this.#speed !== 'max'
  }

  /** When a row of that time may be told. */
  dueMs(eventTimeMs: number, nowMs: number): number {
    if (this.#speed === 'max') return nowMs
    this.#zero ??= { wallMs: nowMs, eventMs: eventTimeMs }
    return this.#zero.wallMs + (eventTimeMs - this.#zero.eventMs) / this.#speed
  }
}
