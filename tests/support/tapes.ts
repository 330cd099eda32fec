import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

export interface TapeRow {
  readonly timeMs: number
  readonly symbol: string
  readonly price: number | string
  readonly size: number | string
}

/** Writes a small tape and answers its path; gzipped where the name ends in .gz. */
export function writeTape(rows: readonly TapeRow[], name = 'tape.csv'): string {
  const lines = rows.map((row) => `${new Date(row.timeMs).toISOString()},${row.symbol},${row.price},${row.size}`)
  const text = `time,symbol,price,size\n${lines.join('\n')}\n`
  const file = join(mkdtempSync(join(tmpdir(), 'investor-updates-tape-')), name)
  writeFileSync(file, name.endsWith('.gz') ? gzipSync(text) : text)
  return file
}

/** `count` prints of some symbols, `everyMs` apart, with prices that differ from row to row. */
export function walk(
  count: number,
  everyMs: number,
  symbols = ['SPY', 'BAC'],
  fromMs = Date.UTC(2024, 4, 1, 14),
): TapeRow[] {
  return Array.from({ length: count }, (_, i) => ({
    timeMs: fromMs + i * everyMs,
    symbol: symbols[i % symbols.length],
    price: 100 + (i % 50) + i / 100_000,
    size: 1 + (i % 7),
  }))
}
