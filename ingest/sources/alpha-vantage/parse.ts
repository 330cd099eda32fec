import { DateTime, IANAZone } from 'luxon'
import { z } from 'zod'
import { type Article, article, SYMBOLS_PER_ARTICLE_MAX } from '../../../domain/article.ts'
import { BAR_INTERVAL_MS, type BarInterval } from '../../../domain/bar.ts'
import { PlatformError } from '../../../domain/errors.ts'
import { type HistoricalBar, historicalBar } from '../../../domain/historical-bar.ts'
import type { AssetClass } from '../../../domain/instrument.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { canonicalUrl, idOfUrl } from '../../canonical-url.ts'
import { localDate, localTimeMs, usCloseMs } from '../../exchange-clock.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { plainText } from '../../plain-text.ts'
import { VendorError } from '../../vendor-error.ts'
import { answerOf, saysNoArticles, VENDOR } from './notices.ts'
import { fromAlphaVantage, listingOf } from './symbols.ts'

const SOURCE = 'alpha-vantage'
const { licence } = VENDORS[SOURCE]
const DELAYED_BY_MS = 15 * 60_000
const HEADLINE_LENGTH_MAX = 1_000
const SUMMARY_LENGTH_MAX = 5_000
const PUBLISHER_LENGTH_MAX = 200

/** Numbers are told as text, with dots and without thousands. */
const decimal = z.union([
  z.number(),
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, 'expected a decimal number')
    .transform(Number),
])
const date = z.string().regex(/^\d{4}-\d{2}-\d{2}$/, 'expected a date')
const invalid = (what: string) => new PlatformError('INVALID_EVENT', what)

export interface QuoteRequest {
  readonly symbol: string
  /** So many of what the price is told in make one of the currency: 100 for a London line in pence. */
  readonly unitsPerCurrency: number
}

const quoteFields = z.object({
  '01. symbol': z.string(),
  '05. price': decimal,
  '06. volume': decimal.nullish(),
  '07. latest trading day': date,
  '08. previous close': decimal.nullish(),
})
type QuoteFields = z.infer<typeof quoteFields>

/**
 * GLOBAL_QUOTE tells a day and no time: it is as of that day's close, or of now while that day still trades.
 * @throws VendorError VENDOR_UNKNOWN where the quote is empty.
 */
export function parseQuote(body: Buffer, asked: QuoteRequest, receivedAtMs: number): ItemsRead<QuoteSnapshot> {
  const answer = answerOf(body, receivedAtMs)
  const [key, quote] = entryLike(answer.as(z.record(z.string(), z.unknown())), /^Global Quote/)
  if (key === undefined) throw answer.problem('the answer holds no Global Quote')
  if (isEmpty(quote)) throw new VendorError('VENDOR_UNKNOWN', `${VENDOR} does not know ${asked.symbol}`)
  return answer.items([quote], {
    where: 'Global Quote',
    schema: quoteFields,
    // A quote that is read again alone has to know what it is told in.
    alone: (item) => ({
      [key]: item,
      ...(asked.unitsPerCurrency !== 1 && { unitsPerCurrency: asked.unitsPerCurrency }),
    }),
    read: (item) => snapshotOf(item, key, asked, receivedAtMs),
  })
}

/** Of a quote that was put aside. @throws VendorError VENDOR_ANSWER where it does not say, so that no price is made up. */
export const unitsIn = (original: Buffer): number =>
  new JsonAnswer(VENDOR, original).as(z.looseObject({ unitsPerCurrency: z.number().positive() })).unitsPerCurrency

function snapshotOf(item: QuoteFields, key: string, asked: QuoteRequest, ingestTimeMs: number): QuoteSnapshot {
  const { symbol, unitsPerCurrency } = asked
  const about = fromAlphaVantage(item['01. symbol'])
  if (about !== symbol) throw invalid(`it is about ${item['01. symbol'].slice(0, 30)}, ${symbol} was asked for`)
  const previousClose = (item['08. previous close'] ?? 0) / unitsPerCurrency
  return quoteSnapshot({
    symbol,
    source: SOURCE,
    licence,
    price: item['05. price'] / unitsPerCurrency,
    // A listing's first day has none, and says 0.
    previousClose: previousClose === 0 ? null : previousClose,
    dayVolume: item['06. volume'] ?? null,
    eventTimeMs: asOfMs(
      symbol,
      item['07. latest trading day'],
      ingestTimeMs - (/DELAYED/i.test(key) ? DELAYED_BY_MS : 0),
    ),
    ingestTimeMs,
    delayed: !/REALTIME/i.test(key),
  })
}

