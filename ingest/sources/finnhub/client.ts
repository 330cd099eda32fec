import type { Article } from '../../../domain/article.ts'
import type { QuoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import type { ItemsRead } from '../../json-answer.ts'
import { errorOfAnswer } from '../../resilience/said-error.ts'
import type { VendorHttp, VendorResponse } from '../../resilience/vendor-http.ts'
import { VendorError } from '../../vendor-error.ts'
import { errorIn, parseNews, parseQuote } from './parse.ts'
import { toFinnhub } from './symbols.ts'

export const BASE_URL = 'https://finnhub.io/api/v1'
/** Its windows are minutes: a reset that is further away is another kind of number than we take it for. */
const RESET_MS_MAX = 3_600_000

export type NewsCategory = 'general' | 'forex' | 'crypto' | 'merger'

/** The days of a question, `2026-11-20`, both of them included. */
export interface Days {
  readonly from: string
  readonly to: string
}

/** The key is put in by who sends the request. */
export class FinnhubClient {
  readonly #http: VendorHttp

  constructor(http: VendorHttp) {
    this.#http = http
  }

  quote(symbol: string, signal: AbortSignal): Promise<ItemsRead<QuoteSnapshot>> {
    const read = (body: Buffer, receivedAtMs: number) => parseQuote(body, symbol, receivedAtMs)
    return this.#ask('/quote', { symbol: toFinnhub(symbol) }, read, signal)
  }

  companyNews(symbol: string, { from, to }: Days, signal: AbortSignal): Promise<ItemsRead<Article>> {
    return this.#ask('/company-news', { symbol: toFinnhub(symbol), from, to }, parseNews, signal)
  }

  /** What came after the article of that number; without one the newest. */
  news(category: NewsCategory, afterId: number | undefined, signal: AbortSignal): Promise<ItemsRead<Article>> {
    return this.#ask('/news', { category, minId: afterId }, parseNews, signal)
  }

  #ask<T>(
    path: string,
    query: Readonly<Record<string, string | number | undefined>>,
    read: (body: Buffer, receivedAtMs: number) => T,
    signal: AbortSignal,
  ): Promise<T> {
    return this.#http.get({ path, query }, ({ body, receivedAtMs }) => read(body, receivedAtMs), signal)
  }
}

/** What an answer that is no success means, and of a limit also when it is over. */
export function errorOf(response: VendorResponse): VendorError | undefined {
  const error = errorOfAnswer(VENDORS.finnhub.title, response, errorIn)
  if (error?.code !== 'VENDOR_LIMIT' || error.retryAtMs !== undefined) return error
  const retryAtMs = resetAtMs(response)
  return retryAtMs === undefined ? error : new VendorError('VENDOR_LIMIT', error.message, { retryAtMs })
}

/** `X-Ratelimit-Reset` is a second of the vendor's own clock, which its `Date` header tells. */
function resetAtMs({ headers, receivedAtMs }: VendorResponse): number | undefined {
  const resetMs = Number(headers['x-ratelimit-reset']) * 1_000
  const theirNowMs = Date.parse(headers.date ?? '')
  const waitMs = resetMs - (Number.isNaN(theirNowMs) ? receivedAtMs : theirNowMs)
  return waitMs >= 0 && waitMs <= RESET_MS_MAX ? receivedAtMs + waitMs : undefined
}
