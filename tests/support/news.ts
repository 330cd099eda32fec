import type { Article } from '../../domain/article.ts'
import type { Subgraph } from '../../platform/graphql/subgraph.ts'
import { buildNews, type NewsSources } from '../../subgraphs/news/news.ts'
import type { ArticlePage, ArticlePlace } from '../../subgraphs/news/stores.ts'
import { aFiling, anArticle, FRIDAY_MS } from './facts.ts'

/** Newest first: one of nobody, one of two companies, a filing of AAPL, one of AAPL. */
export const ARTICLES: readonly Article[] = [
  anArticle({ id: 'rss:fed', kind: 'CENTRAL_BANK', headline: 'Rates stay', symbols: [] }),
  anArticle({ id: 'rss:both', headline: 'Two of them', symbols: ['MSFT', 'AAPL'], publishedAtMs: FRIDAY_MS - 1_000 }),
  aFiling({ publishedAtMs: FRIDAY_MS - 2_000 }),
  anArticle({ id: 'newsapi:moon', publishedAtMs: FRIDAY_MS - 3_000 }),
]

export interface FakeNews {
  readonly subgraph: Subgraph
  /** How many queries for the pages of instruments there were. */
  asked: number
}

/** The news subgraph over a store in memory. */
export async function fakeNews(around: Omit<NewsSources, 'articles' | 'instruments'>): Promise<FakeNews> {
  const page = (rows: readonly Article[], first: number, after?: ArticlePlace): ArticlePage => {
    const rest = after ? rows.filter(({ publishedAtMs }) => publishedAtMs < after.publishedAtMs) : rows
    return { items: rest.slice(0, first), hasNext: rest.length > first }
  }
  const subgraph = await buildNews({
    ...around,
    instruments: {
      find: async (symbols) => new Map(symbols.filter((symbol) => symbol !== 'NEW').map((symbol) => [symbol, true])),
    },
    articles: {
      find: async (ids) => new Map(ARTICLES.filter(({ id }) => ids.includes(id)).map((one) => [one.id, one])),
      page: async ({ symbols, kinds, sources, fromMs = 0, toMs = Number.POSITIVE_INFINITY, first, after }) =>
        page(
          ARTICLES.filter(
            (one) =>
              (!symbols || symbols.some((symbol) => one.symbols.includes(symbol))) &&
              (kinds?.includes(one.kind) ?? true) &&
              (sources?.includes(one.source) ?? true) &&
              one.publishedAtMs >= fromMs &&
              one.publishedAtMs < toMs,
          ),
          first,
          after,
        ),
      pagesBySymbol: async ({ symbols, kinds, first, after }) => {
        news.asked++
        const named = (symbol: string) =>
          ARTICLES.filter((one) => one.symbols.includes(symbol) && (kinds?.includes(one.kind) ?? true))
        return new Map(symbols.map((symbol) => [symbol, page(named(symbol), first, after)]))
      },
    },
  })
  const news: FakeNews = { subgraph, asked: 0 }
  return news
}