function asOfMs(symbol: string, day: string, newestMs: number): number {
  const { timeZone, close } = listingOf(symbol)
  const closeMs = (close === undefined ? usCloseMs(day) : undefined) ?? localTimeMs(day, close ?? '16:00', timeZone)
  if (closeMs === undefined) throw invalid(`there is no trading day ${day}`)
  return localDate(newestMs, timeZone) === day ? Math.min(closeMs, newestMs) : closeMs
}

const INTERVALS: ReadonlyMap<string, BarInterval> = new Map([
  ['1min', '1m'],
  ['5min', '5m'],
])

const intraday = z.looseObject({
  'Meta Data': z.object({ '2. Symbol': z.string(), '4. Interval': z.string(), '6. Time Zone': z.string() }),
})
const barFields = z.tuple([
  z.string().regex(/^\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2}$/, 'expected a local time'),
  z.object({ '1. open': decimal, '2. high': decimal, '3. low': decimal, '4. close': decimal, '5. volume': decimal }),
])

/** TIME_SERIES_INTRADAY, oldest first; the bar that is still being made is left out. */
export function parseBars(body: Buffer, symbol: string, receivedAtMs: number): ItemsRead<HistoricalBar> {
  const answer = answerOf(body, receivedAtMs)
  const whole = answer.as(intraday)
  const meta = whole['Meta Data']
  const [key, series] = entryLike(whole, /^Time Series/)
  const bars = z.record(z.string(), z.unknown()).safeParse(series)
  const interval = INTERVALS.get(meta['4. Interval'])
  if (key === undefined || !bars.success) throw answer.problem('the answer holds no Time Series')
  if (!IANAZone.isValidZone(meta['6. Time Zone'])) throw answer.problem('its time zone is none that is known')
  if (interval === undefined) throw answer.problem(`expected an interval of ${[...INTERVALS.keys()].join(' or ')}`)
  if (fromAlphaVantage(meta['2. Symbol']) !== symbol)
    throw answer.problem(`it is about ${meta['2. Symbol'].slice(0, 30)}, ${symbol} was asked for`)
  return answer.items(Object.entries(bars.data).toReversed(), {
    where: key,
    schema: barFields,
    alone: (item) => ({ 'Meta Data': meta, [key]: Object.fromEntries([item as [string, unknown]]) }),
    read: ([stamp, fields]) => {
      const startMs = DateTime.fromSQL(stamp, { zone: meta['6. Time Zone'] }).toMillis()
      if (startMs + BAR_INTERVAL_MS[interval] > receivedAtMs) return undefined
      return historicalBar({
        symbol,
        interval,
        startMs,
        open: fields['1. open'],
        high: fields['2. high'],
        low: fields['3. low'],
        close: fields['4. close'],
        volume: fields['5. volume'],
        trades: null,
        source: SOURCE,
        licence,
        ingestTimeMs: receivedAtMs,
      })
    },
  })
}

const mood = z.object({ ticker: z.string(), relevance_score: decimal.catch(0) })
const newsFields = z.object({
  title: z.string(),
  url: z.string(),
  time_published: z.string(),
  summary: z.string().nullish(),
  source: z.string().nullish(),
  overall_sentiment_score: decimal.nullish().catch(null),
  overall_sentiment_label: z.string().nullish().catch(null),
  ticker_sentiment: z.array(mood).nullish(),
})
type NewsFields = z.infer<typeof newsFields>

/** NEWS_SENTIMENT. */
export function parseNews(body: Buffer, receivedAtMs: number): ItemsRead<Article> {
  const answer = answerOf(body, receivedAtMs)
  if (saysNoArticles(answer)) return { facts: [], rejects: [] }
  const { feed } = answer.as(z.object({ feed: z.array(z.unknown()) }))
  return answer.items(feed, {
    where: 'feed',
    schema: newsFields,
    alone: (item) => ({ feed: [item] }),
    read: (item) => articleOf(item, receivedAtMs),
  })
}

