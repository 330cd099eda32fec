import { BAR_INTERVAL_MS } from '../../../domain/bar.ts'
import type { VendorHttp } from '../../resilience/vendor-http.ts'
import type { StreamProtocol, TradeHistory } from '../../streaming/stream-protocol.ts'
import { type VenueBars, venueSource } from '../../venue-source.ts'
import { NAME, parseOhlc, parseTrades, readFrame, toHttp, toSocket } from './parse.ts'

/** The most that one answer holds. */
const TRADES_PER_PAGE = 1_000
const NANOSECONDS_PER_MS = 1_000_000n

export const krakenStream = (url: string, symbols: readonly string[], history: TradeHistory): StreamProtocol => ({
  vendor: NAME,
  symbols,
  numbering: 'trade-id',
  limits: {
    // About 150 in ten minutes are allowed to an address.
    attempts: { count: 60, perMs: 600_000 },
    backOffMsMin: 1_000,
    backOffMsMax: 30_000,
    messages: { count: 5, perMs: 1_000 },
    connectTimeoutMs: 10_000,
    readyTimeoutMs: 10_000,
    // A heartbeat comes every second in which nothing else does.
    silence: { framesMs: 10_000, pingsCount: false },
    overlap: false,
    frameBytesMax: 1_048_576,
  },
  url: () => url,
  keyed: false,
  converse: () => ({
    // The last fifty trades of each pair come first: where we have missed more, they show the hole.
    opening: () => [
      JSON.stringify({
        method: 'subscribe',
        params: { channel: 'trade', symbol: symbols.map(toSocket), snapshot: true },
      }),
    ],
    read: readFrame,
  }),
  history,
})

/** Pages of trades since the time of the last one before the hole: Kraken's history goes by time. */
export const krakenHistory = (http: VendorHttp): TradeHistory => ({
  asksAlways: false,
  async *prints({ symbol, after, beforeId }, signal) {
    for (let since = String(BigInt(after.eventTimeMs) * NANOSECONDS_PER_MS); ; ) {
      const query = { pair: toHttp(symbol), since, count: TRADES_PER_PAGE }
      const page = await http.get({ path: '/0/public/Trades', query }, ({ body }) => parseTrades(body), signal)
      const newestId = Math.max(...page.prints.map(({ id }) => id))
      yield page
      if (page.last === undefined || BigInt(page.last) <= BigInt(since)) return
      if (page.prints.length === 0 || newestId >= (beforeId ?? Number.POSITIVE_INFINITY) - 1) return
      since = page.last
    }
  },
})

const bars: VenueBars = {
  request: (symbol, interval) => ({
    path: '/0/public/OHLC',
    query: { pair: toHttp(symbol), interval: BAR_INTERVAL_MS[interval] / 60_000 },
  }),
  parse: parseOhlc,
}

/** Trades of Kraken's spot market as they happen, numbered without a hole, and its bars. */
export const kraken = venueSource({
  name: NAME,
  urls: { http: 'https://api.kraken.com', ws: 'wss://ws.kraken.com/v2' },
  // Nothing is published for calls without a key; about one a second has always been let through.
  windows: [{ kind: 'sliding', requests: 1, perMs: 1_000 }],
  trades: () => true,
  protocol: krakenStream,
  history: krakenHistory,
  bars,
})
