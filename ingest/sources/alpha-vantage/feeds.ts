import type { Instrument } from '../../../domain/instrument.ts'
import { lastUsCloseMs } from '../../exchange-clock.ts'
import { numberIn } from '../../polling/cursor-values.ts'
import { factsOn, isUnread } from '../../polling/facts-on.ts'
import type { Feed, FeedAnswer, FeedCursor } from '../../polling/feed.ts'
import { every } from '../../polling/rhythm.ts'
import { onceAfterUsClose, whileUsTrades } from '../../polling/us-rhythm.ts'
import { VendorError } from '../../vendor-error.ts'
import type { AlphaVantageClient, IntradayInterval } from './client.ts'
import { parseBars, parseQuote, unitsIn } from './parse.ts'
import { parseNews } from './parse-news.ts'
import { listingOf, mayBeInPence, toAlphaVantage } from './symbols.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** Free data are made new at the end of the day, some time after the bell. */
const SETTLED_AFTER_MS = 2 * HOUR_MS
/** Where the day's quote was not there yet, it is looked for once more. */
const LOOK_AGAIN_AFTER_MS = 5 * HOUR_MS
const LIVE_QUOTE_EVERY_MS = MINUTE_MS
/** One answer holds a hundred bars: of a minute for a morning, of five minutes for a session of 78. */
const MINUTE_BARS_EVERY_MS = HOUR_MS
export const FREE_NEWS_EVERY_MS = 6 * HOUR_MS
const PREMIUM_NEWS_EVERY_MS = 5 * MINUTE_MS
/** Articles are found a while after they were published. */
const NEWS_OVERLAP_MS = HOUR_MS
/** Of a day's requests, for what has to be asked twice: after an outage, a restart, an answer that came too early. */
const KEPT_SHARE = 0.1
/** Whoever is described once is looked at again much later: names change rarely. */
const DESCRIBE_EVERY_MS = 90 * DAY_MS

export interface Plan {
  readonly isPremium: boolean
  /** Of all free keys together. */
  readonly requestsPerDay: number
}

export interface FeedContext {
  readonly client: AlphaVantageClient
  readonly plan: Plan
  readonly now: () => number
  readonly describe: (instruments: readonly Instrument[]) => Promise<void>
  readonly isDescribed: (symbol: string) => boolean
}

/**
 * A quote for each symbol, the news of all of them in one, and bars where the day has room for them besides: fresh quotes
 * of all symbols come before bars of some.
 */
export function feedsOf(symbols: readonly string[], context: FeedContext): readonly Feed[] {
  const { plan, isDescribed } = context
  const quoted = symbols.filter((symbol) => toAlphaVantage(symbol) !== undefined)
  const newsPerDay = DAY_MS / FREE_NEWS_EVERY_MS
  const forBars = Math.floor(plan.requestsPerDay * (1 - KEPT_SHARE)) - newsPerDay - quoted.length
  const barsMax = plan.isPremium ? quoted.length : Math.max(0, forBars)
  return [
    newsFeed(context),
    ...quoted.map((symbol) => quoteFeed(symbol, context)),
    ...quoted.slice(0, barsMax).map((symbol) => barsFeed(symbol, '5min', context)),
    ...(plan.isPremium ? quoted.map((symbol) => barsFeed(symbol, '1min', context)) : []),
    ...quoted.filter((symbol) => !isDescribed(symbol)).map((symbol) => descriptionFeed(symbol, context)),
  ]
}

function quoteFeed(symbol: string, { client, plan, now }: FeedContext): Feed {
  const inPence = mayBeInPence(symbol)
  const isForeign = listingOf(symbol).close !== undefined
  const dueMs = quoteRhythm(isForeign, plan)
  let lookAgainAtMs: number | undefined
  return {
    name: `quote:${symbol}`,
    symbols: [symbol],
    tellsPrices: true,
    topic: 'stock-quotes',
    // The first time a London line has to be searched for: only the search tells what its price is told in.
    cost: inPence ? 2 : 1,
    dueMs: (nowMs, lastAskedMs) => Math.min(dueMs(nowMs, lastAskedMs), lookAgainAtMs ?? Number.POSITIVE_INFINITY),
    ask: async (cursor, signal) => {
      const unitsPerCurrency = inPence ? await londonUnits(symbol, client, cursor, signal) : 1
      const quote = await client.quote({ symbol, unitsPerCurrency }, signal)
      const isOld = quote.facts.some(({ eventTimeMs }) => eventTimeMs < settledCloseMs(now()))
      lookAgainAtMs = isOld && lookAgainAtMs === undefined && !isForeign ? now() + LOOK_AGAIN_AFTER_MS : undefined
      return {
        ...factsOn('stock-quotes', quote),
        isUnread: isUnread(quote),
        ...(inPence && { cursor: { unitsPerCurrency } }),
      }
    },
    reparse: (original) =>
      factsOn(
        'stock-quotes',
        parseQuote(original, { symbol, unitsPerCurrency: inPence ? unitsIn(original) : 1 }, now()),
      ),
  }
}

