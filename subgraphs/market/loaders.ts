import type DataLoader from 'dataloader'
import type { Instrument } from '../../domain/instrument.ts'
import type { EconomicSeries } from '../../domain/observation.ts'
import type { Quote } from '../../domain/quote.ts'
import { batched } from '../../platform/graphql/batched.ts'
import type { ObservationStore, SeriesStore, StoredObservation } from './economic-stores.ts'
import type { InstrumentStore, QuoteStore, UpdatePlanStore } from './stores.ts'

export interface Loaders {
  readonly instruments: DataLoader<string, Instrument | undefined>
  readonly quotes: DataLoader<string, Quote | undefined>
  readonly plans: DataLoader<string, { readonly nextUpdateAtMs: number } | undefined>
  readonly series: DataLoader<string, EconomicSeries | undefined>
  readonly latestObservations: DataLoader<string, StoredObservation | undefined>
}

export interface LoadedStores {
  readonly instruments: Pick<InstrumentStore, 'find'>
  readonly quotes: QuoteStore
  readonly updatePlan: UpdatePlanStore
  readonly series: Pick<SeriesStore, 'find'>
  readonly observations: Pick<ObservationStore, 'latest'>
}

export const openLoaders = (stores: LoadedStores): Loaders => ({
  instruments: batched((symbols) => stores.instruments.find(symbols)),
  quotes: batched((symbols) => stores.quotes.find(symbols)),
  plans: batched((symbols) => stores.updatePlan.find(symbols)),
  series: batched((ids) => stores.series.find(ids)),
  latestObservations: batched((ids) => stores.observations.latest(ids)),
})
