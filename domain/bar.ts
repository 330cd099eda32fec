import { PlatformError } from './errors.ts'
import { isSymbol } from './instrument.ts'
import { PRICE_MAX, type Tick } from './tick.ts'
import type { Licence } from './vendors.ts'

export const BAR_INTERVAL_MS = { '1m': 60_000, '5m': 300_000, '1h': 3_600_000, '1d': 86_400_000 } as const
export type BarInterval = keyof typeof BAR_INTERVAL_MS
export const BAR_INTERVALS = Object.keys(BAR_INTERVAL_MS) as readonly BarInterval[]

/** Open, high, low, close and volume of one instrument over `[startMs, startMs + interval)`, event time, UTC. */
export interface Bar {
  readonly symbol: string
  readonly interval: BarInterval
  readonly startMs: number
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  /** 0 where it is a vendor's bar and the vendor does not tell. */
  readonly trades: number
  /** The watermark has passed its end. A late tick may still correct it. */
  readonly closed: boolean
  /** The vendor whose bar it is; undefined where it was computed from our own ticks. */
  readonly source?: string
  /** Of the vendor's bar. */
  readonly licence?: Licence
}

export const barStart = (eventTimeMs: number, interval: BarInterval): number =>
  Math.floor(eventTimeMs / BAR_INTERVAL_MS[interval]) * BAR_INTERVAL_MS[interval]

export const barEnd = (bar: Pick<Bar, 'startMs' | 'interval'>): number => bar.startMs + BAR_INTERVAL_MS[bar.interval]

/** A bar that is still being folded: it knows which prints opened and closed it, so arrival order does not matter. */
export interface FoldingBar {
  symbol: string
  interval: BarInterval
  startMs: number
  open: number
  high: number
  low: number
  close: number
  volume: number
  trades: number
  closed: boolean
  openTimeMs: number
  openSeq: number
  closeTimeMs: number
  closeSeq: number
}

type Print = Pick<Tick, 'symbol' | 'price' | 'size' | 'eventTimeMs' | 'seq'>

/** The bar that this print is the first of. It starts on its interval's boundary, not at the print. */
export function openBar(print: Print, interval: BarInterval): FoldingBar {
  return {
    symbol: print.symbol,
    interval,
    startMs: barStart(print.eventTimeMs, interval),
    open: print.price,
    high: print.price,
    low: print.price,
    close: print.price,
    volume: print.size,
    trades: 1,
    closed: false,
    openTimeMs: print.eventTimeMs,
    openSeq: print.seq,
    closeTimeMs: print.eventTimeMs,
    closeSeq: print.seq,
  }
}

/**
 * Folds one more print into the bar, in place. Open and close follow (event time, seq), so prints may come in any order
 * and the bar is the same.
 */
export function addPrint(bar: FoldingBar, price: number, size: number, eventTimeMs: number, seq: number): void {
  if (eventTimeMs < bar.openTimeMs || (eventTimeMs === bar.openTimeMs && seq < bar.openSeq)) {
    bar.open = price
    bar.openTimeMs = eventTimeMs
    bar.openSeq = seq
  }
  if (eventTimeMs > bar.closeTimeMs || (eventTimeMs === bar.closeTimeMs && seq > bar.closeSeq)) {
    bar.close = price
    bar.closeTimeMs = eventTimeMs
    bar.closeSeq = seq
  }
  if (price > bar.high) bar.high = price
  if (price < bar.low) bar.low = price
  bar.volume += size
  bar.trades++
}

/** What others see of a bar, without the fold's own bookkeeping. */
export const barOf = (folding: FoldingBar): Bar => ({
  symbol: folding.symbol,
  interval: folding.interval,
  startMs: folding.startMs,
  open: folding.open,
  high: folding.high,
  low: folding.low,
  close: folding.close,
  volume: folding.volume,
  trades: folding.trades,
  closed: folding.closed,
})

/** The only way to take a bar from outside. @throws INVALID_EVENT with what was wrong. */
export function bar(fields: Bar): Bar {
  const { symbol, interval, startMs, open, high, low, close, volume, trades } = fields
  if (!isSymbol(symbol)) throw invalid('symbol must be 1 to 20 of A-Z 0-9 . - / = ^', symbol)
  if (!BAR_INTERVALS.includes(interval)) throw invalid(`interval must be one of ${BAR_INTERVALS.join(', ')}`, interval)
  if (!Number.isSafeInteger(startMs) || barStart(startMs, interval) !== startMs)
    throw invalid(`start must be on a boundary of ${interval}`, startMs)
  if (!(low > 0 && low <= open && low <= close && open <= high && close <= high && high <= PRICE_MAX))
    throw invalid('open and close must lie between low and high, all positive', [open, high, low, close])
  if (!(volume >= 0 && volume < Number.POSITIVE_INFINITY)) throw invalid('volume must not be negative', volume)
  if (!(Number.isSafeInteger(trades) && trades > 0)) throw invalid('must hold at least one trade', trades)
  return Object.freeze(fields)
}

const invalid = (expected: string, was: unknown) =>
  new PlatformError('INVALID_EVENT', `Bar ${expected}, was ${JSON.stringify(was)}`)
