import { type Instrument, undescribed } from '../../domain/instrument.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Loaders } from './loaders.ts'

const REMEMBERED_MAX = 10_000
const REMEMBERED_MS = 60_000

/**
 * Instruments beside events: thousands of ticks a second name the same few, and their descriptions hardly ever change. An
 * answer is at most a minute old. Beyond the bound the oldest is forgotten.
 */
export class DescribedInstruments {
  readonly #loaders: Loaders
  readonly #clock: Clock
  readonly #remembered = new Map<string, { readonly instrument: Instrument; readonly untilMs: number }>()

  constructor(loaders: Loaders, clock: Clock) {
    this.#loaders = loaders
    this.#clock = clock
  }

  /** At once where it is remembered. Named by its symbol alone where nobody has described it. */
  of(symbol: string): Instrument | Promise<Instrument> {
    const known = this.#remembered.get(symbol)
    return known && known.untilMs > this.#clock.now() ? known.instrument : this.#load(symbol)
  }

  async #load(symbol: string): Promise<Instrument> {
    const instrument = (await this.#loaders.instruments.load(symbol)) ?? undescribed(symbol)
    this.#remembered.delete(symbol)
    this.#remembered.set(symbol, { instrument, untilMs: this.#clock.now() + REMEMBERED_MS })
    const [oldest] = this.#remembered.keys()
    if (this.#remembered.size > REMEMBERED_MAX && oldest !== undefined) this.#remembered.delete(oldest)
    return instrument
  }
}
