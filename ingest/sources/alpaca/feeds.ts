import { lastUsCloseMs } from '../../exchange-clock.ts'
import { numberIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed, FeedCursor } from '../../polling/feed.ts'
import { pagedAsk } from '../../polling/paged-ask.ts'
import { every } from '../../polling/rhythm.ts'
import { onceAfterUsClose, whileUsTrades } from '../../polling/us-rhythm.ts'
import { isUsStock } from '../../us-stocks.ts'
import { type AlpacaClient, type AlpacaInterval, type BarsRequest, SYMBOLS_PER_REQUEST } from './client.ts'
import { parseBars, parseNews, parseSnapshots } from './parse.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

const QUOTES_EVERY_MS = MINUTE_MS
/** The last trades of the day are reported late, and bars are told a quarter of an hour late. */
const SETTLED_AFTER_MS = 30 * MINUTE_MS

/** Whoever pays nothing may have the bars of all exchanges once they are fifteen minutes old. */
const BARS_DELAY_MS = 16 * MINUTE_MS
const MINUTES_EVERY_MS = 5 * MINUTE_MS
/** Trades that are reported late change the bars before. */
const MINUTES_OVERLAP_MS = 5 * MINUTE_MS
/** So far back the minutes are had that were missed; of a symbol that is new, the last sessions. */
const MINUTES_BACK_MS_MAX = 30 * DAY_MS
/** Symbols that were read to about the same time are asked for together. */
const TOGETHER_MS = HOUR_MS

const DAYS_BACK_MS = 731 * DAY_MS
/** Our days end at midnight UTC, also where the bell rang early. */
const DAYS_SETTLED_AFTER_MS = 8 * HOUR_MS

const NEWS_EVERY_MS = MINUTE_MS
const NEWS_BACK_MS = DAY_MS
/** Articles are found a while after their time. */
const NEWS_OVERLAP_MS = 15 * MINUTE_MS

export interface FeedContext {
  readonly client: AlpacaClient
  readonly now: () => number
}

/** Quotes and bars of many symbols in one request, and all news. */
export function feedsOf(symbols: readonly string[], context: FeedContext): readonly Feed[] {
  const stocks = symbols.filter(isUsStock)
  if (stocks.length === 0) return [newsFeed(context)]
  return [
    newsFeed(context),
    ...slicesOf(stocks).map((slice, index) => quotesFeed(`quotes-${index + 1}`, slice, context)),
    barsFeed(stocks, minutes, context),
    barsFeed(stocks, days, context),
  ]
}

function slicesOf(stocks: readonly string[]): readonly (readonly string[])[] {
  const slices: string[][] = []
  for (let from = 0; from < stocks.length; from += SYMBOLS_PER_REQUEST)
    slices.push(stocks.slice(from, from + SYMBOLS_PER_REQUEST))
  return slices
}

function quotesFeed(name: string, stocks: readonly string[], { client, now }: FeedContext): Feed {
  return {
    name,
    symbols: stocks,
    tellsPrices: true,
    topic: 'stock-quotes',
    cost: 1,
    dueMs: whileUsTrades(QUOTES_EVERY_MS, SETTLED_AFTER_MS),
    ask: async (_cursor, signal) => factsOn('stock-quotes', await client.snapshots(stocks, signal)),
    reparse: (original) => factsOn('stock-quotes', parseSnapshots(original, now())),
  }
}

interface BarsPlan {
  readonly interval: AlpacaInterval
  readonly rhythm: () => Feed['dueMs']
  /** There is more since then, where the symbol was read until then. */
  readonly isBehind: (readUntilMs: number, nowMs: number) => boolean
  /** Where to begin with those who were read to then, or never. */
  readonly fromMs: (readUntilMs: number | undefined, nowMs: number) => number
}

const minutes: BarsPlan = {
  interval: '1m',
  rhythm: () => whileUsTrades(MINUTES_EVERY_MS, SETTLED_AFTER_MS),
  isBehind: (readUntilMs, nowMs) => readUntilMs < nowMs - BARS_DELAY_MS - MINUTES_EVERY_MS / 2,
  fromMs: (readUntilMs, nowMs) =>
    readUntilMs === undefined
      ? lastUsCloseMs(lastUsCloseMs(nowMs) - 1)
      : Math.max(readUntilMs - MINUTES_OVERLAP_MS, nowMs - MINUTES_BACK_MS_MAX),
}

