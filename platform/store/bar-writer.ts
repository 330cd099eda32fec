import type { Bar, BarInterval } from '../../domain/bar.ts'
import type { Connection } from './connection.ts'
import { float8Array, int8Array, part, textArray, timestamptzArray } from './pg-array.ts'

/** One-minute bars as they stand; each symbol and start at most once. */
export async function upsertBars(connection: Connection, bars: readonly Bar[]): Promise<void> {
  if (bars.length === 0) return
  const column = (name: 'open' | 'high' | 'low' | 'close' | 'volume' | 'trades' | 'startMs') =>
    part(bars.map((bar) => bar[name]))
  await connection.query({
    name: 'bars-upsert',
    text: `INSERT INTO bars_1m (symbol, time, open, high, low, close, volume, trades)
           SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::float8[], $4::float8[], $5::float8[], $6::float8[],
             $7::float8[], $8::int8[])
           ON CONFLICT (symbol, time) DO UPDATE SET open = EXCLUDED.open, high = EXCLUDED.high, low = EXCLUDED.low,
             close = EXCLUDED.close, volume = EXCLUDED.volume, trades = EXCLUDED.trades`,
    values: [
      textArray(part(bars.map((bar) => bar.symbol))),
      timestamptzArray(column('startMs')),
      float8Array(column('open')),
      float8Array(column('high')),
      float8Array(column('low')),
      float8Array(column('close')),
      float8Array(column('volume')),
      int8Array(column('trades')),
    ],
  })
}

export interface BarRange {
  readonly symbol: string
  readonly interval: BarInterval
  readonly startMs: number
  readonly endMs: number
}

/** Of these bars, of any interval, the ones with one-minute bars in the table. */
export async function rangesWithBars(connection: Connection, ranges: readonly BarRange[]): Promise<BarRange[]> {
  if (ranges.length === 0) return []
  const { rows } = await connection.query<{ n: string }>({
    name: 'bars-in-ranges',
    text: `SELECT n FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) WITH ORDINALITY AS r(symbol, low, high, n)
           WHERE EXISTS (SELECT FROM bars_1m b WHERE b.symbol = r.symbol AND b.time >= r.low AND b.time < r.high)`,
    values: [
      textArray(part(ranges.map((range) => range.symbol))),
      timestamptzArray(part(ranges.map((range) => range.startMs))),
      timestamptzArray(part(ranges.map((range) => range.endMs))),
    ],
  })
  return rows.map((row) => ranges[Number(row.n) - 1])
}