/** The close that free data should be as of by now. */
const settledCloseMs = (nowMs: number): number => lastUsCloseMs(nowMs - SETTLED_AFTER_MS)

/** Other exchanges keep hours and holidays that we do not: there a rhythm by the clock has to do. */
function quoteRhythm(isForeign: boolean, { isPremium }: Plan): Feed['dueMs'] {
  if (isForeign) return every(isPremium ? HOUR_MS : DAY_MS)
  return isPremium ? whileUsTrades(LIVE_QUOTE_EVERY_MS, SETTLED_AFTER_MS) : onceAfterUsClose(SETTLED_AFTER_MS)
}

async function londonUnits(
  symbol: string,
  client: AlphaVantageClient,
  cursor: FeedCursor | undefined,
  signal: AbortSignal,
): Promise<number> {
  const known = numberIn(cursor, 'unitsPerCurrency')
  if (known !== undefined) return known
  return (await foundFor(symbol, client, signal)).candidate.unitsPerCurrency
}

/** @throws VendorError VENDOR_UNKNOWN where the search does not have it, VENDOR_ANSWER where that cannot be said. */
async function foundFor(symbol: string, client: AlphaVantageClient, signal: AbortSignal) {
  const { facts, rejects } = await client.search(symbol, signal)
  const candidate = facts.find((each) => each.symbol === symbol)
  if (candidate) return { candidate, rejects }
  const [unread] = rejects
  if (!unread) throw new VendorError('VENDOR_UNKNOWN', `Alpha Vantage finds no ${symbol}`)
  const { reason, original } = unread
  throw new VendorError('VENDOR_ANSWER', `Alpha Vantage: ${symbol} is not among what can be read: ${reason}`, {
    original,
  })
}

function barsFeed(symbol: string, interval: IntradayInterval, { client, now }: FeedContext): Feed {
  return {
    name: `bars:${symbol}:${interval}`,
    symbols: [symbol],
    topic: 'stock-history',
    cost: 1,
    dueMs:
      interval === '1min' ? whileUsTrades(MINUTE_BARS_EVERY_MS, SETTLED_AFTER_MS) : onceAfterUsClose(SETTLED_AFTER_MS),
    ask: async (cursor, signal) => {
      const bars = await client.bars(symbol, interval, signal)
      const afterMs = numberIn(cursor, 'newestMs') ?? -1
      const newestMs = Math.max(afterMs, ...bars.facts.map(({ startMs }) => startMs))
      const facts = bars.facts.filter(({ startMs }) => startMs > afterMs)
      const fresh = factsOn('stock-history', { facts, rejects: bars.rejects })
      return { ...fresh, isUnread: isUnread(bars), cursor: { newestMs } }
    },
    reparse: (original) => factsOn('stock-history', parseBars(original, symbol, now())),
  }
}

function newsFeed({ client, plan, now }: FeedContext): Feed {
  return {
    name: 'news',
    topic: 'news-data',
    cost: 1,
    dueMs: every(plan.isPremium ? PREMIUM_NEWS_EVERY_MS : FREE_NEWS_EVERY_MS),
    ask: async (cursor, signal) => {
      const newestMs = numberIn(cursor, 'newestMs')
      const news = await client.news(newestMs === undefined ? undefined : newestMs - NEWS_OVERLAP_MS, signal)
      const published = news.facts.map(({ publishedAtMs }) => publishedAtMs)
      const newest = Math.max(newestMs ?? 0, ...published)
      return { ...factsOn('news-data', news), ...(newest > 0 && { cursor: { newestMs: newest } }) }
    },
    reparse: (original) => factsOn('news-data', parseNews(original, now())),
  }
}

/** Says what a symbol is that somebody watches and no list of ours holds. */
function descriptionFeed(symbol: string, { client, describe }: FeedContext): Feed {
  return {
    name: `description:${symbol}`,
    symbols: [symbol],
    cost: 1,
    dueMs: every(DESCRIBE_EVERY_MS),
    ask: async (_cursor, signal) => {
      const { candidate, rejects } = await foundFor(symbol, client, signal)
      const { name, currency, assetClass } = candidate
      await describe([{ symbol, name, exchange: '', currency, assetClass, aliases: [], cik: null }])
      return { facts: [], rejects }
    },
    reparse: (): Pick<FeedAnswer, 'facts' | 'rejects'> => ({ facts: [], rejects: [] }),
  }
}
