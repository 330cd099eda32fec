import type { Article } from '../../../domain/article.ts'
import type { BarInterval } from '../../../domain/bar.ts'
import { isPlatformError } from '../../../domain/errors.ts'
import type { HistoricalBar } from '../../../domain/historical-bar.ts'
import type { VendorHttp, VendorRequest } from '../../resilience/vendor-http.ts'
import type { TimedHistoryPrint } from '../../streaming/stream-protocol.ts'
import { VendorError } from '../../vendor-error.ts'
import { isTooEarly } from './errors.ts'
import { type MarketDay, type Page, parseBars, parseMarketDay, parseNews, parseTrades } from './parse.ts'

/** Polygon.io has been called Massive since October 2025; keys and answers are the same at both addresses. */
export const BASE_URL = 'https://api.massive.com'
/** The most that are counted into one answer. */
const BARS_PER_PAGE = 50_000
const TRADES_PER_PAGE = 50_000
const ARTICLES_PER_PAGE = 1_000

export type PolygonInterval = Extract<BarInterval, '1m' | '1d'>
const TIMESPANS: Readonly<Record<PolygonInterval, string>> = { '1m': 'minute', '1d': 'day' }

export interface BarsRequest {
  readonly symbol: string
  readonly interval: PolygonInterval
  /** Milliseconds since 1970 UTC, or a day like `2026-11-20`; both ends belong to it. */
  readonly from: number | string
  readonly to: number | string
}

/** Polygon's market data over HTTP. */
export class PolygonClient {
  readonly #http: VendorHttp
  /** What the key's plan does not include: asked for once, and not for every symbol. */
  readonly #refused = new Map<string, VendorError>()

  constructor(http: VendorHttp) {
    this.#http = http
  }

  /** A day like `2026-11-20` of the whole market, as far as it is wanted. */
  marketDay(date: string, isWanted: (symbol: string) => boolean, signal: AbortSignal): Promise<MarketDay> {
    const request = { path: `/v2/aggs/grouped/locale/us/market/stocks/${date}`, query: { adjusted: 'true' } }
    const read = (body: Buffer, receivedAtMs: number) => parseMarketDay(body, isWanted, receivedAtMs)
    return this.#ask('market', request, read, signal)
  }

  /** A page of the bars of one symbol, the oldest first. */
  bars(request: BarsRequest, nextUrl: string | undefined, signal: AbortSignal): Promise<Page<HistoricalBar>> {
    const { symbol, interval, from, to } = request
    const first: VendorRequest = {
      path: `/v2/aggs/ticker/${encodeURIComponent(symbol)}/range/1/${TIMESPANS[interval]}/${from}/${to}`,
      query: { adjusted: 'true', sort: 'asc', limit: BARS_PER_PAGE },
    }
    const read = (body: Buffer, receivedAtMs: number) => parseBars(body, interval, receivedAtMs)
    return this.#ask(interval, nextUrl === undefined ? first : followed(nextUrl), read, signal)
  }

  /** A page of the trades of one symbol on all exchanges, from then until now. */
  trades(
    symbol: string,
    fromMs: number,
    nextUrl: string | undefined,
    signal: AbortSignal,
  ): Promise<Page<TimedHistoryPrint>> {
    const first: VendorRequest = {
      path: `/v3/trades/${encodeURIComponent(symbol)}`,
      query: { 'timestamp.gte': `${fromMs}000000`, order: 'asc', sort: 'timestamp', limit: TRADES_PER_PAGE },
    }
    const read = (body: Buffer) => parseTrades(body, symbol)
    return this.#ask('trades', nextUrl === undefined ? first : followed(nextUrl), read, signal)
  }

  /** A page of all news that were published since, the oldest first. */
  news(sinceMs: number, nextUrl: string | undefined, signal: AbortSignal): Promise<Page<Article>> {
    const first: VendorRequest = {
      path: '/v2/reference/news',
      query: {
        'published_utc.gte': new Date(sinceMs).toISOString(),
        order: 'asc',
        sort: 'published_utc',
        limit: ARTICLES_PER_PAGE,
      },
    }
    return this.#ask('news', nextUrl === undefined ? first : followed(nextUrl), parseNews, signal)
  }

  async #ask<T>(
    what: string,
    request: VendorRequest,
    read: (body: Buffer, receivedAtMs: number) => T,
    signal: AbortSignal,
  ): Promise<T> {
    const refused = this.#refused.get(what)
    if (refused) throw refused
    try {
      return await this.#http.get(request, ({ body, receivedAtMs }) => read(body, receivedAtMs), signal)
    } catch (error) {
      if (!(error instanceof VendorError) || !isPlatformError(error, 'VENDOR_REFUSED') || error.ofKey) throw error
      // Nothing to put aside and nothing to give up: it is asked for again, ever later.
      if (isTooEarly(error)) throw new VendorError('VENDOR_ANSWER', error.message)
      this.#refused.set(what, error)
      throw error
    }
  }
}

/**
 * Where a list goes on is told with a host: its old name, or of somebody who says he is Polygon. Keys go to the address that
 * was configured, so only what stands behind the host is followed.
 */
function followed(nextUrl: string): VendorRequest {
  const url = URL.parse(nextUrl)
  if (url === null) throw new VendorError('VENDOR_ANSWER', 'Polygon told an address to go on at that is none')
  return { path: url.pathname, query: Object.fromEntries(url.searchParams) }
}
