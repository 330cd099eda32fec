import { z } from 'zod'
import { type Article, article, SYMBOLS_PER_ARTICLE_MAX } from '../../../domain/article.ts'
import { BAR_INTERVAL_MS, type BarInterval } from '../../../domain/bar.ts'
import { type HistoricalBar, historicalBar } from '../../../domain/historical-bar.ts'
import { isSymbol } from '../../../domain/instrument.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { VENDORS } from '../../../domain/vendors.ts'
import { usDayStartMs } from '../../exchange-clock.ts'
import { type ItemReject, type ItemsRead, JsonAnswer } from '../../json-answer.ts'
import { plainText } from '../../plain-text.ts'
import { rfc3339Ms } from '../../rfc-3339.ts'
import type { TimedHistoryPrint } from '../../streaming/stream-protocol.ts'
import { errorIn } from './errors.ts'

const { licence, title } = VENDORS.alpaca
const HEADLINE_LENGTH_MAX = 1_000
const SUMMARY_LENGTH_MAX = 5_000
const PUBLISHER_LENGTH_MAX = 200

/** An error with status 200 is one too. */
function answerOf(body: Buffer): JsonAnswer {
  const answer = new JsonAnswer(title, body)
  const error = errorIn(answer.value, body)
  if (error) throw error
  return answer
}

/** A list that goes on: null or nothing where it does not. */
const pageToken = z.string().nullish()

export interface Page<F> extends ItemsRead<F> {
  readonly nextPageToken: string | undefined
}

/** The exchange numbers the trades of a symbol and day, and its number is told over the socket as over HTTP. */
export const tradeName = { x: z.string().nullish(), i: z.union([z.number(), z.string()]) }

export const keyOfTrade = ({ x, i }: { readonly x?: string | null | undefined; readonly i: number | string }): string =>
  `${x ?? ''}${i}`

const barsAnswer = z.object({ bars: z.record(z.string(), z.array(z.unknown())).nullable(), next_page_token: pageToken })

const barItem = z.object({
  t: rfc3339Ms,
  o: z.number(),
  h: z.number(),
  l: z.number(),
  c: z.number(),
  v: z.number(),
  n: z.int().nonnegative().nullish(),
})

/** `/v2/stocks/bars`: bars of several symbols. The bar that is still being made is left out. */
export function parseBars(body: Buffer, interval: BarInterval, receivedAtMs: number): Page<HistoricalBar> {
  const answer = answerOf(body)
  const { bars, next_page_token } = answer.as(barsAnswer)
  const read = bySymbol(answer, 'bars', bars, barItem, (symbol, item) =>
    finishedBar(symbol, interval, item, receivedAtMs),
  )
  return { ...read, nextPageToken: next_page_token ?? undefined }
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
    source: 'alpaca',
    licence,
    ingestTimeMs: receivedAtMs,
  })
}

const tradesAnswer = z.object({
  trades: z.record(z.string(), z.array(z.unknown())).nullable(),
  next_page_token: pageToken,
})

const tradeItem = z.object({ t: rfc3339Ms, p: z.number(), s: z.number(), ...tradeName })

/** `/v2/stocks/trades`: trades of several symbols, of each the oldest first. */
export function parseTrades(body: Buffer): Page<TimedHistoryPrint> {
  const answer = answerOf(body)
  const { trades, next_page_token } = answer.as(tradesAnswer)
  const read = bySymbol(answer, 'trades', trades, tradeItem, (symbol, { t, p, s, ...name }, original) => ({
    symbol,
    key: keyOfTrade(name),
    price: p,
    size: s,
    eventTimeMs: t,
    original,
  }))
  return { ...read, nextPageToken: next_page_token ?? undefined }
}

/** Lists of several symbols, in an answer under this name. */
function bySymbol<I, F>(
  answer: JsonAnswer,
  name: string,
  lists: Readonly<Record<string, readonly unknown[]>> | null,
  schema: z.ZodType<I>,
  read: (symbol: string, item: I, original: () => Buffer) => F | undefined,
): ItemsRead<F> {
  const all = Object.entries(lists ?? {}).map(([symbol, items]) =>
    answer.items(items, {
      where: `${name}.${symbol}`,
      schema,
      alone: (item) => ({ [name]: { [symbol]: [item] } }),
      read: (item, original) => read(symbol, item, original),
    }),
  )
  return { facts: all.flatMap(({ facts }) => facts), rejects: all.flatMap(({ rejects }) => rejects) }
}

