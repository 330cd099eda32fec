import DataLoader from 'dataloader'
import type { Article, ArticleKind } from '../../domain/article.ts'
import { batched } from '../../platform/graphql/batched.ts'
import type { ArticlePage, ArticlePlace, ArticleStore } from './stores.ts'

/** Symbols in one query: each brings a page of its own. */
const BATCH_SIZE_MAX = 100

/** The news of one instrument of a list, as its field was asked for. */
export interface NewsWanted {
  readonly symbol: string
  readonly kinds?: readonly ArticleKind[]
  readonly first: number
  readonly after?: ArticlePlace
}

export interface Loaders {
  readonly articles: DataLoader<string, Article | undefined>
  readonly news: DataLoader<NewsWanted, ArticlePage>
}

export const openLoaders = (articles: ArticleStore): Loaders => ({
  articles: batched((ids) => articles.find(ids)),
  news: new DataLoader((wanted) => pagesOf(articles, wanted), { cache: false, maxBatchSize: BATCH_SIZE_MAX }),
})

const NOTHING: ArticlePage = { items: [], hasNext: false }

/** All instruments of a list are asked for with the same arguments, so this is one query for each field in the document. */
async function pagesOf(articles: ArticleStore, wanted: readonly NewsWanted[]): Promise<ArticlePage[]> {
  const alike = Map.groupBy(wanted, ({ symbol: _, ...rest }) => JSON.stringify(rest))
  const answers = new Map<NewsWanted, ArticlePage>()
  const ask = async (group: readonly NewsWanted[]) => {
    const [{ symbol: _, ...rest }] = group
    const pages = await articles.pagesBySymbol({ ...rest, symbols: [...new Set(group.map(({ symbol }) => symbol))] })
    for (const one of group) answers.set(one, pages.get(one.symbol) ?? NOTHING)
  }
  await Promise.all(alike.values().map(ask))
  return wanted.map((one) => answers.get(one) ?? NOTHING)
}
