import { expect } from 'vitest'
import { barsOf, lastPrints, type Print } from './recomputation.ts'
import { type Stored, storedBars, storedQuotes, storedTicks } from './stored.ts'

const VIEWS = [
  ['bars_5m', 300_000],
  ['bars_1h', 3_600_000],
  ['bars_1d', 86_400_000],
] as const

/** Every tick, quote and bar in the store against the recomputation from the file: nothing missing, nothing doubled. */
export async function expectExact(stored: Stored, prints: readonly Print[]): Promise<void> {
  const bare = (print: Print) => `${print.timeMs}|${print.price}|${print.size}`
  expect(await storedTicks(stored)).toEqual(prints.map((print) => `${print.symbol}|${bare(print)}`))
  expect(await storedQuotes(stored)).toEqual(
    new Map([...lastPrints(prints)].map(([symbol, print]) => [symbol, bare(print)])),
  )
  expect(await storedBars(stored)).toEqual(barsOf(prints))
  for (const [view, intervalMs] of VIEWS) expect(await storedBars(stored, view)).toEqual(barsOf(prints, intervalMs))
}
