import DataLoader from 'dataloader'
import type { Instrument } from '../../domain/instrument.ts'
import type { Quote } from '../../domain/quote.ts'
import type { InstrumentStore, QuoteStore } from './stores.ts'

/** One query asks for at most this many symbols. */
const BATCH_SIZE_MAX = 500

export interface Loaders {
  readonly instruments: DataLoader<string, Instrument | undefined>
  readonly quotes: DataLoader<string, Quote | undefined>
}

/**
 * Turns a list of parents into one query. Nothing is remembered after it: a subscription lives for hours, and an answer
 * cached for its request would grow old with it. So one set of loaders serves everybody.
 */
export const openLoaders = (instruments: InstrumentStore, quotes: QuoteStore): Loaders => ({
  instruments: batched((symbols) => instruments.find(symbols)),
  quotes: batched((symbols) => quotes.find(symbols)),
})

const batched = <T>(find: (symbols: string[]) => Promise<Map<string, T>>) =>
  new DataLoader<string, T | undefined>(
    async (symbols) => {
      const found = await find([...new Set(symbols)])
      return symbols.map((symbol) => found.get(symbol))
    },
    { cache: false, maxBatchSize: BATCH_SIZE_MAX },
  )
