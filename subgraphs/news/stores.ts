import type { Article, ArticleKind } from '../../domain/article.ts'

/** Where a page of articles goes on: behind this one. */
export interface ArticlePlace {
  readonly publishedAtMs: number
  readonly id: string
}

export interface ArticlePage {
  readonly items: readonly Article[]
  readonly hasNext: boolean
}

/** Which symbols are those of instruments. */
export interface InstrumentStore {
  find(symbols: readonly string[]): Promise<ReadonlyMap<string, unknown>>
}

/** What this subgraph asks of the store. `platform/store` answers; tests answer from memory. */
export interface ArticleStore {
  /** Those that exist, by id. */
  find(ids: readonly string[]): Promise<Map<string, Article>>
  /** Newest first, and by id where two are of one moment: `fromMs <= publishedAtMs < toMs`. Each list: any of these. */
  page(query: {
    readonly symbols?: readonly string[]
    readonly kinds?: readonly ArticleKind[]
    readonly sources?: readonly string[]
    readonly fromMs?: number
    readonly toMs?: number
    readonly first: number
    readonly after?: ArticlePlace
  }): Promise<ArticlePage>
  /** A page like that for each of the symbols, in one query; symbols without an article may be left out. */
  pagesBySymbol(query: {
    readonly symbols: readonly string[]
    readonly kinds?: readonly ArticleKind[]
    readonly first: number
    readonly after?: ArticlePlace
  }): Promise<Map<string, ArticlePage>>
}
