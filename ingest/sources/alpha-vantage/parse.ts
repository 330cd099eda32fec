import { DateTime, IANAZone } from 'luxon'
import { z } from 'zod'
import { BAR_INTERVAL_MS, type BarInterval } from '../../../domain/bar.ts'
import { PlatformError } from '../../../domain/errors.ts'
import { type HistoricalBar, historicalBar } from '../../../domain/historical-bar.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { localDate, localTimeMs, usCloseMs } from '../../exchange-clock.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { VendorError } from '../../vendor-error.ts'
import { decimal } from './decimal.ts'
import { answerOf, VENDOR } from './notices.ts'
import { fromAlphaVantage, listingOf } from './symbols.ts'

const SOURCE = 'alpha-vantage'
const { licence } = VENDORS[SOURCE]
const DELAYED_BY_MS = 15 * 60_000

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

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0

/** Keys embed what was asked for, and what plan answered: they are known by how they begin. */
const entryLike = (answer: Readonly<Record<string, unknown>>, pattern: RegExp): [string | undefined, unknown] =>
  Object.entries(answer).find(([key]) => pattern.test(key)) ?? [undefined, undefined]
