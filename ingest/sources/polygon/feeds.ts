import type { HistoricalBar } from '../../../domain/historical-bar.ts'
import { type QuoteSnapshot, quoteSnapshot } from '../../../domain/quote-snapshot.ts'
import { lastUsCloseMs, localDate, localTimeMs, NEW_YORK } from '../../exchange-clock.ts'
import { numberIn, textIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed, FeedAnswer } from '../../polling/feed.ts'
import { pagedAsk } from '../../polling/paged-ask.ts'
import { every } from '../../polling/rhythm.ts'
import { onceAfterUsClose, whileUsTrades } from '../../polling/us-rhythm.ts'
import { isUsStock } from '../../us-stocks.ts'
import { VendorError } from '../../vendor-error.ts'
import type { PolygonClient } from './client.ts'
import { bellOf, dateAfter, dateBefore, SETTLED_AFTER_MS, settledDate } from './days-of-trading.ts'
import { type MarketDay, parseBars, parseMarketDay, parseNews } from './parse.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Trading goes on until eight in the evening there. */
const LAST_TRADES = '20:00'
/** Days of the whole market that were missed are had one by one; where it was longer, each symbol's are read again. */
const MARKET_BACK_MS_MAX = 30 * DAY_MS
/** Two years are free. */
const DAYS_BACK_MS = 725 * DAY_MS
/** They change with every split, and with nothing else. */
const DAYS_EVERY_MS = 30 * DAY_MS
const MINUTES_EVERY_MS = 15 * MINUTE_MS
/** What a delayed plan is told late. */
const DELAY_MS = 15 * MINUTE_MS
/** Trades that are reported late change the bars before. */
const MINUTES_OVERLAP_MS = 5 * MINUTE_MS
const MINUTES_BACK_MS_MAX = 30 * DAY_MS
const FREE_NEWS_EVERY_MS = 10 * MINUTE_MS
const PAID_NEWS_EVERY_MS = MINUTE_MS
const NEWS_BACK_MS = DAY_MS
/** Articles are found a while after their time. */
const NEWS_OVERLAP_MS = HOUR_MS

export interface FeedContext {
  readonly client: PolygonClient
  /** A plan that is told the day while it goes on. */
  readonly isPaid: boolean
  readonly now: () => number
}

/** The whole market's day in one request, and of each symbol what that does not tell: the days before, and minutes. */
export function feedsOf(symbols: readonly string[], context: FeedContext): readonly Feed[] {
  const stocks = symbols.filter(isUsStock)
  if (stocks.length === 0) return [newsFeed(context)]
  return [
    newsFeed(context),
    marketFeed(stocks, context),
    ...stocks.flatMap((symbol) => [daysFeed(symbol, context), minutesFeed(symbol, context)]),
  ]
}

function marketFeed(stocks: readonly string[], { client, now }: FeedContext): Feed {
  const wanted = new Set(stocks)
  const isWanted = (symbol: string) => wanted.has(symbol)
  return {
    name: 'market-days',
    symbols: stocks,
    tellsPrices: true,
    topic: 'stock-history',
    // With the day before, so that what changed between the two is told in the shares of today.
    cost: 2,
    dueMs: onceAfterUsClose(SETTLED_AFTER_MS),
    ask: async (cursor, signal) => {
      const nowMs = now()
      const settled = settledDate(nowMs)
      const readTo = textIn(cursor, 'date')
      const isRecent = readTo !== undefined && readTo >= localDate(nowMs - MARKET_BACK_MS_MAX, NEW_YORK)
      const date = isRecent ? dateAfter(readTo) : settled
      if (date > settled) return { facts: [], rejects: [] }
      const before = readable(await client.marketDay(dateBefore(date), isWanted, signal))
      const day = readable(await client.marketDay(date, isWanted, signal))
      if (day.tickers === 0 && date === settled) throw new VendorError('VENDOR_ANSWER', `Polygon has no ${date} yet`)
      const closes = new Map(before.facts.map(({ symbol, close }) => [symbol, close]))
      const quotes = day.facts.map((bar) => quoteOf(bar, closes.get(bar.symbol)))
      const answer = told([...before.facts, ...day.facts], quotes, [...before.rejects, ...day.rejects])
      return { ...answer, cursor: { date }, goesOn: date < settled }
    },
    reparse: (original) => factsOn('stock-history', parseMarketDay(original, isWanted, now())),
  }
}

/** @throws VENDOR_ANSWER where nothing of it is: then it is the answer that is wrong, and not all that is in it. */
function readable(day: MarketDay): MarketDay {
  const [reject] = day.rejects
  if (reject === undefined || day.facts.length > 0) return day
  throw new VendorError('VENDOR_ANSWER', reject.reason, { original: reject.original })
}

