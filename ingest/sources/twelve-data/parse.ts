import { z } from 'zod'
import { BAR_INTERVAL_MS, type BarInterval } from '../../../domain/bar.ts'
import { type HistoricalBar, historicalBar } from '../../../domain/historical-bar.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { VendorError } from '../../vendor-error.ts'

const { licence, title } = VENDORS['twelve-data']

const errorAnswer = z.object({ code: z.int(), message: z.string().nullish(), status: z.literal('error') })

/** The error that a body is, whatever the HTTP status; undefined where it is none. */
export function errorIn(value: unknown, receivedAtMs: number, body: Buffer): VendorError | undefined {
  const { data } = errorAnswer.safeParse(value)
  if (data === undefined) return undefined
  const message = data.message ?? ''
  const said = `${title} says ${data.code}: ${message.slice(0, 200)}`
  if (data.code === 429)
    return new VendorError('VENDOR_LIMIT', said, { retryAtMs: creditsBackAtMs(message, receivedAtMs) })
  if (data.code === 401) return new VendorError('VENDOR_REFUSED', said, { ofKey: true })
  // This plan does not include it; other things it may.
  if (data.code === 403) return new VendorError('VENDOR_REFUSED', said)
  if (data.code === 404 || /symbol.*(not found|invalid)/i.test(message)) return new VendorError('VENDOR_UNKNOWN', said)
  if (data.code >= 500) return new VendorError('VENDOR_UNAVAILABLE', said)
  return new VendorError('VENDOR_ANSWER', said, { original: body })
}

/** Credits come back with the next minute, or with the next day by UTC: the message says which ran out. */
function creditsBackAtMs(message: string, nowMs: number): number {
  const windowMs = /\bday\b|daily/i.test(message) ? 86_400_000 : 60_000
  return (Math.floor(nowMs / windowMs) + 1) * windowMs
}

/** Numbers come as strings. */
const decimal = z
  .string()
  .regex(/^-?\d+(\.\d+)?([eE][-+]?\d+)?$/, 'expected a number written as text')
  .transform(Number)

const quoteItem = z.object({
  symbol: z.string(),
  close: decimal,
  previous_close: decimal.nullish(),
  volume: decimal.nullish(),
  /** When the bar of the day began. */
  timestamp: z.int(),
  last_quote_at: z.int().nullish(),
  is_market_open: z.boolean().nullish(),
})

/** @throws VendorError where the answer is an error */
function answerOf(body: Buffer, receivedAtMs: number): JsonAnswer {
  const answer = new JsonAnswer(title, body)
  const error = errorIn(answer.value, receivedAtMs, body)
  if (error) throw error
  return answer
}

/** `/quote` of one symbol. */
export function parseQuote(body: Buffer, receivedAtMs: number): ItemsRead<QuoteSnapshot> {
  const answer = answerOf(body, receivedAtMs)
  return answer.items([answer.value], {
    where: 'quote',
    schema: quoteItem,
    alone: (item) => item,
    read: (item) => quoteOf(item, receivedAtMs),
  })
}

function quoteOf(item: z.output<typeof quoteItem>, receivedAtMs: number): QuoteSnapshot {
  return quoteSnapshot({
    symbol: fromTwelveData(item.symbol),
    source: 'twelve-data',
    licence,
    price: item.close,
    previousClose: item.previous_close ?? null,
    dayVolume: item.volume ?? null,
    eventTimeMs: asOfMs(item, receivedAtMs),
    ingestTimeMs: receivedAtMs,
    delayed: false,
  })
}

/** While a market is open, its day's beginning would make all quotes of the day one: then it is as of now. */
function asOfMs(
  { timestamp, last_quote_at, is_market_open }: z.output<typeof quoteItem>,
  receivedAtMs: number,
): number {
  if (last_quote_at) return last_quote_at * 1_000
  return is_market_open ? receivedAtMs : timestamp * 1_000
}

const seriesAnswer = z.object({
  meta: z.object({ symbol: z.string() }),
  values: z.array(z.unknown()).nullish(),
})

const seriesItem = z.object({
  datetime: z.string().regex(/^\d{4}-\d\d-\d\d( \d\d:\d\d:\d\d)?$/, 'expected a time like 2026-11-20 15:59:00'),
  open: decimal,
  high: decimal,
  low: decimal,
  close: decimal,
  volume: decimal.nullish(),
})

/** `/time_series`, asked for with `timezone=UTC`. The bar that is still being made is left out. */
export function parseSeries(body: Buffer, interval: BarInterval, receivedAtMs: number): ItemsRead<HistoricalBar> {
  const answer = answerOf(body, receivedAtMs)
  const { meta, values } = answer.as(seriesAnswer)
  return answer.items(values ?? [], {
    where: 'values',
    schema: seriesItem,
    alone: (item) => ({ meta, values: [item] }),
    read: (item) => finishedBar(fromTwelveData(meta.symbol), interval, item, receivedAtMs),
  })
}

function finishedBar(
  symbol: string,
  interval: BarInterval,
  item: z.output<typeof seriesItem>,
  receivedAtMs: number,
): HistoricalBar | undefined {
  const startMs = Date.parse(`${item.datetime.replace(' ', 'T')}${item.datetime.length > 10 ? 'Z' : 'T00:00:00Z'}`)
  if (startMs + BAR_INTERVAL_MS[interval] > receivedAtMs) return undefined
  return historicalBar({
    symbol,
    interval,
    startMs,
    open: item.open,
    high: item.high,
    low: item.low,
    close: item.close,
    volume: item.volume ?? 0,
    trades: null,
    source: 'twelve-data',
    licence,
    ingestTimeMs: receivedAtMs,
  })
}

/** Pairs have a slash there and a dash here; stocks are the same. */
export const fromTwelveData = (symbol: string): string => symbol.replace('/', '-')
export const toTwelveData = (symbol: string): string => symbol.replace('-', '/')
