import type { Bar } from '../../domain/bar.ts'
import type { Instrument } from '../../domain/instrument.ts'
import type { Quote } from '../../domain/quote.ts'
import { type Tick, tick } from '../../domain/tick.ts'
import { ManualClock } from '../../platform/clock.ts'
import type { Subgraph } from '../../platform/graphql/subgraph.ts'
import { Watchers } from '../../platform/graphql/watchers.ts'
import { silentLog } from '../../platform/log.ts'
import { type Metrics, openMetrics } from '../../platform/metrics.ts'
import { MemoryPubSub } from '../../platform/pubsub/memory-pubsub.ts'
import { buildMarket } from '../../subgraphs/market/market.ts'
import type { BarStore, InstrumentStore, QuoteStore } from '../../subgraphs/market/stores.ts'
import { fakeEconomy } from './economy.ts'

export const OPENED_MS = Date.UTC(2013, 9, 7, 13, 30)

const instrument = (symbol: string, name: string): Instrument => ({
  symbol,
  name,
  exchange: 'XNAS',
  currency: 'USD',
  assetClass: 'EQUITY',
  aliases: name === 'Apple Inc.' ? ['Apple'] : [],
  cik: name === 'Apple Inc.' ? '0000320193' : null,
})

export const INSTRUMENTS: readonly Instrument[] = [
  instrument('AAPL', 'Apple Inc.'),
  instrument('AMZN', 'Amazon.com, Inc.'),
  instrument('GOOGL', 'Alphabet Inc.'),
  instrument('MSFT', 'Microsoft Corporation'),
]

const SOURCE = { source: 'coinbase:X', licence: 'PERSONAL', delayed: false } as const

export const QUOTES: readonly Quote[] = [
  { ...SOURCE, symbol: 'AAPL', price: 110, size: 5, eventTimeMs: OPENED_MS + 90_000, seq: 3, previousClose: 100 },
  { ...SOURCE, symbol: 'MSFT', price: 30, size: 1, eventTimeMs: OPENED_MS, seq: 1 },
]

export const bar = (symbol: string, startMs: number, close = 100): Bar => ({
  symbol,
  interval: '1m',
  startMs,
  open: 100,
  high: 101,
  low: 99,
  close,
  volume: 10,
  trades: 2,
  closed: true,
})

let seq = 0
export const aTick = (symbol: string, price: number): Tick =>
  tick({
    symbol,
    price,
    size: 1,
    eventTimeMs: OPENED_MS + seq,
    ingestTimeMs: OPENED_MS + seq + 5,
    seq: seq++,
    source: 'test',
    position: -1,
  })

/** How often each was asked, so that a test can tell one query from a hundred. */
export interface Asked {
  instruments: number
  quotes: number
}

export interface FakeMarket {
  readonly subgraph: Subgraph
  readonly pubsub: MemoryPubSub
  readonly watchers: Watchers
  readonly clock: ManualClock
  /** Who watches what, as it was told last. */
  readonly watched: ReadonlyMap<string, number>
  readonly metrics: Metrics
  readonly asked: Asked
  /** While set, every read of the store fails with it. */
  broken: Error | undefined
  tell(symbol: string, ...prices: number[]): Promise<void>
}

/** The market subgraph over stores in memory: four instruments, two quotes, three bars of AAPL. */
export async function fakeMarket(): Promise<FakeMarket> {
  const metrics = openMetrics()
  const pubsub = new MemoryPubSub({ metrics, log: silentLog })
  const asked: Asked = { instruments: 0, quotes: 0 }
  const failing = () => {
    if (market.broken) throw market.broken
  }
  const bySymbol = <T extends { symbol: string }>(rows: readonly T[], symbols: readonly string[]) =>
    new Map(rows.filter(({ symbol }) => symbols.includes(symbol)).map((row) => [row.symbol, row]))
  const instruments: InstrumentStore = {
    find: async (symbols) => {
      failing()
      asked.instruments++
      return bySymbol(INSTRUMENTS, symbols)
    },
    page: async ({ symbols, first, after }) => {
      failing()
      const rows = INSTRUMENTS.filter(
        ({ symbol }) => (!symbols || symbols.includes(symbol)) && (after === undefined || symbol > after),
      )
      return { items: rows.slice(0, first), hasNext: rows.length > first }
    },
    search: async (text, first) =>
      INSTRUMENTS.filter(({ symbol, name }) => `${symbol} ${name}`.toLowerCase().includes(text.toLowerCase())).slice(
        0,
        first,
      ),
  }
  const quotes: QuoteStore = {
    find: async (symbols) => {
      failing()
      asked.quotes++
      return bySymbol(QUOTES, symbols)
    },
  }
  const rows = [0, 1, 2].map((minute) => bar('AAPL', OPENED_MS + minute * 60_000, 100 + minute))
  const bars: BarStore = {
    page: async ({ symbol, interval, fromMs, toMs, first, afterMs = -1 }) => {
      failing()
      const found = rows.filter(
        (row) =>
          row.symbol === symbol &&
          row.interval === interval &&
          row.startMs >= fromMs &&
          row.startMs < toMs &&
          row.startMs > afterMs,
      )
      return { items: found.slice(0, first), hasNext: found.length > first }
    },
  }
  const clock = new ManualClock(OPENED_MS + 3_600_000)
  const watched = new Map<string, number>()
  const interest = {
    hold: async (_holder: string, held: ReadonlyMap<string, { readonly watchers: number }>) => {
      watched.clear()
      for (const [symbol, { watchers: count }] of held) watched.set(symbol, count)
    },
  }
  const watchers = new Watchers({ store: interest, clock, metrics, log: silentLog })
  const around = { pubsub, watchers, clock, metrics }
  const subgraph = await buildMarket({ ...around, ...fakeEconomy(failing), instruments, quotes, bars })
  const market: FakeMarket = {
    subgraph,
    pubsub,
    watchers,
    clock,
    watched,
    metrics,
    asked,
    broken: undefined,
    tell: (symbol, ...prices) =>
      pubsub.publish('tick', symbol, { ticks: prices.map((price) => aTick(symbol, price)), skipped: 0 }),
  }
  return market
}