/** All of them each time: a split changes them all. */
const days: BarsPlan = {
  interval: '1d',
  rhythm: () => onceAfterUsClose(DAYS_SETTLED_AFTER_MS),
  isBehind: (readUntilMs, nowMs) =>
    readUntilMs + BARS_DELAY_MS < lastUsCloseMs(nowMs - DAYS_SETTLED_AFTER_MS) + DAYS_SETTLED_AFTER_MS,
  fromMs: (_readUntilMs, nowMs) => nowMs - DAYS_BACK_MS,
}

/** The cursor holds to when each symbol was read: whoever is new is read from the beginning, and the others go on. */
function barsFeed(stocks: readonly string[], plan: BarsPlan, { client, now }: FeedContext): Feed {
  const behindIn = (cursor: FeedCursor | undefined) =>
    stocks.filter((symbol) => plan.isBehind(numberIn(cursor, symbol) ?? 0, now()))
  // Whether a symbol is new shows only in the cursor, which is looked at when the feed is asked.
  let isBehind = true
  const ask = pagedAsk<BarsRequest>({
    begin: (cursor) => nextRequest(behindIn(cursor), plan, cursor, now()),
    page: async (request, next, signal) => {
      const page = await client.bars(request, next, signal)
      return { ...factsOn('stock-history', page), next: page.nextPageToken }
    },
    end: ({ symbols, untilMs }, cursor) =>
      Object.fromEntries(
        stocks.flatMap((symbol) => {
          const readUntilMs = symbols.includes(symbol) ? untilMs : numberIn(cursor, symbol)
          return readUntilMs === undefined ? [] : [[symbol, readUntilMs]]
        }),
      ),
  })
  const rhythm = plan.rhythm()
  return {
    name: `bars-${plan.interval}`,
    topic: 'stock-history',
    cost: 2,
    dueMs: (nowMs, lastAskedMs) => (isBehind ? nowMs : rhythm(nowMs, lastAskedMs)),
    ask: async (cursor, signal) => {
      const answer = await ask(cursor, signal)
      isBehind = behindIn(answer.cursor ?? cursor).length > 0
      return { ...answer, goesOn: isBehind }
    },
    reparse: (original) => factsOn('stock-history', parseBars(original, plan.interval, now())),
  }
}

/** Those that are furthest behind, and all who were read to about the same time. */
function nextRequest(
  behind: readonly string[],
  { interval, fromMs }: BarsPlan,
  cursor: FeedCursor | undefined,
  nowMs: number,
): BarsRequest | undefined {
  if (behind.length === 0) return undefined
  const readUntilMs = (symbol: string) => numberIn(cursor, symbol) ?? 0
  const oldestMs = Math.min(...behind.map(readUntilMs))
  const symbols = behind.filter((symbol) => readUntilMs(symbol) <= oldestMs + TOGETHER_MS).slice(0, SYMBOLS_PER_REQUEST)
  return { symbols, interval, fromMs: fromMs(oldestMs || undefined, nowMs), untilMs: nowMs - BARS_DELAY_MS }
}

interface NewsRound {
  readonly sinceMs: number
  readonly begunMs: number
}

function newsFeed({ client, now }: FeedContext): Feed {
  const ask = pagedAsk<NewsRound>({
    begin: (cursor) => {
      const begunMs = now()
      const readUntilMs = numberIn(cursor, 'readUntilMs')
      return { begunMs, sinceMs: readUntilMs === undefined ? begunMs - NEWS_BACK_MS : readUntilMs - NEWS_OVERLAP_MS }
    },
    page: async ({ sinceMs }, next, signal) => {
      const page = await client.news(sinceMs, next, signal)
      return { ...factsOn('news-data', page), next: page.nextPageToken }
    },
    end: ({ begunMs }) => ({ readUntilMs: begunMs }),
  })
  return {
    name: 'news',
    topic: 'news-data',
    cost: 1,
    dueMs: every(NEWS_EVERY_MS),
    ask,
    reparse: (original) => factsOn('news-data', parseNews(original, now())),
  }
}
