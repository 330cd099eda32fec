import { symbolOf } from '../../domain/instrument.ts'
import { buildSubgraph, type Subgraph } from '../../platform/graphql/subgraph.ts'
import type { Watchers } from '../../platform/graphql/watchers.ts'
import type { Metrics } from '../../platform/metrics.ts'
import type { PubSub } from '../../platform/pubsub/pubsub.ts'
import { articleView } from './article.ts'
import { ArticleResolver } from './article-resolver.ts'
import { InstrumentResolver } from './instrument-resolver.ts'
import { LiveResolver } from './live-resolver.ts'
import { openLoaders } from './loaders.ts'
import type { ArticleStore, InstrumentStore } from './stores.ts'

export interface NewsSources {
  readonly articles: ArticleStore
  readonly instruments: InstrumentStore
  readonly pubsub: PubSub
  readonly watchers: Watchers
  readonly metrics: Metrics
}

/** What is published about instruments and the economy, and what is published as it happens. */
export function buildNews(from: NewsSources): Promise<Subgraph> {
  const loaders = openLoaders(from.articles)
  return buildSubgraph({
    name: 'news',
    resolvers: [new ArticleResolver(from.articles, loaders), new InstrumentResolver(loaders), new LiveResolver(from)],
    references: {
      Article: async (references) => {
        const found = await from.articles.find([...new Set(references.map(({ id }) => String(id)))])
        return references.map(({ id }) => {
          const article = found.get(String(id))
          return article && articleView(article)
        })
      },
      Instrument: async (references) => references.map(({ symbol }) => instrumentOf(symbol)),
    },
  })
}

/** Everything that can be a symbol has news, be they none; a key that cannot be one fails alone. */
function instrumentOf(symbol: unknown): unknown {
  try {
    return { symbol: symbolOf(String(symbol)) }
  } catch (error) {
    return error
  }
}
