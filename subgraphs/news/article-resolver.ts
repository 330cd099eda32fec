import { Arg, ID, Int, Query, Resolver } from 'type-graphql'
import type { Article, ArticleKind } from '../../domain/article.ts'
import { PlatformError } from '../../domain/errors.ts'
import { DateTime } from '../../platform/graphql/date-time.ts'
import { type Connection, connection, firstOf } from '../../platform/graphql/page.ts'
import { requireSpan } from '../../platform/graphql/span.ts'
import { symbolsOf } from '../../platform/graphql/symbols.ts'
import { ArticleConnection, ArticleKindEnum, ArticleObject, articleView } from './article.ts'
import { cursorOfArticle, PAGE, placeOfCursor } from './article-page.ts'
import type { Loaders } from './loaders.ts'
import type { ArticleStore } from './stores.ts'

const SYMBOLS_MAX = 100
const SOURCES_MAX = 20

@Resolver(() => ArticleObject)
export class ArticleResolver {
  readonly #articles: ArticleStore
  readonly #loaders: Loaders

  constructor(articles: ArticleStore, loaders: Loaders) {
    this.#articles = articles
    this.#loaders = loaders
  }

  @Query(() => ArticleConnection, {
    description:
      'Articles of every source, the newest first, in pages. INVALID_ARGUMENT for a malformed symbol, a foreign cursor, a page size out of bounds or a `from` that is not before `to`.',
  })
  async articles(
    @Arg('symbols', () => [ID], {
      nullable: true,
      description: `Only those that name one of these, 1 to ${SYMBOLS_MAX}; lower case is accepted.`,
    })
    symbols: string[] | undefined,
    @Arg('kinds', () => [ArticleKindEnum], { nullable: true, description: 'Only of these kinds.' })
    kinds: ArticleKind[] | undefined,
    @Arg('sources', () => [String], {
      nullable: true,
      description: `Only of these sources, 1 to ${SOURCES_MAX}, e.g. sec-edgar.`,
    })
    sources: string[] | undefined,
    @Arg('from', () => DateTime, { nullable: true, description: 'Published then or later.' })
    from: Date | undefined,
    @Arg('to', () => DateTime, { nullable: true, description: 'Published before then.' })
    to: Date | undefined,
    @Arg('first', () => Int, {
      nullable: true,
      description: `How many at most, 1 to ${PAGE.max}; ${PAGE.byDefault} where it is not given.`,
    })
    first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: 'Go on behind the edge with this cursor.' })
    after: string | undefined,
  ): Promise<Connection<ArticleObject>> {
    requireSpan(from?.getTime(), to?.getTime())
    if (sources && (sources.length < 1 || sources.length > SOURCES_MAX))
      throw new PlatformError(
        'INVALID_ARGUMENT',
        `sources must name 1 to ${SOURCES_MAX} sources, named ${sources.length}`,
      )
    const page = await this.#articles.page({
      symbols: symbols && symbolsOf(symbols, 1, SYMBOLS_MAX),
      kinds,
      sources,
      fromMs: from?.getTime(),
      toMs: to?.getTime(),
      first: firstOf(first, PAGE.byDefault, PAGE.max),
      after: placeOfCursor(after),
    })
    return connection(page, after, articleView, cursorOfArticle)
  }

  @Query(() => ArticleObject, { nullable: true, description: 'One article; null where there is none with the id.' })
  async article(
    @Arg('id', () => ID, { description: 'Its id, as `Article.id` told it.' }) id: string,
  ): Promise<ArticleObject | undefined> {
    const article: Article | undefined = await this.#loaders.articles.load(id)
    return article && articleView(article)
  }
}
