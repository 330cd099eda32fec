import { addPrint, BAR_INTERVAL_MS, type BarInterval, barEnd, barStart, openBar } from '../domain/bar.ts'
import { type HeldBar, heldKey, parseSymbolBars, type SymbolBars } from '../domain/held-bars.ts'
import type { Tick } from '../domain/tick.ts'
import type { Claim } from '../platform/store/stream-checkpoints.ts'
import { SourceProgress } from './source-progress.ts'

/** After its end, in event time of its sources, a bar is corrected by late prints for so long. Then it is final. */
export const ALLOWED_LATENESS_MS = 120_000

type Print = Pick<Tick, 'symbol' | 'price' | 'size' | 'eventTimeMs' | 'seq' | 'source'>

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
