import { z } from 'zod'
import { type Article, article, SYMBOLS_PER_ARTICLE_MAX } from '../../../domain/article.ts'
import { BAR_INTERVAL_MS, type BarInterval } from '../../../domain/bar.ts'
import { type HistoricalBar, historicalBar } from '../../../domain/historical-bar.ts'
import { isSymbol } from '../../../domain/instrument.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { usDayStartMs } from '../../exchange-clock.ts'
import { type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { plainText } from '../../plain-text.ts'
import { rfc3339Ms } from '../../rfc-3339.ts'
import type { TimedHistoryPrint } from '../../streaming/stream-protocol.ts'
import { errorIn } from './errors.ts'

const { licence, title } = VENDORS.polygon
const HEADLINE_LENGTH_MAX = 1_000
const SUMMARY_LENGTH_MAX = 5_000
const PUBLISHER_LENGTH_MAX = 200

export interface Page<F> extends ItemsRead<F> {
  /** As the vendor wrote it: a whole address without the key. Whoever follows it looks first whose it is. */
  readonly nextUrl: string | undefined
}

function answerOf(body: Buffer): JsonAnswer {
  const answer = new JsonAnswer(title, body)
  const error = errorIn(answer.value, body)
  if (error) throw error
  return answer
}

const listAnswer = z.object({ results: z.array(z.unknown()).nullish(), next_url: z.string().nullish() })

const barItem = z.object({
  o: z.number(),
  h: z.number(),
  l: z.number(),
  c: z.number(),
  v: z.number(),
  /** Of one ticker the start of the day in New York, of the whole market the close. */
  t: z.int(),
  n: z.int().nonnegative().nullish(),
})

const tickerAnswer = listAnswer.extend({ ticker: z.string() })

/** Aggregates of one ticker. The bar that is still being made is left out. */
export function parseBars(body: Buffer, interval: BarInterval, receivedAtMs: number): Page<HistoricalBar> {
  const answer = answerOf(body)
  const { ticker, results, next_url } = answer.as(tickerAnswer)
  const read = answer.items(results ?? [], {
    where: `results of ${ticker.slice(0, 20)}`,
    schema: barItem,
    alone: (item) => ({ ticker, results: [item] }),
    read: (item) => finishedBar(ticker, interval, item, receivedAtMs),
  })
  return { ...read, nextUrl: next_url ?? undefined }
}

const marketItem = barItem.extend({ T: z.string() })
const tickerOf = z.object({ T: z.string() })

export interface MarketDay extends ItemsRead<HistoricalBar> {
  /** Of all tickers, wanted or not: none on a day without trading, and before the day is told. */
  readonly tickers: number
}

/** Grouped daily: one day of every ticker there is. What is not wanted is passed over unread. */
export function parseMarketDay(body: Buffer, isWanted: (symbol: string) => boolean, receivedAtMs: number): MarketDay {
  const answer = answerOf(body)
  const results = answer.as(listAnswer).results ?? []
  const wanted = results.filter((item) => {
    const { data } = tickerOf.safeParse(item)
    return data === undefined || isWanted(data.T)
  })
  const read = answer.items(wanted, {
    where: 'wanted results',
    schema: marketItem,
    alone: (item) => ({ results: [item] }),
    read: (item) => finishedBar(item.T, '1d', item, receivedAtMs),
  })
  return { ...read, tickers: results.length }
}

function finishedBar(
  symbol: string,
  interval: BarInterval,
  item: z.output<typeof barItem>,
  receivedAtMs: number,
): HistoricalBar | undefined {
  const startMs = interval === '1d' ? usDayStartMs(item.t) : item.t
  if (startMs + BAR_INTERVAL_MS[interval] > receivedAtMs) return undefined
  return historicalBar({
    symbol,
    interval,
    startMs,
    open: item.o,
    high: item.h,
    low: item.l,
    close: item.c,
    volume: item.v,
    trades: item.n ?? null,
    source: 'polygon',
    licence,
    ingestTimeMs: receivedAtMs,
  })
}

/**
 * What tells a trade from the others of its ticker and day: exchanges and reporting facilities number theirs. The same over
 * the socket, where the names are short.
 */
export function keyOfTrade({ exchange, facility, id, sequence }: TradeName): string {
  return [exchange, facility || '', id ?? `#${sequence ?? ''}`].join(' ')
}

interface TradeName {
  readonly exchange: number
  /** 0 or nothing where no facility reported it. */
  readonly facility?: number | null | undefined
  readonly id?: string | null | undefined
  readonly sequence?: number | null | undefined
}

const tradeItem = z.object({
  price: z.number(),
  size: z.number(),
  /** When the consolidated tape had it, in nanoseconds. */
  sip_timestamp: z.number(),
  exchange: z.int(),
  trf_id: z.int().nullish(),
  id: z.string().nullish(),
  sequence_number: z.int().nullish(),
})

/** `/v3/trades/{ticker}`, the oldest first. */
export function parseTrades(body: Buffer, symbol: string): Page<TimedHistoryPrint> {
  const answer = answerOf(body)
  const { results, next_url } = answer.as(listAnswer)
  const read = answer.items(results ?? [], {
    where: `results of ${symbol}`,
    schema: tradeItem,
    alone: (item) => ({ results: [item] }),
    read: ({ price, size, sip_timestamp, exchange, trf_id, id, sequence_number }, original) => ({
      symbol,
      key: keyOfTrade({ exchange, facility: trf_id, id, sequence: sequence_number }),
      price,
      size,
      eventTimeMs: msOfNanoseconds(sip_timestamp),
      original,
    }),
  })
  return { ...read, nextUrl: next_url ?? undefined }
}

/** A double holds times of our age to 256 ns: one that is of a whole millisecond may have become a little less. */
const msOfNanoseconds = (ns: number): number => Math.floor((ns + 128) / 1_000_000)

const newsItem = z.object({
  id: z.string().min(1),
  publisher: z.object({ name: z.string() }).nullish(),
  title: z.string(),
  published_utc: rfc3339Ms,
  article_url: z.string(),
  tickers: z.array(z.string()).nullish(),
  description: z.string().nullish(),
  insights: z.array(z.object({ sentiment: z.string().nullish() })).nullish(),
})

export function parseNews(body: Buffer, receivedAtMs: number): Page<Article> {
  const answer = answerOf(body)
  const { results, next_url } = answer.as(listAnswer)
  const read = answer.items(results ?? [], {
    where: 'results',
    schema: newsItem,
    alone: (item) => ({ results: [item] }),
    read: (item) =>
      article({
        id: `polygon:${item.id}`,
        source: 'polygon',
        licence,
        kind: 'NEWS',
        headline: plainText(item.title, HEADLINE_LENGTH_MAX),
        summary: plainText(item.description ?? '', SUMMARY_LENGTH_MAX),
        url: item.article_url,
        publisher: plainText(item.publisher?.name ?? '', PUBLISHER_LENGTH_MAX) || title,
        language: 'en',
        publishedAtMs: item.published_utc,
        ingestTimeMs: receivedAtMs,
        symbols: symbolsOf(item.tickers ?? []),
        vendorSentiment: sentimentOf(item.insights ?? []),
        filing: null,
      }),
  })
  return { ...read, nextUrl: next_url ?? undefined }
}

const symbolsOf = (tickers: readonly string[]): string[] =>
  [...new Set(tickers.map(fromPolygon).filter(isSymbol))].slice(0, SYMBOLS_PER_ARTICLE_MAX)

/** Crypto is `X:BTCUSD` and currencies `C:EURUSD`; stocks are named as ours are. */
export function fromPolygon(ticker: string): string {
  const [, base = '', quote = ''] = /^[XC]:([A-Z0-9]{2,10})(USDT|USDC|[A-Z]{3})$/.exec(ticker) ?? []
  return base === '' ? ticker : `${base}-${quote}`
}

const MOODS: Readonly<Record<string, number>> = { positive: 1, neutral: 0, negative: -1 }

/** Moods are told ticker by ticker; the article's is their mean. A mood that we do not know is none. */
function sentimentOf(insights: readonly { readonly sentiment?: string | null | undefined }[]): number | null {
  const moods = insights.flatMap(({ sentiment }) => {
    const mood = Object.hasOwn(MOODS, sentiment ?? '') ? MOODS[sentiment ?? ''] : undefined
    return mood === undefined ? [] : [mood]
  })
  return moods.length === 0 ? null : moods.reduce((sum, mood) => sum + mood, 0) / moods.length
}
