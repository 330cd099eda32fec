import { BAR_INTERVAL_MS } from '../../../domain/bar.ts'
import { numberIn } from '../../polling/cursor-values.ts'
import { factsOn } from '../../polling/facts-on.ts'
import type { Feed } from '../../polling/feed.ts'
import { every, rhythm } from '../../polling/rhythm.ts'
import { onceAfterUsClose, whileUsTrades } from '../../polling/us-rhythm.ts'
import type { SeriesInterval, TwelveDataClient } from './client.ts'
import { planCredits } from './credits.ts'
import { type Kind, kindOf, knownSymbols } from './kinds.ts'
import { parseQuote, parseSeries } from './parse.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS

/** The official close is there by then. */
const SETTLED_AFTER_MS = 30 * MINUTE_MS
const MINUTE_BARS_EVERY_MS = 4 * HOUR_MS
/** How many are read when they are first asked for: minutes of a day, days of five years. */
const BARS_AT_FIRST: Readonly<Record<SeriesInterval, number>> = { '1m': 1_440, '1d': 1_250 }

export interface FeedContext {
  readonly client: TwelveDataClient
  /** Of all keys together. */
  readonly creditsPerDay: number
  readonly now: () => number
}

/** A quote of each symbol, and bars of as many as the day has credits for besides. */
export function twelveDataFeeds(symbols: readonly string[], context: FeedContext): readonly Feed[] {
  const known = knownSymbols(symbols).flatMap((symbol) => {
    const kind = kindOf(symbol)
    return kind ? [{ symbol, kind }] : []
  })
  const { barsMax, quoteEveryMs } = planCredits(
    known.map(({ kind }) => kind),
    context.creditsPerDay,
  )
  return [
    ...known.map(({ symbol, kind }) => quoteFeed(symbol, quoteRhythm(kind, quoteEveryMs[kind]), context)),
    ...known
      .slice(0, barsMax)
      .flatMap(({ symbol, kind }) =>
        (['1m', '1d'] as const).map((interval) => barsFeed(symbol, interval, barsRhythm(kind, interval), context)),
      ),
  ]
}

const quoteRhythm = (kind: Kind, everyMs: number): Feed['dueMs'] =>
  kind === 'stock' ? whileUsTrades(everyMs, SETTLED_AFTER_MS) : every(everyMs)

function barsRhythm(kind: Kind, interval: SeriesInterval): Feed['dueMs'] {
  if (interval === '1m')
    return kind === 'stock' ? whileUsTrades(MINUTE_BARS_EVERY_MS, SETTLED_AFTER_MS) : every(MINUTE_BARS_EVERY_MS)
  return kind === 'stock' ? onceAfterUsClose(SETTLED_AFTER_MS) : rhythm(midnightAfter)
}

/** By UTC, as the days of pairs are. */
const midnightAfter = (lastAskedMs: number): number =>
  (Math.floor((lastAskedMs - SETTLED_AFTER_MS) / DAY_MS) + 1) * DAY_MS + SETTLED_AFTER_MS

function quoteFeed(symbol: string, dueMs: Feed['dueMs'], { client, now }: FeedContext): Feed {
  return {
    name: `quote:${symbol}`,
    symbols: [symbol],
    tellsPrices: true,
    topic: 'stock-quotes',
    cost: 1,
    dueMs,
    ask: async (_cursor, signal) => factsOn('stock-quotes', await client.quote(symbol, signal)),
    reparse: (original) => factsOn('stock-quotes', parseQuote(original, now())),
  }
}

function barsFeed(symbol: string, interval: SeriesInterval, dueMs: Feed['dueMs'], { client, now }: FeedContext): Feed {
  return {
    name: `bars-${interval}:${symbol}`,
    symbols: [symbol],
    topic: 'stock-history',
    cost: 1,
    dueMs,
    ask: async (cursor, signal) => {
      const newestMs = numberIn(cursor, 'newestMs')
      const missing = newestMs === undefined ? undefined : Math.ceil((now() - newestMs) / BAR_INTERVAL_MS[interval])
      const { facts, rejects } = await client.series(symbol, interval, missing ?? BARS_AT_FIRST[interval], signal)
      const fresh = facts.filter(({ startMs }) => startMs > (newestMs ?? -1))
      const newest = Math.max(newestMs ?? -1, ...fresh.map(({ startMs }) => startMs))
      return {
        ...factsOn('stock-history', { facts: fresh, rejects }),
        ...(newest >= 0 && { cursor: { newestMs: newest } }),
      }
    },
    reparse: (original) => factsOn('stock-history', parseSeries(original, interval, now())),
  }
}
