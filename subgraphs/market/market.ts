import { symbolOf, undescribed } from '../../domain/instrument.ts'
import type { Clock } from '../../platform/clock.ts'
import type { Reference } from '../../platform/graphql/entities.ts'
import { buildSubgraph, type Subgraph } from '../../platform/graphql/subgraph.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { PubSub } from '../../platform/pubsub/pubsub.ts'
import { BarResolver } from './bar-resolver.ts'
import { InstrumentResolver } from './instrument-resolver.ts'
import { LiveResolver } from './live-resolver.ts'
import { type Loaders, openLoaders } from './loaders.ts'
import { QuoteResolver } from './quote-resolver.ts'
import type { BarStore, InstrumentStore, QuoteStore } from './stores.ts'

export interface MarketSources {
  readonly instruments: InstrumentStore
  readonly quotes: QuoteStore
  readonly bars: BarStore
  readonly pubsub: PubSub
  readonly clock: Clock
  readonly metrics: Metrics
}

/** Instruments with their quotes and bars, and what happens to them as it happens. */
export function buildMarket(from: MarketSources): Promise<Subgraph> {
  const loaders = openLoaders(from.instruments, from.quotes)
  return buildSubgraph({
    name: 'market',
    resolvers: [
      new InstrumentResolver(from.instruments, loaders),
      new QuoteResolver(loaders),
      new BarResolver(from.bars, loaders, from.clock),
      new LiveResolver({ ...from, loaders }),
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
