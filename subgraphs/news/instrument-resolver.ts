import { Arg, FieldResolver, Int, Resolver, Root } from 'type-graphql'
import type { ArticleKind } from '../../domain/article.ts'
import { type Connection, connection, firstOf } from '../../platform/graphql/page.ts'
import { ArticleConnection, ArticleKindEnum, type ArticleObject, articleView } from './article.ts'
import { cursorOfArticle, PAGE, placeOfCursor } from './article-page.ts'
import { NewsInstrumentObject } from './instrument.ts'
import type { Loaders } from './loaders.ts'

@Resolver(() => NewsInstrumentObject)
export class InstrumentResolver {
  readonly #loaders: Loaders

  constructor(loaders: Loaders) {
    this.#loaders = loaders
  }

  @FieldResolver(() => ArticleConnection, {
    description:
      'Articles that name it, the newest first, in pages. INVALID_ARGUMENT for a foreign cursor or a page size out of bounds.',
  })
  async news(
    @Root() instrument: NewsInstrumentObject,
    @Arg('kinds', () => [ArticleKindEnum], { nullable: true, description: 'Only of these kinds.' })
    kinds: ArticleKind[] | undefined,
    @Arg('first', () => Int, {
      nullable: true,
      description: `How many at most, 1 to ${PAGE.max}; ${PAGE.byDefault} where it is not given.`,
    })
    first: number | undefined,
    @Arg('after', () => String, { nullable: true, description: 'Go on behind the edge with this cursor.' })
    after: string | undefined,
  ): Promise<Connection<ArticleObject>> {
    const page = await this.#loaders.news.load({
      symbol: instrument.symbol,
      kinds,
      first: firstOf(first, PAGE.byDefault, PAGE.max),
      after: placeOfCursor(after),
    })
    return connection(page, after, articleView, cursorOfArticle)
  }
}
