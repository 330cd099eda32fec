import { DateTime } from 'luxon'
import type { Article } from '../../../domain/article.ts'
import { isPlatformError } from '../../../domain/errors.ts'
import type { HistoricalBar } from '../../../domain/historical-bar.ts'
import type { QuoteSnapshot } from '../../../domain/quote-snapshot.ts'
import type { ItemsRead } from '../../json-answer.ts'
import type { VendorHttp } from '../../resilience/vendor-http.ts'
import { VendorError } from '../../vendor-error.ts'
import { parseBars, parseQuote, type QuoteRequest } from './parse.ts'
import { parseNews } from './parse-news.ts'
import { type Candidate, parseSearch } from './parse-search.ts'
import { toAlphaVantage } from './symbols.ts'

export const BASE_URL = 'https://www.alphavantage.co'
/** The most that NEWS_SENTIMENT gives in one answer. */
const ARTICLES_MAX = 1_000

export type IntradayInterval = '1min' | '5min'

/** One endpoint; `function` says what is asked for, and the key is put in by who sends it. */
export class AlphaVantageClient {
  readonly #http: VendorHttp
  /** Functions that the key's plan does not include: asked once, and not for every symbol. */
  readonly #refused = new Map<string, VendorError>()

  constructor(http: VendorHttp) {
    this.#http = http
  }

  quote(asked: QuoteRequest, signal: AbortSignal): Promise<ItemsRead<QuoteSnapshot>> {
    const read = (body: Buffer, receivedAtMs: number) => parseQuote(body, asked, receivedAtMs)
    return this.#ask('GLOBAL_QUOTE', { symbol: toAlphaVantage(asked.symbol) }, read, signal)
  }

  /** The newest hundred bars of regular trading. */
  bars(symbol: string, interval: IntradayInterval, signal: AbortSignal): Promise<ItemsRead<HistoricalBar>> {
    const query = { symbol: toAlphaVantage(symbol), interval, outputsize: 'compact', extended_hours: 'false' }
    const read = (body: Buffer, receivedAtMs: number) => parseBars(body, symbol, receivedAtMs)
    return this.#ask('TIME_SERIES_INTRADAY', query, read, signal)
  }

  /** The newest articles about whatever; of all that were published since, where there are not more than one answer holds. */
  news(sinceMs: number | undefined, signal: AbortSignal): Promise<ItemsRead<Article>> {
    const since = sinceMs === undefined ? undefined : DateTime.fromMillis(sinceMs, { zone: 'utc' })
    const query = { sort: 'LATEST', limit: ARTICLES_MAX, time_from: since?.toFormat("yyyyMMdd'T'HHmm") }
    return this.#ask('NEWS_SENTIMENT', query, parseNews, signal)
  }

  /** Instruments whose symbol or name is like the words, the best match first. */
  search(keywords: string, signal: AbortSignal): Promise<ItemsRead<Candidate>> {
    return this.#ask('SYMBOL_SEARCH', { keywords }, parseSearch, signal)
  }

  async #ask<T>(
    name: string,
    query: Readonly<Record<string, string | number | undefined>>,
    read: (body: Buffer, receivedAtMs: number) => T,
    signal: AbortSignal,
  ): Promise<T> {
    const refused = this.#refused.get(name)
    if (refused) throw refused
    try {
      return await this.#http.get(
        { path: '/query', query: { function: name, ...query } },
        ({ body, receivedAtMs }) => read(body, receivedAtMs),
        signal,
      )
    } catch (error) {
      if (error instanceof VendorError && isPlatformError(error, 'VENDOR_REFUSED') && !error.ofKey)
        this.#refused.set(name, error)
      throw error
    }
  }
}
