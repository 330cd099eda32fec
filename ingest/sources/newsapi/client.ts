import type { NameMatcher } from '../../../domain/name-matcher.ts'
import type { VendorHttp } from '../../resilience/vendor-http.ts'
import { type ArticlesRead, parseArticles } from './parse.ts'

export const BASE_URL = 'https://newsapi.org/v2'
/** The longest `q`. */
export const QUERY_LENGTH_MAX = 500
/** The largest page; a developer's key sees no second one. */
const PAGE_SIZE = 100

export class NewsApiClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  /** The newest articles that the query finds, of those published since. */
  everything(query: string, sinceMs: number, names: NameMatcher, signal: AbortSignal): Promise<ArticlesRead> {
    const from = new Date(sinceMs).toISOString().slice(0, 19)
    return this.#ask('/everything', { q: query, from, language: 'en', sortBy: 'publishedAt' }, names, signal)
  }

  businessHeadlines(names: NameMatcher, signal: AbortSignal): Promise<ArticlesRead> {
    return this.#ask('/top-headlines', { country: 'us', category: 'business' }, names, signal)
  }

  #ask(
    path: string,
    query: Readonly<Record<string, string>>,
    names: NameMatcher,
    signal: AbortSignal,
  ): Promise<ArticlesRead> {
    return this.#http.get(
      { path, query: { ...query, pageSize: PAGE_SIZE } },
      ({ body, receivedAtMs }) => parseArticles(body, names, receivedAtMs),
      signal,
    )
  }
}
