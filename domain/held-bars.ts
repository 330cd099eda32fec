import { BAR_INTERVAL_MS, BAR_INTERVALS, type BarInterval, type FoldingBar } from './bar.ts'

/** A bar that may still change, and the sources it was made of: all of them decide when it closes. */
export interface HeldBar {
  readonly bar: FoldingBar
  readonly sources: string[]
}

/** The bars of one symbol that prints may still change, as they are folded and as they are stored beside the table. */
export interface SymbolBars {
  /** Start of its newest one-minute bar ever. */
  newestStartMs: number
  readonly held: Map<number, HeldBar>
}

/** Intervals of one symbol share one map. One minute divides them all, so the keys are whole and never meet. */
export const heldKey = (startMs: number, interval: BarInterval): number =>
  (startMs / BAR_INTERVAL_MS['1m']) * BAR_INTERVALS.length + BAR_INTERVALS.indexOf(interval)

/** What prints may still change and the event time of its sources has not passed. Every other bar is closed. */
export const isHeldOpen = ({ held }: SymbolBars, startMs: number, interval: BarInterval): boolean =>
  held.get(heldKey(startMs, interval))?.bar.closed === false

/** As stored: `[newest start, [interval, start, open, high, low, close, volume, trades, closed, …, sources][]]`. */
export const formatSymbolBars = ({ newestStartMs, held }: SymbolBars): string =>
  JSON.stringify([newestStartMs, Array.from(held.values(), formatBar)])

/** Of what `formatSymbolBars` made, and of nothing else. */
export function parseSymbolBars(symbol: string, text: string): SymbolBars {
  const [newestStartMs, bars] = JSON.parse(text) as [number, StoredBar[]]
  const held = bars.map((stored) => parseBar(symbol, stored))
  return { newestStartMs, held: new Map(held.map((each) => [heldKey(each.bar.startMs, each.bar.interval), each])) }
}

type StoredBar = ReturnType<typeof formatBar>

const formatBar = ({ bar, sources }: HeldBar) =>
  [
    bar.interval,
    bar.startMs,
    bar.open,
    bar.high,
    bar.low,
    bar.close,
    bar.volume,
    bar.trades,
    bar.closed,
    bar.openTimeMs,
    bar.openSeq,
    bar.closeTimeMs,
    bar.closeSeq,
    sources,
  ] as const

function parseBar(symbol: string, stored: StoredBar): HeldBar {
  const [interval, startMs, open, high, low, close, volume, trades, closed] = stored
  const [openTimeMs, openSeq, closeTimeMs, closeSeq, sources] = stored.slice(9) as [
    number,
    number,
    number,
    number,
    string[],
  ]
  const prices = { open, high, low, close, volume, trades, closed }
  return { bar: { symbol, interval, startMs, ...prices, openTimeMs, openSeq, closeTimeMs, closeSeq }, sources }
}
