import type { VendorHttp } from '../../resilience/vendor-http.ts'
import type { StreamProtocol, TradeHistory } from '../../streaming/stream-protocol.ts'
import { type VenueBars, venueSource } from '../../venue-source.ts'
import { errorOfAnswer, NAME, parseAggregates, parseKlines, readFrame, toBinance } from './parse.ts'

/** The most that one answer holds. */
const AGGREGATES_PER_PAGE = 1_000
const KLINES_PER_PAGE = 500
/** Streams in one message. */
const SUBSCRIBED_AT_ONCE = 50
const DAY_MS = 86_400_000
/** Of the main pairs there is a trade every second. */
const BUSY: ReadonlySet<string> = new Set(['BTC-USDT', 'ETH-USDT', 'BTC-USDC'])

export const binanceStream = (url: string, symbols: readonly string[], history: TradeHistory): StreamProtocol => ({
  vendor: NAME,
  symbols,
  numbering: 'trade-id',
  limits: {
    // 300 in five minutes are allowed to an address.
    attempts: { count: 100, perMs: 300_000 },
    backOffMsMin: 1_000,
    backOffMsMax: 60_000,
    // Of five a second: our pongs count too.
    messages: { count: 2, perMs: 1_000 },
    connectTimeoutMs: 10_000,
    readyTimeoutMs: 10_000,
    // Its pings come every twenty seconds, also where nothing trades.
    silence: {
      framesMs: 60_000,
      pingsCount: true,
      ...(symbols.some((symbol) => BUSY.has(symbol)) && { printsMs: () => 60_000 }),
    },
    lifeMsMax: DAY_MS,
    overlap: true,
    frameBytesMax: 1_048_576,
  },
  url: () => `${url}/stream`,
  keyed: false,
  converse: () => {
    const names = new Map(symbols.map((symbol) => [toBinance(symbol), symbol]))
    return {
      opening: () => subscriptions([...names.keys()].map((name) => `${name.toLowerCase()}@aggTrade`)),
      read: (frame) => readFrame(frame, (name) => names.get(name)),
    }
  },
  history,
})

const subscriptions = (streams: readonly string[]): string[] =>
  Array.from({ length: Math.ceil(streams.length / SUBSCRIBED_AT_ONCE) }, (_, page) =>
    JSON.stringify({
      method: 'SUBSCRIBE',
      params: streams.slice(page * SUBSCRIBED_AT_ONCE, (page + 1) * SUBSCRIBED_AT_ONCE),
      id: page + 1,
    }),
  )

export const binanceHistory = (http: VendorHttp): TradeHistory => ({
  // It sends nothing that says which trade is the newest.
  asksAlways: true,
  async *prints({ symbol, after, beforeId = Number.POSITIVE_INFINITY }, signal) {
    for (let fromId = after.id + 1; ; ) {
      const query = { symbol: toBinance(symbol), fromId, limit: AGGREGATES_PER_PAGE }
      const page = await http.get({ path: '/api/v3/aggTrades', query }, ({ body }) => parseAggregates(body), signal)
      const newestId = Math.max(...page.prints.map(({ id }) => id))
      yield page
      if (page.prints.length === 0 || newestId < fromId || newestId >= beforeId - 1) return
      fromId = newestId + 1
    }
  },
})

const bars: VenueBars = {
  request: (symbol, interval) => ({
    path: '/api/v3/klines',
    query: { symbol: toBinance(symbol), interval, limit: KLINES_PER_PAGE },
  }),
  parse: parseKlines,
}

/** Trades of Binance's spot market as they happen, those of one order at one price as one, and its bars. */
export const binance = venueSource({
  name: NAME,
  // The hosts for market data alone, which are served in countries where the exchange is not.
  urls: { http: 'https://data-api.binance.vision', ws: 'wss://data-stream.binance.vision' },
  // 6,000 units of weight a minute are allowed to an address; no call of ours weighs more than 4.
  windows: [{ kind: 'sliding', requests: 10, perMs: 1_000 }],
  // Its quote currencies are stablecoins and coins: a price in USDT is none in USD.
  trades: ({ quote }) => quote !== 'USD',
  protocol: binanceStream,
  history: binanceHistory,
  bars,
  errorOf: errorOfAnswer,
})
