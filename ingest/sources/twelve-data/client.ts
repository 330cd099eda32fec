import type { HistoricalBar } from '../../../domain/historical-bar.ts'
import type { QuoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { errorOfAnswer } from '../../resilience/said-error.ts'
import type { VendorHttp, VendorResponse } from '../../resilience/vendor-http.ts'
import type { VendorError } from '../../vendor-error.ts'
import { errorIn, parseQuote, parseSeries, toTwelveData } from './parse.ts'

export const BASE_URL = 'https://api.twelvedata.com'
/** The most that one answer holds; it costs a credit however many there are. */
export const BARS_MAX = 5_000

export type SeriesInterval = '1m' | '1d'
const INTERVALS: Readonly<Record<SeriesInterval, string>> = { '1m': '1min', '1d': '1day' }

/** The key is put in by who sends the request. Each is about one symbol and so costs one credit. */
export class TwelveDataClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  quote(symbol: string, signal: AbortSignal): Promise<ItemsRead<QuoteSnapshot>> {
    return this.#http.get(
      { path: '/quote', query: { symbol: toTwelveData(symbol) } },
      ({ body, receivedAtMs }) => parseQuote(body, receivedAtMs),
      signal,
    )
  }

  /** The newest bars, so many. */
  series(
    symbol: string,
    interval: SeriesInterval,
    count: number,
    signal: AbortSignal,
  ): Promise<ItemsRead<HistoricalBar>> {
    const query = {
      symbol: toTwelveData(symbol),
      interval: INTERVALS[interval],
      outputsize: Math.min(count, BARS_MAX),
      timezone: 'UTC',
    }
    return this.#http.get(
      { path: '/time_series', query },
      ({ body, receivedAtMs }) => parseSeries(body, interval, receivedAtMs),
      signal,
    )
  }
}

export const errorOf = (response: VendorResponse): VendorError | undefined =>
  errorOfAnswer(VENDORS['twelve-data'].title, response, (value, body) => errorIn(value, response.receivedAtMs, body))
