import { BAR_INTERVAL_MS } from '../../../domain/bar.ts'
import type { VendorHttp } from '../../resilience/vendor-http.ts'
import type { StreamProtocol, TradeHistory } from '../../streaming/stream-protocol.ts'
import { type VenueBars, venueSource } from '../../venue-source.ts'
import { NAME, parseCandles, parseTrades, readFrame } from './parse.ts'

/** The most that one answer holds. */
const TRADES_PER_PAGE = 1_000
const CANDLES_PER_PAGE = 300

/** Platform symbols are Coinbase's own: `BTC-USD`. */
export const coinbaseStream = (url: string, symbols: readonly string[], history: TradeHistory): StreamProtocol => ({
  vendor: NAME,
  symbols,
  numbering: 'trade-id',
  limits: {
    attempts: { count: 30, perMs: 60_000 },
    backOffMsMin: 1_000,
    backOffMsMax: 30_000,
    messages: { count: 20, perMs: 1_000 },
    connectTimeoutMs: 10_000,
    readyTimeoutMs: 10_000,
    // A heartbeat comes every second for every product.
    silence: { framesMs: 10_000, pingsCount: false },
    overlap: false,
    frameBytesMax: 1_048_576,
  },
  url: () => url,
  keyed: false,
  converse: () => ({
    // One product each: a message that names one which does not exist subscribes to none.
    opening: () =>
      symbols.map((symbol) =>
        JSON.stringify({ type: 'subscribe', product_ids: [symbol], channels: ['matches', 'heartbeat'] }),
      ),
    read: readFrame,
  }),
  history,
})

/** Pages of trades older than the last one of the page before. */
export const coinbaseHistory = (http: VendorHttp): TradeHistory => ({
  // Its heartbeat says which trade is the newest.
  asksAlways: false,
  async *prints({ symbol, after, beforeId }, signal) {
    for (let before = beforeId; ; ) {
      const request = { path: `/products/${symbol}/trades`, query: { limit: TRADES_PER_PAGE, after: before } }
      const page = await http.get(request, ({ body }) => parseTrades(body), signal)
      const oldestId = Math.min(...page.prints.map(({ id }) => id))
      yield page
      if (oldestId <= after.id + 1 || oldestId >= (before ?? Number.POSITIVE_INFINITY)) return
      before = oldestId
    }
  },
})

const bars: VenueBars = {
  request: (symbol, interval, nowMs) => ({
    path: `/products/${symbol}/candles`,
    query: {
      granularity: BAR_INTERVAL_MS[interval] / 1_000,
      start: new Date(nowMs - CANDLES_PER_PAGE * BAR_INTERVAL_MS[interval]).toISOString(),
      end: new Date(nowMs).toISOString(),
    },
  }),
  parse: parseCandles,
}

/** Trades of Coinbase Exchange as they happen, numbered without a hole, and its candles. */
export const coinbase = venueSource({
  name: NAME,
  urls: { http: 'https://api.exchange.coinbase.com', ws: 'wss://ws-feed.exchange.coinbase.com' },
  // About ten a second are allowed to an address; an operator may run more than one platform behind it.
  windows: [{ kind: 'sliding', requests: 5, perMs: 1_000 }],
  trades: () => true,
  protocol: coinbaseStream,
  history: coinbaseHistory,
  bars,
})
