import { localDate, NEW_YORK } from '../../exchange-clock.ts'
import { numberIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed } from '../../polling/feed.ts'
import { every } from '../../polling/rhythm.ts'
import { whileUsTrades } from '../../polling/us-rhythm.ts'
import { isUsStock } from '../../us-stocks.ts'
import type { Days, FinnhubClient, NewsCategory } from './client.ts'
import { numberOf, parseNews, parseQuote } from './parse.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const QUOTE_EVERY_MS = MINUTE_MS
/** The official close is there by then. */
const SETTLED_AFTER_MS = 15 * MINUTE_MS
const NEWS_EVERY_MS = 2 * MINUTE_MS
const COMPANY_NEWS_EVERY_MS = 15 * MINUTE_MS
/** How far back the news of a company are read when they are first asked for. */
const COMPANY_NEWS_BACK_MS = 7 * DAY_MS
/** A free key sees a year. */
const COMPANY_NEWS_BACK_MS_MAX = 360 * DAY_MS
/** Articles may be found a while after they were published; what is told again is known. */
const OVERLAP_MS = 6 * HOUR_MS

export const NEWS_CATEGORIES: readonly NewsCategory[] = ['general', 'forex', 'crypto', 'merger']

export interface FeedContext {
  readonly client: FinnhubClient
  readonly now: () => number
}

/** Quotes and news of US stocks, and the news of all markets. Pairs have neither; their prices come over the socket. */
export function finnhubFeeds(symbols: readonly string[], context: FeedContext): readonly Feed[] {
  const stocks = symbols.filter(isUsStock)
  return [
    ...NEWS_CATEGORIES.map((category) => newsFeed(category, context)),
    ...stocks.map((symbol) => quoteFeed(symbol, context)),
    ...stocks.map((symbol) => companyNewsFeed(symbol, context)),
  ]
}

function quoteFeed(symbol: string, { client, now }: FeedContext): Feed {
  return {
    name: `quote:${symbol}`,
    symbols: [symbol],
    tellsPrices: true,
    topic: 'stock-quotes',
    cost: 1,
    dueMs: whileUsTrades(QUOTE_EVERY_MS, SETTLED_AFTER_MS),
    ask: async (_cursor, signal) => factsOn('stock-quotes', await client.quote(symbol, signal)),
    reparse: (original) => factsOn('stock-quotes', parseQuote(original, symbol, now())),
  }
}

function companyNewsFeed(symbol: string, { client, now }: FeedContext): Feed {
  return {
    name: `company-news:${symbol}`,
    symbols: [symbol],
    topic: 'news-data',
    cost: 1,
    dueMs: every(COMPANY_NEWS_EVERY_MS),
    ask: async (cursor, signal) => {
      const nowMs = now()
      const newestMs = numberIn(cursor, 'newestMs')
      const sinceMs =
        newestMs === undefined
          ? nowMs - COMPANY_NEWS_BACK_MS
          : Math.max(newestMs - OVERLAP_MS, nowMs - COMPANY_NEWS_BACK_MS_MAX)
      const { facts, rejects } = await client.companyNews(symbol, daysBetween(sinceMs, nowMs), signal)
      const published = facts.map(({ publishedAtMs }) => publishedAtMs)
      // An article that is dated ahead must not hide those that come before its time.
      const newest = Math.max(newestMs ?? 0, ...published.filter((timeMs) => timeMs <= nowMs))
      const fresh = facts.filter(({ publishedAtMs }) => publishedAtMs >= sinceMs)
      return { ...factsOn('news-data', { facts: fresh, rejects }), ...(newest > 0 && { cursor: { newestMs: newest } }) }
    },
    reparse: (original) => factsOn('news-data', parseNews(original, now())),
  }
}

/** Whose days they are is not told: from the one that begins last to the one that begins first. */
const daysBetween = (fromMs: number, toMs: number): Days => ({
  from: localDate(fromMs, NEW_YORK),
  to: localDate(toMs, 'UTC'),
})

function newsFeed(category: NewsCategory, { client, now }: FeedContext): Feed {
  return {
    name: `news:${category}`,
    topic: 'news-data',
    cost: 1,
    dueMs: every(NEWS_EVERY_MS),
    ask: async (cursor, signal) => {
      const afterId = numberIn(cursor, 'newestId')
      const news = await client.news(category, afterId, signal)
      const newestId = Math.max(afterId ?? 0, ...news.facts.map(numberOf))
      return { ...factsOn('news-data', news), ...(newestId > 0 && { cursor: { newestId } }) }
    },
    reparse: (original) => factsOn('news-data', parseNews(original, now())),
  }
}
