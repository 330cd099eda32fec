import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

/**
 * A second, deliberately simple implementation: everything in memory, sorted, no stream. What the platform stored must
 * equal what this finds in the file.
 */
export interface Print {
  readonly symbol: string
  readonly timeMs: number
  readonly row: number
  readonly price: number
  readonly size: number
}

export function printsOf(file: string): Print[] {
  const bytes = readFileSync(file)
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
  const [header, ...lines] = text.trimEnd().split('\n')
  const columns = header.split(',')
  const [time, symbol, price, size] = ['time', 'symbol', 'price', 'size'].map((name) => columns.indexOf(name))
  return lines.map((line, row) => {
    const cells = line.split(',')
    return {
      symbol: cells[symbol],
      timeMs: Date.parse(cells[time]),
      row,
      price: Number(cells[price]),
      size: Number(cells[size]),
    }
  })
}

/** `symbol|start` → `open|high|low|close|volume|trades`. */
export function barsOf(prints: readonly Print[], intervalMs = 60_000): Map<string, string> {
  const groups = Map.groupBy(prints, (print) => `${print.symbol}|${Math.floor(print.timeMs / intervalMs) * intervalMs}`)
  return new Map(
    [...groups].map(([key, group]) => {
      const ordered = group.toSorted((a, b) => a.timeMs - b.timeMs || a.row - b.row)
      const prices = ordered.map((print) => print.price)
      const volume = ordered.reduce((sum, print) => sum + print.size, 0)
      const [open, close] = [prices[0], prices[prices.length - 1]]
      const high = prices.reduce((highest, price) => Math.max(highest, price))
      const low = prices.reduce((lowest, price) => Math.min(lowest, price))
      return [key, [open, high, low, close, volume, prices.length].join('|')]
    }),
  )
}

/** symbol → its last print. */
export function lastPrints(prints: readonly Print[]): Map<string, Print> {
  const last = new Map<string, Print>()
  for (const print of prints.toSorted((a, b) => a.timeMs - b.timeMs || a.row - b.row)) last.set(print.symbol, print)
  return last
}
