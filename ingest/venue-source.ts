import { BAR_INTERVAL_MS, type BarInterval } from '../domain/bar.ts'
import { isFxPair, type Pair, pairOf } from '../domain/currencies.ts'
import { PlatformError } from '../domain/errors.ts'
import type { HistoricalBar } from '../domain/historical-bar.ts'
import { VENDORS, type VendorName } from '../domain/vendors.ts'
import type { VendorSource } from './catalogue.ts'
import type { ItemsRead } from './json-answer.ts'
import { mergedSource } from './merged-source.ts'
import { factsOn } from './polling/facts-on.ts'
import type { Feed } from './polling/feed.ts'
import { polledSource } from './polling/polled-source.ts'
import type { QuotaWindow } from './quota/quota.ts'
import type { VendorHttp, VendorRequest, VendorResponse } from './resilience/vendor-http.ts'
import { SYMBOLS_MAX } from './streaming/bounds.ts'
import type { StreamProtocol, TradeHistory } from './streaming/stream-protocol.ts'
import { streamedSource } from './streaming/streamed-source.ts'
import { openVendorAccess } from './vendor-access.ts'
import type { VendorError } from './vendor-error.ts'

/** Public market data of one place where coins are traded: its prints as they happen, and bars of the time before. */
export interface Venue {
  readonly name: VendorName
  readonly urls: { readonly http: string; readonly ws: string }
  /** What its HTTP side allows without a key. */
  readonly windows: readonly QuotaWindow[]
  /** Whether a pair of coins may be traded there. One that is not after all is said to be unknown. */
  readonly trades: (pair: Pair) => boolean
  readonly protocol: (url: string, symbols: readonly string[], history: TradeHistory) => StreamProtocol
  readonly history: (http: VendorHttp) => TradeHistory
  readonly bars: VenueBars
  readonly errorOf?: (response: VendorResponse) => VendorError | undefined
}

export interface VenueBars {
  /** The newest bars there are, as many as one answer holds. */
  readonly request: (symbol: string, interval: VenueInterval, nowMs: number) => VendorRequest
  readonly parse: (body: Buffer, asked: BarsAsked, receivedAtMs: number) => ItemsRead<HistoricalBar>
}

export interface BarsAsked {
  readonly symbol: string
  readonly interval: VenueInterval
}

export type VenueInterval = Extract<BarInterval, '1m' | '1h' | '1d'>
/** One answer holds at least 300 bars: they are asked for again before that many are over. */
const ASKED_EVERY: Readonly<Record<VenueInterval, number>> = {
  '1m': 240 * BAR_INTERVAL_MS['1m'],
  '1h': 240 * BAR_INTERVAL_MS['1h'],
  '1d': BAR_INTERVAL_MS['1d'],
}
const INTERVALS = Object.keys(ASKED_EVERY) as readonly VenueInterval[]

/** Reads a venue's socket and its bars as one source, without a key. */
export const venueSource = (venue: Venue): VendorSource => ({
  name: venue.name,
  needs: [],
  open(context) {
    const { name } = venue
    const { settings, clock, log, metrics } = context
    const { quota, http } = openVendorAccess(context, {
      name,
      baseUrl: venue.urls.http,
      windows: venue.windows,
      ...(venue.errorOf && { errorOf: venue.errorOf }),
    })
    const symbols = tradedAt(venue, settings.symbols)
    const tellTrouble = (trouble: string | undefined) => context.tellTrouble(name, trouble)
    const protocol = venue.protocol(settings.urls[name]?.ws ?? venue.urls.ws, symbols, venue.history(http))
    const stream = streamedSource({ protocol, clock, log, metrics, tellTrouble })
    const feedsOf = (wanted: readonly string[]) =>
      wanted
        .filter((symbol) => symbols.includes(symbol))
        .flatMap((symbol) => INTERVALS.map((interval) => barsFeed(venue, http, { symbol, interval }, clock.now)))
    // The socket says what is wrong with the venue: bars are asked for a few times a day.
    const feeds = polledSource({ name, quota, feedsOf, context: { ...context, tellTrouble: () => undefined } })
    return mergedSource({ name, parts: { stream, feeds }, context })
  },
})

/** @throws INVALID_CONFIG where there is none */
function tradedAt({ name, trades }: Venue, symbols: readonly string[]): readonly string[] {
  const traded = symbols.filter((symbol) => {
    const pair = pairOf(symbol)
    return pair !== undefined && !isFxPair(pair) && trades(pair)
  })
  if (traded.length === 0)
    throw new PlatformError(
      'INVALID_CONFIG',
      `None of the SYMBOLS is a pair of coins that ${VENDORS[name].title} trades`,
    )
  if (traded.length > SYMBOLS_MAX)
    throw new PlatformError(
      'INVALID_CONFIG',
      `SYMBOLS has ${traded.length} pairs for ${VENDORS[name].title}; it follows at most ${SYMBOLS_MAX}`,
    )
  return traded
}

function barsFeed({ bars }: Venue, http: VendorHttp, asked: BarsAsked, now: () => number): Feed {
  const { symbol, interval } = asked
  return {
    name: `bars-${interval}:${symbol}`,
    symbols: [symbol],
    topic: 'stock-history',
    cost: 1,
    dueMs: (nowMs, lastAskedMs) => (lastAskedMs === undefined ? nowMs : lastAskedMs + ASKED_EVERY[interval]),
    ask: async (_cursor, signal) => {
      const read = await http.get(
        bars.request(symbol, interval, now()),
        ({ body, receivedAtMs }) => bars.parse(body, asked, receivedAtMs),
        signal,
      )
      return factsOn('stock-history', read)
    },
    reparse: (original) => factsOn('stock-history', bars.parse(original, asked, now())),
  }
}
