import type { GraphQLResolveInfo } from 'graphql'
import { Arg, ID, Resolver, Root, Subscription } from 'type-graphql'
import type { Article, ArticleKind } from '../../domain/article.ts'
import { resolverOf } from '../../platform/graphql/subgraph.ts'
import { symbolsOf } from '../../platform/graphql/symbols.ts'
import type { Watchers } from '../../platform/graphql/watchers.ts'
import type { Metrics } from '../../platform/metrics.ts'
import { listen } from '../../platform/pubsub/listener-queue.ts'
import { EVERY_KEY, type PubSub } from '../../platform/pubsub/pubsub.ts'
import { ArticleKindEnum, ArticleObject, articleView } from './article.ts'
import type { InstrumentStore } from './stores.ts'

const SYMBOLS_MAX = 100
/** Articles of one subscription that may wait to be resolved; beyond it the oldest are dropped and counted. */
const ARTICLES_WAITING_MAX = 1_000

interface Wanted {
  readonly symbols?: readonly string[]
  readonly kinds?: readonly ArticleKind[]
}

export interface LiveSources {
  readonly instruments: InstrumentStore
  readonly pubsub: PubSub
  readonly watchers: Watchers
  readonly metrics: Metrics
}

@Resolver()
export class LiveResolver {
  readonly #from: LiveSources

  constructor(from: LiveSources) {
    this.#from = from
  }

  @Subscription(() => ArticleObject, {
    description:
      'Each new article from now on, once; stored before it is told. INVALID_ARGUMENT for a malformed symbol.',
    subscribe: ({ args, info }: { args: Wanted; info: GraphQLResolveInfo }) =>
      resolverOf(info.schema, LiveResolver).listenToArticles(args),
  })
  articles(
    @Root() article: Article,
    @Arg('symbols', () => [ID], {
      nullable: true,
      description: `Only those that name one of these, 1 to ${SYMBOLS_MAX}; lower case is accepted. All where it is not given.`,
    })
    _symbols: string[] | undefined,
    @Arg('kinds', () => [ArticleKindEnum], { nullable: true, description: 'Only of these kinds.' })
    _kinds: ArticleKind[] | undefined,
  ): ArticleObject {
    return articleView(article)
  }

  async listenToArticles({ symbols, kinds }: Wanted): Promise<AsyncIterable<Article>> {
    const wanted = symbols ? symbolsOf(symbols, 1, SYMBOLS_MAX) : []
    const keys = symbols ? wanted : [EVERY_KEY]
    const channels = keys.map((key) => ({ channel: 'article', key }) as const)
    const { instruments, pubsub, watchers, metrics } = this.#from
    // Sources spend requests on what is watched, so nobody can make them ask for what is no instrument.
    const known = await instruments.find(wanted)
    const articles = await listen(pubsub, channels, {
      keep: 'all',
      limit: ARTICLES_WAITING_MAX,
      metrics,
      only: (article, key) => (!kinds || kinds.includes(article.kind)) && key === firstKey(article, keys),
    })
    articles.onReturn(watchers.watch(wanted.filter((symbol) => known.has(symbol))))
    return articles
  }
}

/** An article that names several of the symbols is told under each of them, and heard under the first. */
const firstKey = ({ symbols }: Article, keys: readonly string[]): string =>
  symbols.find((symbol) => keys.includes(symbol)) ?? EVERY_KEY
