import type DataLoader from 'dataloader'
import type { Instrument } from '../../domain/instrument.ts'
import type { Quote } from '../../domain/quote.ts'
import { batched } from '../../platform/graphql/batched.ts'
import type { InstrumentStore, QuoteStore } from './stores.ts'

export interface Loaders {
  readonly instruments: DataLoader<string, Instrument | undefined>
  readonly quotes: DataLoader<string, Quote | undefined>
}

export const openLoaders = (instruments: InstrumentStore, quotes: QuoteStore): Loaders => ({
  instruments: batched((symbols) => instruments.find(symbols)),
  quotes: batched((symbols) => quotes.find(symbols)),
})