const articleOf = (item: NewsFields, ingestTimeMs: number): Article =>
  article({
    id: `${SOURCE}:${idOfUrl(item.url)}`,
    source: SOURCE,
    licence,
    kind: 'NEWS',
    headline: plainText(item.title, HEADLINE_LENGTH_MAX),
    summary: plainText(item.summary ?? '', SUMMARY_LENGTH_MAX),
    url: canonicalUrl(item.url),
    publisher: plainText(item.source ?? '', PUBLISHER_LENGTH_MAX) || VENDOR,
    language: 'en',
    publishedAtMs: utcMs(item.time_published),
    ingestTimeMs,
    symbols: symbolsOf(item.ticker_sentiment ?? []),
    vendorSentiment: item.overall_sentiment_score ?? moodOf(item.overall_sentiment_label ?? ''),
    filing: null,
  })

/** `20261120T143000`, UTC. */
function utcMs(stamp: string): number {
  const time = DateTime.fromFormat(stamp, stamp.length > 13 ? "yyyyMMdd'T'HHmmss" : "yyyyMMdd'T'HHmm", { zone: 'utc' })
  if (!time.isValid) throw invalid(`time_published must be like 20261120T143000, was ${stamp.slice(0, 30)}`)
  return time.toMillis()
}

const symbolsOf = (moods: readonly z.infer<typeof mood>[]): string[] => {
  const symbols = moods
    .toSorted((a, b) => b.relevance_score - a.relevance_score)
    .map(({ ticker }) => fromAlphaVantage(ticker))
    .filter((symbol) => symbol !== undefined)
  return [...new Set(symbols)].slice(0, SYMBOLS_PER_ARTICLE_MAX)
}

/** The middle of what Alpha Vantage means by the word; its documentation and its answers write some of them differently. */
const MOODS: ReadonlyMap<string, number> = new Map([
  ['bearish', -0.5],
  ['somewhat-bearish', -0.25],
  ['neutral', 0],
  ['somewhat-bullish', 0.25],
  ['bullish', 0.5],
])
const moodOf = (label: string): number | null => MOODS.get(label.toLowerCase().replaceAll(/[_ ]/g, '-')) ?? null

/** An instrument as the search describes it. */
export interface Candidate {
  readonly symbol: string
  readonly name: string
  readonly assetClass: AssetClass
  /** ISO 4217. */
  readonly currency: string
  readonly unitsPerCurrency: number
  readonly region: string
  /** From 0 to 1: how well it fits the words. */
  readonly match: number
}

const CLASSES: ReadonlyMap<string, AssetClass> = new Map([
  ['equity', 'EQUITY'],
  ['etf', 'ETF'],
])
const matchFields = z.object({
  '1. symbol': z.string(),
  '2. name': z.string(),
  '3. type': z.string(),
  '4. region': z.string(),
  '8. currency': z.string(),
  '9. matchScore': decimal,
})

/** SYMBOL_SEARCH, the best match first. What has no symbol of the platform's form is left out. */
export function parseSearch(body: Buffer, receivedAtMs: number): ItemsRead<Candidate> {
  const answer = answerOf(body, receivedAtMs)
  const { bestMatches } = answer.as(z.object({ bestMatches: z.array(z.unknown()) }))
  return answer.items(bestMatches, {
    where: 'bestMatches',
    schema: matchFields,
    alone: (item) => ({ bestMatches: [item] }),
    read: (item) => {
      const symbol = fromAlphaVantage(item['1. symbol'])
      const name = plainText(item['2. name'], 200)
      if (symbol === undefined || name === '') return undefined
      const isPence = item['8. currency'] === 'GBX'
      return {
        symbol,
        name,
        assetClass: CLASSES.get(item['3. type'].toLowerCase()) ?? 'UNKNOWN',
        currency: isPence ? 'GBP' : item['8. currency'],
        unitsPerCurrency: isPence ? 100 : 1,
        region: plainText(item['4. region'], 100),
        match: item['9. matchScore'],
      }
    },
  })
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** Keys embed what was asked for, and what plan answered: they are known by how they begin. */
const entryLike = (answer: Readonly<Record<string, unknown>>, pattern: RegExp): [string | undefined, unknown] =>
  Object.entries(answer).find(([key]) => pattern.test(key)) ?? [undefined, undefined]