/** The close of a day, as a quote. */
function quoteOf({ symbol, startMs, close, volume, source, licence, ingestTimeMs }: HistoricalBar, before?: number) {
  const date = new Date(startMs).toISOString().slice(0, 10)
  return quoteSnapshot({
    symbol,
    source,
    licence,
    price: close,
    previousClose: before ?? null,
    dayVolume: volume,
    eventTimeMs: bellOf(date),
    ingestTimeMs,
    delayed: true,
  })
}

function told(
  bars: readonly HistoricalBar[],
  quotes: readonly QuoteSnapshot[],
  rejects: FeedAnswer['rejects'],
): Pick<FeedAnswer, 'facts' | 'rejects'> {
  const history = factsOn('stock-history', { facts: bars, rejects })
  return { facts: [...history.facts, ...factsOn('stock-quotes', { facts: quotes, rejects: [] }).facts], rejects }
}

/** All days of a symbol, and its last close: the market's next day may be far away when somebody begins to watch it. */
function daysFeed(symbol: string, { client, now }: FeedContext): Feed {
  const ask = pagedAsk({
    begin: () => ({
      symbol,
      interval: '1d' as const,
      from: localDate(now() - DAYS_BACK_MS, NEW_YORK),
      to: settledDate(now()),
    }),
    page: async (round, next, signal) => {
      const { facts, rejects, nextUrl } = await client.bars(round, next, signal)
      const [before, last] = facts.slice(-2)
      const quotes = last && nextUrl === undefined ? [quoteOf(last, before?.close)] : []
      return { ...told(facts, quotes, rejects), next: nextUrl }
    },
    end: () => undefined,
  })
  return {
    name: `days:${symbol}`,
    symbols: [symbol],
    tellsPrices: true,
    topic: 'stock-history',
    cost: 1,
    dueMs: every(DAYS_EVERY_MS),
    ask,
    reparse: (original) => factsOn('stock-history', parseBars(original, '1d', now())),
  }
}

function minutesFeed(symbol: string, { client, isPaid, now }: FeedContext): Feed {
  const ask = pagedAsk({
    begin: (cursor) => {
      const nowMs = now()
      const untilMs = isPaid ? nowMs - DELAY_MS : (localTimeMs(settledDate(nowMs), LAST_TRADES, NEW_YORK) ?? nowMs)
      const newestMs = numberIn(cursor, 'newestMs')
      const from =
        newestMs === undefined
          ? lastUsCloseMs(lastUsCloseMs(untilMs) - 1)
          : Math.max(newestMs - MINUTES_OVERLAP_MS, nowMs - MINUTES_BACK_MS_MAX)
      return { symbol, interval: '1m' as const, from, to: untilMs, newestMs }
    },
    page: async (round, next, signal) => {
      const { facts, rejects, nextUrl } = await client.bars(round, next, signal)
      round.newestMs = latest(round.newestMs, facts, ({ startMs }) => startMs)
      return { ...factsOn('stock-history', { facts, rejects }), next: nextUrl }
    },
    end: ({ newestMs }) => (newestMs === undefined ? undefined : { newestMs }),
  })
  return {
    name: `minutes:${symbol}`,
    symbols: [symbol],
    topic: 'stock-history',
    cost: 1,
    dueMs: isPaid ? whileUsTrades(MINUTES_EVERY_MS, 2 * DELAY_MS) : onceAfterUsClose(SETTLED_AFTER_MS),
    ask,
    reparse: (original) => factsOn('stock-history', parseBars(original, '1m', now())),
  }
}

function newsFeed({ client, isPaid, now }: FeedContext): Feed {
  const ask = pagedAsk({
    begin: (cursor) => {
      const newestMs = numberIn(cursor, 'newestMs')
      return { sinceMs: newestMs === undefined ? now() - NEWS_BACK_MS : newestMs - NEWS_OVERLAP_MS, newestMs }
    },
    page: async (round, next, signal) => {
      const { facts, rejects, nextUrl } = await client.news(round.sinceMs, next, signal)
      // A date in the future would keep away all that is published until then.
      round.newestMs = latest(round.newestMs, facts, ({ publishedAtMs }) => Math.min(publishedAtMs, now()))
      return { ...factsOn('news-data', { facts, rejects }), next: nextUrl }
    },
    end: ({ newestMs }) => (newestMs === undefined ? undefined : { newestMs }),
  })
  return {
    name: 'news',
    topic: 'news-data',
    cost: 1,
    dueMs: every(isPaid ? PAID_NEWS_EVERY_MS : FREE_NEWS_EVERY_MS),
    ask,
    reparse: (original) => factsOn('news-data', parseNews(original, now())),
  }
}

function latest<F>(newestMs: number | undefined, facts: readonly F[], timeOf: (fact: F) => number): number | undefined {
  return facts.reduce<number | undefined>((newest, fact) => Math.max(newest ?? 0, timeOf(fact)), newestMs)
}
