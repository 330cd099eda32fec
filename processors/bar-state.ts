import {
  addPrint,
  BAR_INTERVAL_MS,
  BAR_INTERVALS,
  type BarInterval,
  barEnd,
  barStart,
  type FoldingBar,
  openBar,
} from '../domain/bar.ts'
import type { Tick } from '../domain/tick.ts'
import type { Claim } from '../platform/store/stream-checkpoints.ts'
import { SourceProgress } from './source-progress.ts'

/** After its end, in event time of its sources, a bar is corrected by late prints for so long. Then it is final. */
export const ALLOWED_LATENESS_MS = 120_000

type Print = Pick<Tick, 'symbol' | 'price' | 'size' | 'eventTimeMs' | 'seq' | 'source'>

/** A bar that may still change, and the sources it was made of: all of them decide when it closes. */
export interface HeldBar {
  readonly bar: FoldingBar
  readonly sources: string[]
}

export interface SymbolBars {
  /** Start of its newest one-minute bar ever. */
  newestStartMs: number
  readonly held: Map<number, HeldBar>
}

/** What the bars processor remembers of one partition. */
export interface BarState {
  readonly partition: number
  readonly progress: SourceProgress
  readonly symbols: Map<string, SymbolBars>
}

export const openBarState = (claim: Claim): BarState => ({
  partition: claim.partition,
  progress: new SourceProgress(claim.sources),
  symbols: new Map(claim.state.map(({ key, value }) => [key, parseSymbolBars(key, value)])),
})

/** Intervals of one symbol share one map. One minute divides them all, so the keys are whole and never meet. */
export const heldKey = (startMs: number, interval: BarInterval): number =>
  (startMs / BAR_INTERVAL_MS['1m']) * BAR_INTERVALS.length + BAR_INTERVALS.indexOf(interval)

/** Too late when the end of its minute is further behind its own source's watermark than the allowed lateness. */
export const isLate = (eventTimeMs: number, watermarkMs: number): boolean =>
  barStart(eventTimeMs, '1m') + BAR_INTERVAL_MS['1m'] + ALLOWED_LATENESS_MS <= watermarkMs

/** Folds the print into its bar of the interval, which it opens where there is none. */
export function foldPrint(own: SymbolBars, progress: SourceProgress, print: Print, interval: BarInterval): HeldBar {
  const key = heldKey(barStart(print.eventTimeMs, interval), interval)
  const found = own.held.get(key)
  if (found) {
    addPrint(found.bar, print.price, print.size, print.eventTimeMs, print.seq)
    if (!found.sources.includes(print.source)) found.sources.push(print.source)
    return found
  }
  const opened: HeldBar = { bar: openBar(print, interval), sources: [print.source] }
  opened.bar.closed = barEnd(opened.bar) <= progress.watermarkMs(print.source)
  own.held.set(key, opened)
  return opened
}

/** The event time that every source of the bar has passed. One that had to leave the partition's memory has no say. */
export function passedMs({ sources }: HeldBar, progress: SourceProgress): number {
  let passed = Number.POSITIVE_INFINITY
  for (const source of sources) if (progress.has(source)) passed = Math.min(passed, progress.watermarkMs(source))
  return passed
}

/** As stored: `[newest start, [interval, start, open, high, low, close, volume, trades, closed, …, sources][]]`. */
export const formatSymbolBars = ({ newestStartMs, held }: SymbolBars): string =>
  JSON.stringify([newestStartMs, Array.from(held.values(), formatBar)])

function parseSymbolBars(symbol: string, text: string): SymbolBars {
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
