import { type Instrument, undescribed } from '../../domain/instrument.ts'
import type { Clock } from '../../platform/clock.ts'
import { Remembered } from '../../platform/graphql/remembered.ts'
import type { Loaders } from './loaders.ts'

/** Instruments beside events: their descriptions hardly ever change, so an answer may be a minute old. */
export class DescribedInstruments {
  readonly #loaders: Pick<Loaders, 'instruments'>
  readonly #remembered: Remembered<Instrument>

  constructor(loaders: Pick<Loaders, 'instruments'>, clock: Clock) {
    this.#loaders = loaders
    this.#remembered = new Remembered({ clock, sizeMax: 10_000, forMs: 60_000 })
  }

  /** At once where it is remembered. Named by its symbol alone where nobody has described it. */
  of(symbol: string): Instrument | Promise<Instrument> {
    return this.#remembered.get(symbol) ?? this.#load(symbol)
  }

  async #load(symbol: string): Promise<Instrument> {
    const instrument = (await this.#loaders.instruments.load(symbol)) ?? undescribed(symbol)
    this.#remembered.set(symbol, instrument)
    return instrument
  }
}
