import type { HistoricalBar } from '../../domain/historical-bar.ts'
import type { Queryable } from './connection.ts'
import { jsonRows, keepOne, timeOf } from './sql-values.ts'

/**
 * A vendor's bar told again replaces the former one; told before it, it changes nothing. `Bars` reads them where there are
 * no bars of our own.
 */
export async function upsertHistoricalBars(database: Queryable, bars: readonly HistoricalBar[]): Promise<void> {
  if (bars.length === 0) return
  const newest = keepOne(
    bars,
    ({ symbol, interval, startMs, source }) => `${symbol}|${interval}|${startMs}|${source}`,
    (one, kept) => one.ingestTimeMs >= kept.ingestTimeMs,
  )
  // In order of keys, so that two transactions never wait for each other.
  await database.query({
    name: 'historical-bars-upsert',
    text: `INSERT INTO historical_bars AS h (symbol, interval, time, source, licence, open, high, low, close, volume, trades,
             ingest_time)
           SELECT symbol, interval, ${timeOf('start_ms')} AS time, source, licence, open, high, low, close, volume, trades,
             ${timeOf('ingest_time_ms')}
           FROM jsonb_to_recordset($1::jsonb) AS r(symbol text, interval text, start_ms float8, source text, licence text,
             open float8, high float8, low float8, close float8, volume float8, trades bigint, ingest_time_ms float8)
           ORDER BY symbol, interval, time, source
           ON CONFLICT (symbol, interval, time, source) DO UPDATE
           SET licence = excluded.licence, open = excluded.open, high = excluded.high, low = excluded.low,
               close = excluded.close, volume = excluded.volume, trades = excluded.trades,
               ingest_time = excluded.ingest_time
           WHERE excluded.ingest_time >= h.ingest_time
             AND (excluded.licence, excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume,
                  excluded.trades)
               IS DISTINCT FROM (h.licence, h.open, h.high, h.low, h.close, h.volume, h.trades)`,
    values: [
      jsonRows(
        newest.map((one) => ({
          symbol: one.symbol,
          interval: one.interval,
          start_ms: one.startMs,
          source: one.source,
          licence: one.licence,
          open: one.open,
          high: one.high,
          low: one.low,
          close: one.close,
          volume: one.volume,
          trades: one.trades,
          ingest_time_ms: one.ingestTimeMs,
        })),
      ),
    ],
  })
}