const snapshot = z.object({
  latestTrade: z.object({ t: rfc3339Ms, p: z.number() }),
  prevDailyBar: z.object({ c: z.number() }).nullish(),
})

/**
 * `/v2/stocks/snapshots`: an object with what is known of each symbol; unknown ones are left out or null. Its volumes are
 * those of one exchange of many, so no day's volume is taken from it.
 */
export function parseSnapshots(body: Buffer, receivedAtMs: number): ItemsRead<QuoteSnapshot> {
  const answer = answerOf(body)
  const facts: QuoteSnapshot[] = []
  const rejects: ItemReject[] = []
  for (const [symbol, item] of Object.entries(answer.as(z.record(z.string(), z.unknown())))) {
    if (!hasTraded(item)) continue
    const read = answer.items([item], {
      where: `snapshots.${symbol}`,
      schema: snapshot,
      alone: () => ({ [symbol]: item }),
      read: ({ latestTrade, prevDailyBar }) =>
        quoteSnapshot({
          symbol,
          source: 'alpaca',
          licence,
          price: latestTrade.p,
          previousClose: prevDailyBar?.c ?? null,
          dayVolume: null,
          eventTimeMs: latestTrade.t,
          ingestTimeMs: receivedAtMs,
          delayed: false,
        }),
    })
    facts.push(...read.facts)
    rejects.push(...read.rejects)
  }
  return { facts, rejects }
}

/** A symbol that has not traded on the exchange has a snapshot with nothing in it. */
const hasTraded = (item: unknown): boolean =>
  item !== null && !(typeof item === 'object' && (!('latestTrade' in item) || item.latestTrade === null))

export const newsItem = z.object({
  id: z.int().positive(),
  headline: z.string(),
  summary: z.string().nullish(),
  created_at: rfc3339Ms,
  url: z.string().nullish(),
  symbols: z.array(z.string()).nullish(),
  source: z.string().nullish(),
})

const newsAnswer = z.object({ news: z.array(z.unknown()).nullable(), next_page_token: pageToken })

/** `/v1beta1/news`. */
export function parseNews(body: Buffer, receivedAtMs: number): Page<Article> {
  const answer = answerOf(body)
  const { news, next_page_token } = answer.as(newsAnswer)
  const read = answer.items(news ?? [], {
    where: 'news',
    schema: newsItem,
    alone: (item) => ({ news: [item] }),
    read: (item) => articleOf(item, receivedAtMs),
  })
  return { ...read, nextPageToken: next_page_token ?? undefined }
}

/** News reads the same whether it was asked for or streamed. */
export function articleOf(item: z.output<typeof newsItem>, receivedAtMs: number): Article {
  return article({
    id: `alpaca:${item.id}`,
    source: 'alpaca',
    licence,
    kind: 'NEWS',
    headline: plainText(item.headline, HEADLINE_LENGTH_MAX),
    summary: plainText(item.summary ?? '', SUMMARY_LENGTH_MAX),
    // Some have no page of their own; their publisher's front page is where they can be read.
    url: item.url || 'https://www.benzinga.com',
    publisher: publisherOf(item.source ?? ''),
    language: 'en',
    publishedAtMs: item.created_at,
    ingestTimeMs: receivedAtMs,
    symbols: [...new Set((item.symbols ?? []).map(fromAlpaca).filter(isSymbol))].slice(0, SYMBOLS_PER_ARTICLE_MAX),
    vendorSentiment: null,
    filing: null,
  })
}

const publisherOf = (source: string): string =>
  source === '' || source === 'benzinga' ? 'Benzinga' : plainText(source, PUBLISHER_LENGTH_MAX)

const CRYPTO = /^([A-Z0-9]{2,10})\/?(USDT|USDC|USD|BTC)$/

/** Stocks are named as ours are. Crypto is `BTC/USD`, and in news `BTCUSD`; no stock's symbol is that long. */
export function fromAlpaca(symbol: string): string {
  const [, base = '', quote = ''] = (symbol.includes('/') || symbol.length >= 6 ? CRYPTO.exec(symbol) : null) ?? []
  return base === '' ? symbol : `${base}-${quote}`
}
