import { symbolOf, undescribed } from '../../domain/instrument.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Reference } from '../../platform/graphql/entities.ts'
import { buildSubgraph, type Subgraph } from '../../platform/graphql/subgraph.ts'
import type { Watchers } from '../../platform/graphql/watchers.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { PubSub } from '../../platform/pubsub/pubsub.ts'
import { BarResolver } from './bar-resolver.ts'
import { DataQualityResolver } from './data-quality-resolver.ts'
import { EconomicReleaseResolver } from './economic-release-resolver.ts'
import { EconomicSeriesResolver } from './economic-series-resolver.ts'
import type { EconomicReleaseStore, ObservationStore, SeriesStore } from './economic-stores.ts'
import { FreshnessResolver } from './freshness-resolver.ts'
import { InstrumentResolver } from './instrument-resolver.ts'
import { LiveResolver } from './live-resolver.ts'
import { type Loaders, openLoaders } from './loaders.ts'
import { ObservationPages } from './observation-pages.ts'
import { ObservationResolver } from './observation-resolver.ts'
import { QuoteResolver } from './quote-resolver.ts'
import type { BarStore, DataQualityStore, InstrumentStore, QuoteStore, UpdatePlanStore } from './stores.ts'

export interface MarketStores {
  readonly instruments: InstrumentStore
  readonly quotes: QuoteStore
  readonly bars: BarStore
  readonly updatePlan: UpdatePlanStore
  readonly series: SeriesStore
  readonly observations: ObservationStore
  readonly releases: EconomicReleaseStore
  readonly dataQuality: DataQualityStore
}

export interface MarketSources extends MarketStores {
  readonly pubsub: PubSub
  readonly watchers: Watchers
  readonly clock: Clock
  readonly metrics: Metrics
}

/** Instruments with their quotes and bars, the economy around them, and what happens to them as it happens. */
export function buildMarket(from: MarketSources): Promise<Subgraph> {
  const loaders = openLoaders(from)
  const pages = new ObservationPages(from.observations)
  return buildSubgraph({
    name: 'market',
    resolvers: [
      new InstrumentResolver(from.instruments, loaders),
      new FreshnessResolver(loaders),
      new QuoteResolver(loaders),
      new BarResolver(from.bars, loaders, from.clock),
      new LiveResolver({ ...from, loaders }),
      new EconomicSeriesResolver(from.series, loaders, pages),
      new ObservationResolver({ ...from, loaders, pages }),
      new EconomicReleaseResolver(from.releases, from.clock),
      new DataQualityResolver({ ...from, loaders }),
    ],
    references: {
      Instrument: (references) => Promise.all(references.map((reference) => instrumentOf(reference, loaders))),
    },
  })
}

/** Another subgraph that names an instrument gets one, described or not; a key that cannot be a symbol fails alone. */
async function instrumentOf({ symbol }: Reference, loaders: Loaders): Promise<unknown> {
  try {
    const wanted = symbolOf(String(symbol))
    return (await loaders.instruments.load(wanted)) ?? undescribed(wanted)
  } catch (error) {
    return error
  }
}
