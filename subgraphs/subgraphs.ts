import type { Clock } from '../platform/clock.ts'
import type { Subgraph } from '../platform/graphql/subgraph.ts'
import type { Watchers } from '../platform/graphql/watchers.ts'
import type { Metrics } from '../platform/metrics.ts'
import type { PubSub } from '../platform/pubsub/pubsub.ts'
import { Articles } from '../platform/store/articles.ts'
import { Bars } from '../platform/store/bars.ts'
import { DataQualityEvents } from '../platform/store/data-quality.ts'
import type { Database } from '../platform/store/database.ts'
import { EconomicReleases } from '../platform/store/economic-releases.ts'
import { EconomicSeriesStore } from '../platform/store/economic-series.ts'
import { Instruments } from '../platform/store/instruments.ts'
import { Observations } from '../platform/store/observations.ts'
import { Quotes } from '../platform/store/quotes.ts'
import { UpdatePlan } from '../platform/store/update-plan.ts'

export const SUBGRAPHS = ['market', 'news'] as const
export type SubgraphName = (typeof SUBGRAPHS)[number]

export interface SubgraphSources {
  readonly database: Database
  readonly pubsub: PubSub
  readonly watchers: Watchers
  readonly clock: Clock
  readonly metrics: Metrics
}

/** Loaded when one is built: a process that serves none starts the faster for it. */
const BUILDERS: Readonly<Record<SubgraphName, (from: SubgraphSources) => Promise<Subgraph>>> = {
  market: async ({ database, ...around }) => {
    const { buildMarket } = await import('./market/market.ts')
    return buildMarket({
      ...around,
      instruments: new Instruments(database),
      quotes: new Quotes(database),
      bars: new Bars(database),
      updatePlan: new UpdatePlan(database),
      series: new EconomicSeriesStore(database),
      observations: new Observations(database),
      releases: new EconomicReleases(database),
      dataQuality: new DataQualityEvents(database),
    })
  },
  news: async ({ database, ...around }) => {
    const { buildNews } = await import('./news/news.ts')
    return buildNews({ ...around, articles: new Articles(database), instruments: new Instruments(database) })
  },
}

/** One subgraph over the store of the platform. */
export const buildSubgraphNamed = (name: SubgraphName, from: SubgraphSources): Promise<Subgraph> => BUILDERS[name](from)
