import type { Article } from '../../../domain/article.ts'
import type { BarInterval } from '../../../domain/bar.ts'
import { isPlatformError } from '../../../domain/errors.ts'
import type { HistoricalBar } from '../../../domain/historical-bar.ts'
import type { QuoteSnapshot } from '../../../domain/quote-snapshot.ts'
import type { ItemsRead } from '../../json-answer.ts'
import type { VendorHttp, VendorRequest } from '../../resilience/vendor-http.ts'
import type { TimedHistoryPrint } from '../../streaming/stream-protocol.ts'
import { VendorError } from '../../vendor-error.ts'
import { symbolsIn } from './errors.ts'
import { type Page, parseBars, parseNews, parseSnapshots, parseTrades } from './parse.ts'

export const BASE_URL = 'https://data.alpaca.markets'
/** A request that names more would have too long an address. */
export const SYMBOLS_PER_REQUEST = 100
const BARS_PER_PAGE = 10_000
const TRADES_PER_PAGE = 10_000
const ARTICLES_PER_PAGE = 50

export type AlpacaInterval = Extract<BarInterval, '1m' | '1d'>
const TIMEFRAMES: Readonly<Record<AlpacaInterval, string>> = { '1m': '1Min', '1d': '1Day' }

export interface BarsRequest {
  readonly symbols: readonly string[]
  readonly interval: AlpacaInterval
  readonly fromMs: number
  readonly untilMs: number
}

type Query = NonNullable<VendorRequest['query']>

/** Alpaca's market data over HTTP. */
export class AlpacaClient {
  readonly #http: VendorHttp
  readonly #leftOut: (symbol: string, why: string) => void
  /** One name that Alpaca does not know makes it refuse all that are asked for with it. */
  readonly #unknown = new Set<string>()
  /** Bars of all exchanges are free once they are a quarter of an hour old; a plan without them has those of one. */
  #tape: 'sip' | 'iex' = 'sip'

  /** `leftOut` hears of each symbol that is not asked for any more. */
  constructor(http: VendorHttp, leftOut: (symbol: string, why: string) => void) {
    this.#http = http
    this.#leftOut = leftOut
  }

  /** The last trades on IEX, as they are now. */
  snapshots(symbols: readonly string[], signal: AbortSignal): Promise<ItemsRead<QuoteSnapshot>> {
    return this.#ofSymbols('/v2/stocks/snapshots', symbols, { feed: 'iex' }, parseSnapshots, signal)
  }

  /** A page of bars, symbol by symbol. At most two requests. */
  async bars(request: BarsRequest, pageToken: string | undefined, signal: AbortSignal): Promise<Page<HistoricalBar>> {
    try {
      return await this.#bars(request, pageToken, signal)
    } catch (error) {
      const isOfPlan = error instanceof VendorError && isPlatformError(error, 'VENDOR_REFUSED') && !error.ofKey
      if (!isOfPlan || this.#tape === 'iex') throw error
      this.#tape = 'iex'
      // A token is of the list it came with.
      return this.#bars(request, undefined, signal)
    }
  }

  /** A page of trades on IEX from then until now, symbol by symbol. */
  trades(
    symbols: readonly string[],
    fromMs: number,
    pageToken: string | undefined,
    signal: AbortSignal,
  ): Promise<Page<TimedHistoryPrint>> {
    const query = { start: iso(fromMs), limit: TRADES_PER_PAGE, feed: 'iex', sort: 'asc', page_token: pageToken }
    return this.#ofSymbols('/v2/stocks/trades', symbols, query, parseTrades, signal)
  }

  /** A page of all news that were published or changed since, the oldest first. */
  news(sinceMs: number, pageToken: string | undefined, signal: AbortSignal): Promise<Page<Article>> {
    const query = { start: iso(sinceMs), sort: 'asc', limit: ARTICLES_PER_PAGE, page_token: pageToken }
    return this.#get('/v1beta1/news', query, parseNews, signal)
  }

  #bars(
    { symbols, interval, fromMs, untilMs }: BarsRequest,
    pageToken: string | undefined,
    signal: AbortSignal,
  ): Promise<Page<HistoricalBar>> {
    const query = {
      timeframe: TIMEFRAMES[interval],
      start: iso(fromMs),
      end: iso(untilMs),
      limit: BARS_PER_PAGE,
      adjustment: 'split',
      feed: this.#tape,
      sort: 'asc',
      page_token: pageToken,
    }
    const read = (body: Buffer, receivedAtMs: number) => parseBars(body, interval, receivedAtMs)
    return this.#ofSymbols('/v2/stocks/bars', symbols, query, read, signal)
  }

  /** Asks again without those that Alpaca says it does not know. @throws VENDOR_UNKNOWN where none is left. */
  async #ofSymbols<T>(
    path: string,
    symbols: readonly string[],
    query: Query,
    read: (body: Buffer, receivedAtMs: number) => T,
    signal: AbortSignal,
  ): Promise<T> {
    for (;;) {
      const asked = symbols.filter((symbol) => !this.#unknown.has(symbol))
      if (asked.length === 0) throw new VendorError('VENDOR_UNKNOWN', `Alpaca knows none of ${symbols.join(', ')}`)
      try {
        return await this.#get(path, { symbols: asked.join(','), ...query }, read, signal)
      } catch (error) {
        const named = isPlatformError(error, 'VENDOR_UNKNOWN') ? symbolsIn(error.message, asked) : []
        if (named.length === 0 || !(error instanceof VendorError)) throw error
        for (const symbol of named) {
          this.#unknown.add(symbol)
          this.#leftOut(symbol, error.message)
        }
      }
    }
  }

  #get<T>(
    path: string,
    query: Query,
    read: (body: Buffer, receivedAtMs: number) => T,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#http.get({ path, query }, ({ body, receivedAtMs }) => read(body, receivedAtMs), signal)
  }
}

const iso = (timeMs: number): string => new Date(timeMs).toISOString()
